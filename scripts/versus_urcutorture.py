#!/usr/bin/python3
"""Grace periods a second: our torture's updater on liburcu memb against liburcu's own stress test.

Alternates the two, in an order drawn at random for each pair, and prints both rates, their ratio, and the ratio of our
first half of the runs to the second as the noise floor. liburcu's test is built from Debian's source package.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.debian_source import DEFAULT_CACHE, CannotFetch, build, fetch

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = ("gp_sync=1", "stutter=0", "phases=liveness", "nreaders=1", "nfakewriters=0", "n_barrier_cbs=0", "irqreader=0",
            "read_exit_burst=0", "fwd_progress=0")


def ours(program: Path, seconds: int) -> float:
    with tempfile.TemporaryDirectory() as where:
        out = Path(where) / "run"
        command = [program, "run", "--flavor", "urcu-memb", "--duration", f"{seconds}s", "--out", out]
        for setting in SETTINGS:
            command += ["--set", setting]
        subprocess.run(command, check=True, capture_output=True)
        verdict = json.loads((out / "basic" / "verdict.json").read_text())
    return verdict["counts"]["grace_periods"] / verdict["duration_s"]


def theirs(test: Path, seconds: int) -> float:
    """Its stress mode runs for ten seconds whatever one says; n_updates stands in its last lines."""
    begin = time.monotonic()
    done = subprocess.run([test, "1", "stress"], capture_output=True, text=True, timeout=120)
    found = re.findall(r"n_updates[:=]?\s*(\d+)", done.stdout + done.stderr)
    if not found:
        raise CannotFetch(f"{test.name} printed no n_updates; its output may have changed")
    return int(found[-1]) / (time.monotonic() - begin)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "srcutorture")
    parser.add_argument("--cache", type=Path, default=DEFAULT_CACHE)
    parser.add_argument("--pairs", type=positive, default=4)
    parser.add_argument("--seconds", type=positive, default=10)
    arguments = parser.parse_args()
    try:
        test = build(fetch("liburcu", arguments.cache.absolute())) / "tests" / "regression" / "rcutorture_urcu_membarrier"
        rates: dict[str, list[float]] = {"ours": [], "theirs": []}
        sides = {"ours": lambda: ours(arguments.program, arguments.seconds), "theirs": lambda: theirs(test, arguments.seconds)}
        for _ in range(arguments.pairs):
            for side in random.sample(list(sides), 2):
                rates[side].append(sides[side]())
                print(f"{side}: {rates[side][-1]:.0f} grace periods/s", flush=True)
    except (CannotFetch, OSError, subprocess.SubprocessError) as error:
        print(f"versus_urcutorture.py: {error}", file=sys.stderr)
        return 3
    medians = {side: statistics.median(values) for side, values in rates.items()}
    half = len(rates["ours"]) // 2
    print(f"medians: ours {medians['ours']:.0f}, theirs {medians['theirs']:.0f}; ratio {medians['ours'] / medians['theirs']:.1f}")
    if half:
        floor = statistics.median(rates["ours"][:half]) / statistics.median(rates["ours"][half:])
        print(f"ours against ours (noise): {floor:.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
