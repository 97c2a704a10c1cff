#!/usr/bin/python3
"""What is too long for every change: litmus shapes, many controlled executions of the correct library, the matrix's cells, mutants, replays.

Of each litmus shape no forbidden outcome may come, in a million executions; of the correct library no execution may fail, in 100 million
over all its tests and the ways that srcu/tests/engine/engine_ways.py has for each; each of the matrix's cells must hang or not as predicted, in 10,000; every mutant, and the lack of every labelled
order, must be found with each of 20 seeds; and 10,000 replays of failures must end as they did the first time. --share 0.001 does a thousandth of all that, on as few mutants. Ends with 1 if anything was not so.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

from lib import engine_mutants
from lib.engine_mutants import KERNEL_ROOM, PROGRAMS, ROOM, Program, Target, engine_ways
from lib.mutant import ROOT, CannotBuild, chosen

EXECUTIONS, OF_EACH_SHAPE, OF_EACH_CELL, REPLAYS, SEEDS = 100_000_000, 1_000_000, 10_000, 10_000, 20
OF_EACH_HIDDEN = 200  # with each seed, of a test that a dropped order must not fail
# Besides the library's tests this one has those of plugins' schemes.
SCHEMES = Program(Path(), "srcutorture-engine", engine_ways.FAULTS["schemes"])


@dataclass
class Failure:
    """What a replay must come to."""

    program: Path
    token: str
    hash: str


@dataclass
class Night:
    """What was asked for, and what came of it."""

    build: Path
    share: float
    jobs: int
    seed: int
    tests: list[str]
    complaints: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def scaled(self, number: int, least: int = 1) -> int:
        return max(least, math.ceil(number * self.share))

    def some(self, of: list[str]) -> list[str]:
        """As many as the share is of them, from all over the list; two at least."""
        number = min(len(of), self.scaled(len(of), 2))
        return [of[i * len(of) // number] for i in range(number)]

    def complain(self, words: str) -> None:
        self.complaints.append(words)
        print(f"  {words}", flush=True)

    def program(self, kind: str) -> Path:
        return program_of(kind).path(self.build)


def program_of(kind: str) -> Program:
    return SCHEMES if kind == "schemes" else PROGRAMS[kind]


def output(*command: str | Path | int) -> str:
    return subprocess.run([*map(str, command)], check=True, capture_output=True, text=True).stdout


@dataclass(frozen=True)
class Campaign:
    """A test in one of its ways, and how much of the test's share that is."""

    kind: str
    test: str
    way: engine_ways.Way
    share: float

    def called(self) -> str:
        return f"{self.kind} {self.test} ({' '.join(self.way.words())})".lstrip()

    def target(self) -> Target:
        return Target(program_of(self.kind), self.test)


def tests_of(night: Night) -> list[tuple[str, str]]:
    """Kind of program and test; of the schemes' program what it has alone."""
    kinds = {kind: engine_ways.tests_of(night.program(kind)) for kind in ("", "narrow", "two-bit", "schemes")}
    kinds["schemes"] = [test for test in kinds["schemes"] if test not in kinds[""]]
    return [(kind, test) for kind, tests in kinds.items() for test in tests if engine_ways.ways_of(kind or "plain", test)]


def campaigns_of(kind: str, test: str, fails: bool) -> list[Campaign]:
    """The ways in which it must fail, or must not."""
    ways = [way for way in engine_ways.ways_of(kind or "plain", test) if (way.says is not None) == fails]
    return [Campaign(kind, test, way, way.executions / sum(it.executions for it in ways)) for way in ways]


def correct_library(night: Night) -> str:
    tests = [(kind, test) for kind, test in tests_of(night) if not night.tests or test in night.tests]
    groups = [campaigns for kind, test in tests if (campaigns := campaigns_of(kind, test, False))]
    each, executions, seconds = night.scaled(EXECUTIONS) / max(1, len(groups)), 0, 0.0
    for one in (one for group in groups for one in group):
        number = max(1, round(each * one.share))
        found = engine_mutants.campaign(night.program(one.kind), one.target(), night.seed, number, *one.way.words(), "--jobs", str(night.jobs))
        executions += found.executions
        seconds += found.cpu_s
        print(f"  {one.called()}: {found.executions} executions, {found.cpu_s:.0f} CPU seconds, {found.verdict}", flush=True)
        if found.verdict != "SUCCESS":
            night.complain(f"{one.called()}: {found.verdict} in execution {found.executions}: {found.what}; replay {found.token}")
    return f"{executions} executions of {len(groups)} tests, {executions / max(seconds, 1e-9):.0f} a CPU second"


def litmus(night: Night) -> str:
    program = night.build / "harness/engine/litmus/engine_litmus"
    shapes = [line.split("\t")[0] for line in output(program, "--list").splitlines()]
    each = night.scaled(OF_EACH_SHAPE)

    def complaints(shape: str) -> list[str]:
        done = subprocess.run([program, shape, "--executions", str(each), "--seed", str(night.seed)], capture_output=True, text=True)
        return [] if done.returncode == 0 else [f"{shape}: exit {done.returncode}: {done.stdout.strip()} {done.stderr.strip()}"]

    with ThreadPoolExecutor(night.jobs) as pool:
        for lines in pool.map(complaints, shapes):
            for line in lines:
                night.complain(line)
    return f"{each} executions of each of {len(shapes)} shapes in each model"


def cells(night: Night) -> str:
    program = night.build / KERNEL_ROOM / "srcu_kernel_engine"
    names = night.some([line.split("\t")[0] for line in output(program, "list").splitlines()])
    each = night.scaled(OF_EACH_CELL)
    command = [ROOT / KERNEL_ROOM / "cells.py", program, "--only", f"^({'|'.join(map(re.escape, names))})$", "--executions", each,
               "--seed", night.seed, "--jobs", night.jobs]
    done = subprocess.run(["/usr/bin/python3", *map(str, command)], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        night.complain("the matrix's cells are not as predicted")
    return f"{len(names)} of the matrix's cells, {each} executions of those that must not hang"


def orders(night: Night) -> str:
    table = ROOT / "srcu" / "DESIGN.md"
    seeds = night.scaled(SEEDS)
    command = [ROOT / ROOM / "dropped.py", "--table", table, "--engine", night.program(""), "--narrow", night.program("narrow"),
               "--two-bit", night.program("two-bit"), "--kernel", night.program("kernel"), "--seeds", seeds, "--executions",
               night.scaled(OF_EACH_HIDDEN)]
    labels = output("/usr/bin/python3", *command, "--list").split()
    chosen_labels = night.some(labels)
    words = [word for label in chosen_labels for word in ("--label", label)]
    done = subprocess.run(["/usr/bin/python3", *map(str, command), *words], stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    if done.returncode != 0:
        night.complain("labelled orders are not shown as srcu/DESIGN.md says")
    return f"{len(chosen_labels)} of {len(labels)} labelled orders, {seeds} seeds each"


def wrong_tests(night: Night) -> str:
    count = 0
    wrong = {one.called(): one for kind, test in tests_of(night) for one in campaigns_of(kind, test, True)}
    for name in night.some(list(wrong)):
        one = wrong[name]
        program = night.program(one.kind)
        for found in engine_mutants.campaigns(program, one.target(), night.scaled(SEEDS), engine_mutants.EXECUTIONS, *one.way.words()):
            count += 1
            if found.verdict == "FAILURE" and re.search(one.way.says or "", found.what):
                night.failures.append(Failure(program, found.token, found.hash))
            else:
                night.complain(f"{name}: {found.verdict} with seed {found.seed}: {found.what}")
    return f"{count} campaigns of tests that must fail"


def mutants(night: Night, where: Path) -> str:
    found_by = [mutant for mutant in chosen([]) if engine_mutants.targets(mutant)]
    some = chosen(night.some([mutant.name for mutant in found_by]))
    engine_mutants.heading()
    for mutant in some:
        good, tests = engine_mutants.run(mutant, where / mutant.name, night.build, night.scaled(SEEDS), engine_mutants.EXECUTIONS)
        if not good:
            night.complain(f"{mutant.name} was missed, or found late, or its story is long")
        night.failures += [Failure(where / mutant.name / test["program"], run["token"], run["hash"])
                           for test in tests for run in test["runs"] if run["verdict"] == "FAILURE"]
    return f"{len(some)} of {len(found_by)} mutants, {night.scaled(SEEDS)} seeds each"


def replays(night: Night) -> str:
    wanted = night.scaled(REPLAYS)

    def differs(number: int) -> str | None:
        failure = night.failures[number % len(night.failures)]
        again = engine_mutants.replay(failure.program, failure.token)
        if (again["status"], again["hash"]) == (1, failure.hash):
            return None
        return f"exit {again['status']}, hash {again['hash']} where it was {failure.hash}: {failure.token}"

    with ThreadPoolExecutor(night.jobs) as pool:
        different = [words for words in pool.map(differs, range(wanted if night.failures else 0)) if words]
    for words in different:
        night.complain(words)
    if not night.failures:
        night.complain("there is no failure to replay")
    return f"{wanted - len(different)} of {wanted} replays were the same, of {len(night.failures)} failures"


def words_of_call() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help="of: litmus library cells orders wrong mutants replays (default: all)")
    parser.add_argument("--share", type=float, default=1.0, help="of everything (default: %(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes at a time (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="of executions and shapes (default: a new one)")
    parser.add_argument("--test", action="append", default=[], help="of the library's, these alone")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "release", help="a build directory of ninja's")
    words = parser.parse_args()
    if not 0 < words.share <= 100 or words.jobs < 1:
        parser.error("--share and --jobs are more than 0")
    return words


def run_parts(night: Night, parts: dict[str, Callable[[], str]], asked: list[str]) -> None:
    for name, part in parts.items():
        if asked and name not in asked:
            continue
        begun = time.monotonic()
        said = part()
        print(f"{name}: {said}; {time.monotonic() - begun:.0f} s", flush=True)


def main() -> int:
    words = words_of_call()
    night = Night(words.build.resolve(), words.share, words.jobs, words.seed or SystemRandom().randrange(1, 1 << 48), words.test)
    print(f"seed {night.seed}, share {night.share:g}, {night.jobs} processes at a time", flush=True)
    with tempfile.TemporaryDirectory(prefix="nightly-") as where:
        parts = {"litmus": lambda: litmus(night), "library": lambda: correct_library(night), "cells": lambda: cells(night),
                 "orders": lambda: orders(night), "wrong": lambda: wrong_tests(night),
                 "mutants": lambda: mutants(night, Path(where)), "replays": lambda: replays(night)}
        if unknown := set(words.parts) - parts.keys():
            print(f"nightly.py: no part {' '.join(sorted(unknown))}; there are: {' '.join(parts)}", file=sys.stderr)
            return 2
        try:
            run_parts(night, parts, words.parts)
        except (CannotBuild, OSError, subprocess.CalledProcessError, json.JSONDecodeError) as error:
            print(f"nightly.py: {error}", file=sys.stderr)
            return 3
    print(f"found: {'nothing that is not as it must be' if not night.complaints else f'{len(night.complaints)} complaints, as said above'}")
    return 1 if night.complaints else 0


if __name__ == "__main__":
    sys.exit(main())
