#!/usr/bin/python3
"""Breaks the SRCU library in known ways, and sees whether the torture notices.

Each torture/mutants/NAME.patch is applied to a copy of srcu/ and run with a few seeds. Printed: how often it was killed,
by which check, and how long that took (median). Ends with 1 if a mutant lived, or was noticed by another check than its
patch names.

A patch whose header names a flavor is built as a plugin, which the program tortures with scenario basic. One that names a
scenario of the kernel model instead, and perhaps what to set, becomes a program of its own: its objects are linked ahead of
the built program's archives, for the model is part of the program and knows the library's insides.

With --engine the library is run in controlled executions (srcu/tests/engine) instead, by the tests that a patch's header names:
"engine: TEST, narrow TEST, kernel TEST" of the programs srcu_engine, srcu_engine_narrow and srcu_kernel_engine, or "engine: none, "
and why none can. Printed: how many seeds killed it, executions and CPU seconds to that, and the longest of the shortened stories. Each
seed has to, within 5 CPU seconds and 30 lines. A patch that names neither flavor nor scenario is for the engine alone.
"""

from __future__ import annotations

import argparse
import json
import platform
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib import engine_mutants
from lib.arguments import positive
from lib.mutant import ROOT, CannotBuild, Mutant, chosen
from lib.mutant_objects import stock_of
from lib.mutant_program import build_program, called, in_parallel, patched

TABLES = {"srcu": "srcu_normal", "srcud": "srcu_dynamic", "srcu-nmisafe": "srcu_nmisafe", "srcu-updown": "srcu_updown",
          "srcu-fast": "srcu_fast", "srcu-fast-updown": "srcu_fast_updown", "tasks-trace": "tasks_trace"}
FLAGS = ["-std=c++20", "-O2", "-g1", "-fPIC", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti", "-ftls-model=initial-exec",
         '-DSRCU_API=__attribute__((visibility("hidden")))']  # or the program's own, sound copy would be tortured
CHAOS_FLAGS = ["-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0", "--param=tsan-distinguish-volatile=1", "-Wno-tsan"]
if platform.machine() == "x86_64":
    CHAOS_FLAGS.append("-DSRCU_ONE_INSTRUCTION")  # the count is a mutant's, not a call's


@dataclass
class Built:
    """Where runs of a mutant may leave things, and how one begins."""

    where: Path
    command: list[str | Path]
    scenario: str


@dataclass
class Outcome:
    """One run of one mutant."""

    check: str | None
    seconds: float
    chaos: int | None = None  # how often it was disturbed; none: it was not to be


def build(mutant: Mutant, where: Path, program: Path, chaos: bool = False) -> Built:
    """A patched copy below `where`, made into something to torture."""
    patched(mutant, where)
    asked = ["--chaos"] if chaos else []
    if "scenario" not in mutant.header:
        kept = program.parent / "mutants" / ("chaos" if chaos else "plain")
        plugin = build_plugin(mutant, where, CHAOS_FLAGS if chaos else [], kept)
        return Built(where, [program, "run", "basic", *asked, "--plugin", plugin], "basic")
    words = [word for setting in shlex.split(mutant.header.get("set", "")) for word in ("--set", setting)]
    scenario = mutant.header["scenario"]
    original = program.with_name("srcutorture-chaos") if chaos else program
    return Built(where, [build_program(mutant, where, original), "run", scenario, *asked, *words], scenario)


def build_plugin(mutant: Mutant, where: Path, flags: list[str], kept: Path) -> Path:
    """`kept`: where objects of what no mutant changes are."""
    rooms = ["torture/flavors", "torture/mutants"]
    for part in rooms:
        shutil.copytree(ROOT / part, where / part, dirs_exist_ok=True)
    for part in ("torture/ops.h", "torture/ops.hpp"):
        shutil.copy(ROOT / part, where / part)
    sources = [p.relative_to(ROOT) for room in ("core", "defer", "host", "platform") for p in sorted((ROOT / "srcu" / room).glob("*.cpp"))
               if not p.stem.endswith(("_test", "_bench"))] + [Path("torture/flavors/srcu.cpp")]

    def compiler(root: Path) -> list[str | Path]:
        return ["c++", *FLAGS, *flags, "-I", root, "-I", root / "srcu/include"]

    stock = stock_of(ROOT, ["srcu", *rooms, "torture/ops.h", "torture/ops.hpp"], sources, compiler(ROOT), kept, in_parallel)
    unchanged = stock.unchanged(mutant.changed())
    again = [where / source for source in [*sources, Path("torture/mutants/plugin.cpp")] if source not in unchanged]
    table = f"-DMUTANT_TABLE={TABLES[mutant.header['flavor']]}"
    in_parallel([[*compiler(where), table, "-c", p, "-o", p.with_suffix(".o")] for p in again], where)
    plugin = where / "mutant.so"
    called("c++", "-shared", "-o", plugin, *(p.with_suffix(".o") for p in again), *map(stock.object, unchanged), "-lpthread", cwd=where)
    return plugin


def torture(built: Built, seed: int, duration: str) -> Outcome:
    out = built.where / f"run-{seed}"
    command = [*built.command, "--duration", duration, "--seed", hex(seed), "--out", out]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    verdict_file = out / built.scenario / "verdict.json"
    if done.returncode not in (0, 1, 4) or not verdict_file.exists():
        raise CannotBuild(f"the torture did not run: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    verdict = json.loads(verdict_file.read_text())
    failures = verdict["failures"]
    chaos = verdict["injectors"].get("chaos")
    if not failures:
        return Outcome(None, verdict["duration_s"], chaos)
    return Outcome(failures[0]["check"], failures[0]["first_s"], chaos)


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


def tortured(mutants: list[Mutant], words: argparse.Namespace, where: Path) -> tuple[bool, list[dict[str, Any]]]:
    good, results = True, []
    for mutant in mutants:
        built = build(mutant, where / mutant.name, words.program.resolve(), words.chaos)
        outcomes = [torture(built, 0x5EED + i, words.duration) for i in range(words.seeds)]
        shutil.rmtree(built.where)
        good &= report(mutant, outcomes)
        results.append({"name": mutant.name, **mutant.header, "runs": [vars(o) for o in outcomes]})
    return good, results


def controlled(mutants: list[Mutant], words: argparse.Namespace, where: Path) -> tuple[bool, list[dict[str, Any]]]:
    good, results = True, []
    engine_mutants.heading()
    for mutant in mutants:
        killed, runs = engine_mutants.run(mutant, where / mutant.name, words.program.resolve().parent, words.seeds, words.executions)
        shutil.rmtree(where / mutant.name, ignore_errors=True)
        good &= killed
        results.append({"name": mutant.name, **mutant.header, "tests": runs})
    return good, results


def wanted(words: argparse.Namespace) -> list[Mutant]:
    """Named ones as they are; of all, those that the way to run them is for."""
    mutants = chosen(words.mutants)
    if words.engine or words.list:
        return mutants
    for mutant in mutants:
        if words.mutants and not mutant.on_real_cores():
            raise CannotBuild(f"{mutant.name} is for the engine alone: add --engine")
    return [mutant for mutant in mutants if mutant.on_real_cores()]


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mutants", nargs="*", help="names (default: all)")
    parser.add_argument("--seeds", type=positive, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument("--duration", default="30s", help="longest run (default: %(default)s)")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "srcutorture")
    parser.add_argument("--chaos", action="store_true", help="compiled for it, and run with it")
    parser.add_argument("--engine", action="store_true", help="in controlled executions, by the tests that their headers name")
    parser.add_argument("--executions", type=positive, default=engine_mutants.EXECUTIONS, help="with --engine: the most of each run")
    parser.add_argument("--json", type=Path, help="also write the outcomes here")
    parser.add_argument("--list", action="store_true", help="names and what is broken")
    return parser.parse_args()


def main() -> int:
    words = arguments()
    try:
        mutants = wanted(words)
        if words.list:
            for mutant in mutants:
                print(f"{mutant.name}\t{mutant.header['caught_by']}\t{mutant.header['broken']}")
            return 0
        with tempfile.TemporaryDirectory(prefix="mutant-") as where:
            good, results = (controlled if words.engine else tortured)(mutants, words, Path(where))
        if words.json:
            words.json.write_text(json.dumps(results, indent=2) + "\n")
    except (CannotBuild, OSError) as error:
        print(f"mutants.py: {error}", file=sys.stderr)
        return 3
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
