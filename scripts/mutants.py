#!/usr/bin/python3
"""Breaks the SRCU library in known ways, and sees whether the torture notices.

Each torture/mutants/NAME.patch is applied to a copy of srcu/, built as a plugin, and run with a few seeds. Printed: how
often it was killed, by which check, and how long that took (median). Ends with 1 if a mutant lived, or was noticed by
another check than its patch names.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = ROOT / "torture" / "mutants"
TABLES = {"srcu": "srcu_normal", "srcud": "srcu_dynamic", "srcu-nmisafe": "srcu_nmisafe", "srcu-updown": "srcu_updown",
          "srcu-fast": "srcu_fast", "srcu-fast-updown": "srcu_fast_updown", "tasks-trace": "tasks_trace"}
FLAGS = ["-std=c++20", "-O2", "-g1", "-fPIC", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti", "-ftls-model=initial-exec",
         '-DSRCU_API=__attribute__((visibility("hidden")))']  # or the program's own, sound copy would be tortured


class CannotBuild(Exception):
    """One line: what is wrong and what to do."""


@dataclass
class Mutant:
    """A patch and what its header says: broken, source, flavor, caught_by, survives."""

    name: str
    patch: Path
    header: dict[str, str]


@dataclass
class Outcome:
    """One run of one mutant."""

    check: str | None
    seconds: float


def load(patch: Path) -> Mutant:
    header: dict[str, str] = {}
    for line in patch.read_text().split("\n\n", 1)[0].splitlines():
        key, _, value = line.partition(": ")
        header[key] = value
    missing = {"broken", "source", "flavor", "caught_by", "survives"} - header.keys()
    if missing:
        raise CannotBuild(f"{patch.name}: its header lacks {', '.join(sorted(missing))}")
    return Mutant(patch.stem, patch, header)


def called(*command: str | Path, cwd: Path) -> None:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no message"]
        raise CannotBuild(next((line for line in lines if "error" in line or "FAILED" in line), lines[-1]))


def build(mutant: Mutant, where: Path) -> Path:
    """The plugin, made of a patched copy below `where`."""
    for part in ("srcu", "torture/flavors", "torture/mutants"):
        shutil.copytree(ROOT / part, where / part, dirs_exist_ok=True)
    shutil.copy(ROOT / "torture/ops.h", where / "torture")
    shutil.copy(ROOT / "torture/ops.hpp", where / "torture")
    called("git", "apply", mutant.patch, cwd=where)
    sources = [p for room in ("core", "defer", "host", "platform") for p in sorted((where / "srcu" / room).glob("*.cpp"))
               if not p.stem.endswith(("_test", "_bench"))]
    sources += [where / "torture/flavors/srcu.cpp", where / "torture/mutants/plugin.cpp"]
    include = ["-I", where, "-I", where / "srcu/include", f"-DMUTANT_TABLE={TABLES[mutant.header['flavor']]}"]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda p: called("c++", *FLAGS, *include, "-c", p, "-o", p.with_suffix(".o"), cwd=where), sources))
    plugin = where / "mutant.so"
    called("c++", "-shared", "-o", plugin, *(p.with_suffix(".o") for p in sources), "-lpthread", cwd=where)
    return plugin


def torture(plugin: Path, program: Path, seed: int, duration: str) -> Outcome:
    out = plugin.parent / f"run-{seed}"
    command = [program, "run", "basic", "--plugin", plugin, "--duration", duration, "--seed", hex(seed), "--out", out]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    verdict_file = out / "basic" / "verdict.json"
    if done.returncode not in (0, 1, 4) or not verdict_file.exists():
        raise CannotBuild(f"the torture did not run: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    verdict = json.loads(verdict_file.read_text())
    failures = verdict["failures"]
    return Outcome(failures[0]["check"] if failures else None, failures[0]["first_s"] if failures else verdict["duration_s"])


def report(mutant: Mutant, outcomes: list[Outcome]) -> bool:
    """Prints a mutant's line. True if every run killed it by the check that it names."""
    killed = [o for o in outcomes if o.check]
    checks = sorted({o.check for o in killed if o.check})
    median = f"{statistics.median(o.seconds for o in killed):.2f} s" if killed else "-"
    expected = set(mutant.header["caught_by"].split())
    good = len(killed) == len(outcomes) and set(checks) <= expected
    print(f"{mutant.name:24} {len(killed)}/{len(outcomes)} {median:>9}  {' '.join(checks) or '-':32}"
          f"{'' if good else 'WANTED ' + mutant.header['caught_by']}", flush=True)
    return good


def chosen(names: list[str]) -> list[Mutant]:
    all_mutants = {p.stem: p for p in sorted(MUTANTS.glob("*.patch"))}
    for name in names:
        if name not in all_mutants:
            raise CannotBuild(f"no mutant '{name}'; there are: {' '.join(all_mutants)}")
    return [load(all_mutants[name]) for name in names or all_mutants]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mutants", nargs="*", help="names (default: all)")
    parser.add_argument("--seeds", type=int, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument("--duration", default="30s", help="longest run (default: %(default)s)")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "srcutorture")
    parser.add_argument("--json", type=Path, help="also write the outcomes here")
    parser.add_argument("--list", action="store_true", help="names and what is broken")
    arguments = parser.parse_args()
    good, results = True, []
    try:
        for mutant in chosen(arguments.mutants):
            if arguments.list:
                print(f"{mutant.name}\t{mutant.header['caught_by']}\t{mutant.header['broken']}")
                continue
            with tempfile.TemporaryDirectory(prefix="mutant-") as where:
                plugin = build(mutant, Path(where))
                outcomes = [torture(plugin, arguments.program, 0x5EED + i, arguments.duration) for i in range(arguments.seeds)]
            good &= report(mutant, outcomes)
            results.append({"name": mutant.name, **mutant.header, "runs": [vars(o) for o in outcomes]})
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    except (CannotBuild, OSError) as error:
        print(f"mutants.py: {error}", file=sys.stderr)
        return 3
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
