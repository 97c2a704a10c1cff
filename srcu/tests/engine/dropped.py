"""Drops each labelled order of srcu/DESIGN.md's table: each test that the table names must fail, or, where it says none, no test may."""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

EXECUTIONS_TO_FAIL, EXECUTIONS_OF_EACH = 20_000, 30


def rows(table: Path) -> dict[str, str]:
    """Label to the last column, "shown by"."""
    found = (re.match(r"\| ([A-Z]\d?) \|.*\| ([^|]*) \|$", line) for line in table.read_text().splitlines())
    return {row[1]: row[2] for row in found if row}


def tests_of(program: Path) -> list[str]:
    listed = subprocess.run([program, "list"], check=True, capture_output=True, text=True).stdout
    names = [line.split("\t")[0] for line in listed.splitlines()]
    return [name for name in names if not name.startswith("wrong_")]


def run(program: Path, label: str, executions: int, tests: list[str], faults: str, seed: int = 1) -> tuple[int, dict[str, Any]]:
    """How it ended, and what it said: of the first test that failed, if one did."""
    options = ["--executions", str(executions), "--seed", str(seed), "--on-x86", "0", "--faults", faults, "--drop-order", label, "--json"]
    done = subprocess.run([program, "run", *tests, *options], capture_output=True, text=True)
    reports = json.loads(done.stdout)["tests"] if done.stdout else [{"test": "", "what": done.stderr}]
    return done.returncode, next((report for report in reports if report.get("verdict") != "SUCCESS"), reports[0])


def shown(program: Path, label: str, test: str, faults: str, seeds: int) -> bool:
    """Whether the test fails without that order, with each seed."""
    ended = [run(program, label, EXECUTIONS_TO_FAIL, [test], faults, seed) for seed in range(1, seeds + 1)]
    failed = [report for status, report in ended if status == 1]
    if failed:
        executions, seconds = sorted(it["executions"] for it in failed), sorted(it["cpu_s"] for it in failed)
        lines = max(len(it["story"]) for it in failed)
        print(f"{label:2} {test:20} {len(failed):2}/{seeds}  executions {statistics.median(executions):.0f}, at most {executions[-1]}; "
              f"CPU seconds {statistics.median(seconds):.3f}, at most {seconds[-1]:.3f}; story of {lines} lines; "
              f"{failed[0]['what']}", flush=True)
    if missed := [(status, report["what"]) for status, report in ended if status != 1]:
        print(f"{label:2} {test:20} MISSED by {len(missed)} of {seeds}: exit {missed[0][0]} {missed[0][1]}", flush=True)
    return not missed


def hidden(program: Path, label: str, tests: list[str], faults: str) -> bool:
    """Whether no test fails, as the table says."""
    for _ in range(2):
        status, report = run(program, label, EXECUTIONS_OF_EACH, tests, faults)
        if status != 3:  # the engine broke, which is no finding about the order; once may be forgiven
            break
    print(f"{label:2} {'no test, as it should be' if status == 0 else f'exit {status} where the table says none: {report}'}", flush=True)
    return status == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    for name in ("--table", "--engine", "--narrow", "--two-bit"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--label", action="append", help="these alone")
    parser.add_argument("--seeds", type=int, default=1, help="campaigns of each that must fail (default: %(default)s)")
    parser.add_argument("--list", action="store_true", help="the labels")
    words = parser.parse_args()
    programs = {"": words.engine, "narrow ": words.narrow, "two-bit ": words.two_bit}
    few = "wake,eintr,early,migrate"
    faults = {words.engine: f"{few},handler", words.narrow: few, words.two_bit: few}
    good = True
    for label, by in rows(words.table).items():
        if words.label and label not in words.label:
            continue
        if words.list:
            print(label)
            continue
        named = re.findall(r"(narrow |two-bit |)engine `(\w+)`", by)
        for build, test in named:
            good &= shown(programs[build], label, test, faults[programs[build]], words.seeds)
        if not named:
            good &= hidden(words.engine, label, tests_of(words.engine), faults[words.engine])
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
