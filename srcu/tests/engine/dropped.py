"""Drops each labelled order of srcu/DESIGN.md's table: each test that the table names must fail, soon and with a short story, or, where
it says none, no test may that is of the library itself."""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine_ways import FAULTS, FOR_KERNEL, over_the_bar, tests_of, ways_of

EXECUTIONS_TO_FAIL = 20_000


@dataclass(frozen=True)
class Program:
    path: Path
    faults: str
    options: tuple[str, ...] = ()


def rows(table: Path) -> dict[str, str]:
    """Label to the last column, "shown by"."""
    found = (re.match(r"\| ([A-Z]\d?) \|.*\| ([^|]*) \|$", line) for line in table.read_text().splitlines())
    return {row[1]: row[2] for row in found if row}


def run(program: Program, label: str, executions: int, tests: list[str], seed: int) -> tuple[int, dict[str, Any]]:
    """How it ended, and what it said: of the first test that failed, if one did."""
    options = ["--executions", str(executions), "--seed", str(seed), "--on-x86", "0", "--faults", program.faults, "--drop-order", label, "--json"]
    done = subprocess.run([program.path, "run", *tests, *options, *program.options], capture_output=True, text=True)
    reports = json.loads(done.stdout)["tests"] if done.stdout else [{"test": "", "what": done.stderr}]
    return done.returncode, next((report for report in reports if report.get("verdict") != "SUCCESS"), reports[0])


def shown(program: Program, label: str, test: str, seeds: int) -> tuple[bool, dict[str, Any]]:
    """Whether the test fails without that order, with each seed, within the bar; and what was measured, as scripts/mutants.py has it."""
    ended = [run(program, label, EXECUTIONS_TO_FAIL, [test], seed) for seed in range(1, seeds + 1)]
    failed = [report for status, report in ended if status == 1]
    good = len(failed) == len(ended)
    if failed:
        executions, seconds = sorted(it["executions"] for it in failed), sorted(it["cpu_s"] for it in failed)
        lines = max(len(it["story"]) for it in failed)
        over = over_the_bar([lines], seconds)
        good = good and not over
        print(f"{label:2} {test:20} {len(failed):2}/{seeds}  executions {statistics.median(executions):.0f}, at most {executions[-1]}; "
              f"CPU seconds {statistics.median(seconds):.3f}, at most {seconds[-1]:.3f}; story of {lines} lines; "
              f"{failed[0]['what']}{''.join(f'  {words}' for words in over)}", flush=True)
    if missed := [(status, report["what"]) for status, report in ended if status != 1]:
        print(f"{label:2} {test:20} MISSED by {len(missed)} of {seeds}: exit {missed[0][0]} {missed[0][1]}", flush=True)
    return good, {"test": test, "program": program.path.name, "runs": [report for status, report in ended if status in (0, 1)]}


def hidden(program: Program, label: str, tests: list[str], seeds: int, executions: int) -> bool:
    """Whether no test fails, as the table says."""
    for seed in range(1, seeds + 1):
        status, report = run(program, label, executions, tests, seed)
        if status != 0:
            print(f"{label:2} {program.path.name}: exit {status} with seed {seed} where the table says none: {report}", flush=True)
            return False
    print(f"{label:2} {program.path.name}: no test, as it should be: {seeds * executions} executions of each of {len(tests)}", flush=True)
    return True


def reached(program: Program, kind: str) -> list[str]:
    """Tests that no known error fails, and that need no fault of their own."""
    return [test for test in tests_of(program.path) if ways_of(kind, test) and not test.startswith("wrong_")]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--table", "--engine", "--narrow", "--two-bit", "--kernel"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--label", action="append", help="these alone")
    parser.add_argument("--seeds", type=int, default=1, help="campaigns of each test (default: %(default)s)")
    parser.add_argument("--executions", type=int, default=30, help="of each campaign of a test that must not fail (default: %(default)s)")
    parser.add_argument("--json", type=Path, help="also write here what the tests that fail came to")
    parser.add_argument("--list", action="store_true", help="the labels")
    words = parser.parse_args()
    kinds = {"plain": Program(words.engine, FAULTS["plain"]), "narrow": Program(words.narrow, FAULTS["narrow"]),
             "two-bit": Program(words.two_bit, FAULTS["two-bit"])}
    kernel = Program(words.kernel, FAULTS["plain"], FOR_KERNEL)
    programs = {"": kinds["plain"], "narrow ": kinds["narrow"], "two-bit ": kinds["two-bit"], "kernel ": kernel}
    good, results = True, []
    for label, by in rows(words.table).items():
        if words.label and label not in words.label:
            continue
        if words.list:
            print(label)
            continue
        named = re.findall(r"(narrow |two-bit |kernel |)engine `(\w+)`", by)
        tests = [shown(programs[build], label, test, words.seeds) for build, test in named]
        good &= all(met for met, _ in tests)
        results.append({"name": f"label {label}", "tests": [told for _, told in tests]})
        if not named:
            good &= all([hidden(program, label, reached(program, kind), words.seeds, words.executions) for kind, program in kinds.items()])
    if words.json:
        words.json.write_text(json.dumps(results, indent=2) + "\n")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
