"""Mutants in the controlled engine: a program of engine tests with one in it, run with many seeds."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lib.mutant import ROOT, CannotBuild, Mutant
from lib.mutant_program import build_program, patched

EXECUTIONS = 20_000
ROOM = Path("srcu/tests/engine")
KERNEL_ROOM = Path("torture/kernel/tests/engine")
sys.path.insert(0, str(ROOT / ROOM))
import engine_ways  # noqa: E402  which test takes what, and the bar


@dataclass(frozen=True)
class Program:
    """One of the build's, and how it is run."""

    room: Path
    name: str
    faults: str
    options: tuple[str, ...] = ()

    def path(self, build_dir: Path) -> Path:
        return build_dir / self.room / self.name


# By what stands before a test's name, as in srcu/DESIGN.md's table.
PROGRAMS = {"": Program(ROOM, "srcu_engine", engine_ways.FAULTS["plain"]), "narrow": Program(ROOM, "srcu_engine_narrow", engine_ways.FAULTS["narrow"]),
            "two-bit": Program(ROOM, "srcu_engine_two_bits", engine_ways.FAULTS["two-bit"]),
            "kernel": Program(KERNEL_ROOM, "srcu_kernel_engine", engine_ways.FAULTS["plain"], engine_ways.FOR_KERNEL)}


@dataclass
class Target:
    """A test that finds a mutant."""

    program: Program
    test: str


@dataclass
class Found:
    """What one campaign came to."""

    seed: int
    verdict: str
    executions: int
    cpu_s: float
    lines: int
    token: str
    hash: str
    what: str


def targets(mutant: Mutant) -> list[Target]:
    """From "engine: TEST, kernel TEST": each must find it. Empty if its header argues that none can."""
    words = mutant.header["engine"]
    if words.startswith("none, "):
        return []
    found = []
    for one in words.split(", "):
        build, _, test = one.rpartition(" ")
        if build not in PROGRAMS:
            raise CannotBuild(f"{mutant.name}: 'engine: {words}' names neither tests nor 'none, ' and why")
        found.append(Target(PROGRAMS[build], test))
    return found


def replay(program: Path, token: str) -> dict[str, Any]:
    done = subprocess.run([program, "replay", token, "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        raise CannotBuild(f"a replay broke: {done.stderr.strip() or done.stdout.strip()}")
    return {"status": done.returncode, **json.loads(done.stdout)}


def campaign(program: Path, target: Target, seed: int, executions: int, *options: str) -> Found:
    faults = () if "--faults" in options else ("--faults", target.program.faults)
    command = [program, "run", target.test, "--executions", executions, "--seed", seed, "--on-x86", "0", "--json",
               *faults, *target.program.options, *options]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3) or not done.stdout:
        raise CannotBuild(f"{target.test} did not run: {done.stderr.strip()}")
    (report,) = json.loads(done.stdout)["tests"]
    return Found(seed, report["verdict"], report["executions"], report["cpu_s"], len(report["story"]), report["token"], report["hash"],
                 report["what"])


def campaigns(program: Path, target: Target, seeds: int, executions: int, *options: str) -> list[Found]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda seed: campaign(program, target, seed, executions, *options), range(1, seeds + 1)))


def flaws(found: list[Found]) -> list[str]:
    """What the bar is not met in: each seed kills, soon, and its story is read."""
    killed = [it for it in found if it.verdict == "FAILURE"]
    missed = ["MISSED"] if len(killed) < len(found) else []
    return missed + engine_ways.over_the_bar([it.lines for it in killed], [it.cpu_s for it in found])


def row(name: str, target: Target, found: list[Found]) -> bool:
    """Prints it. True if the bar is met."""
    killed = [it for it in found if it.verdict == "FAILURE"]
    lines = max((it.lines for it in killed), default=0)
    executions = sorted(it.executions for it in found)
    seconds = sorted(it.cpu_s for it in found)
    wrong = flaws(found)
    remark = f"  {', '.join(wrong)}" if wrong else ""
    print(f"{name:28} {target.test:24} {len(killed):2}/{len(found)}  {statistics.median(executions):7.0f} {executions[-1]:6}"
          f"  {statistics.median(seconds):7.3f} {seconds[-1]:7.3f}  {lines:3}{remark}", flush=True)
    if not killed and any(it.verdict == "BROKEN" for it in found):
        print(f"  {next(it.what for it in found if it.verdict == 'BROKEN')}", flush=True)
    return not wrong


def heading() -> None:
    print(f"{'mutant':28} {'test':24} killed  executions     CPU seconds      story\n"
          f"{'':28} {'':24}         median  worst   median   worst  lines", flush=True)


def run(mutant: Mutant, where: Path, build_dir: Path, seeds: int, executions: int) -> tuple[bool, list[dict[str, Any]]]:
    """Whether each test that its header names found it with each seed, within the bar, and what they said."""
    wanted = targets(mutant)
    if not wanted:
        print(f"{mutant.name:28} not run: {mutant.header['engine'].removeprefix('none, ')}", flush=True)
        return True, []
    patched(mutant, where)
    programs = {program: build_program(mutant, where, program.path(build_dir)) for program in {target.program for target in wanted}}
    good, results = True, []
    for target in wanted:
        found = campaigns(programs[target.program], target, seeds, executions)
        good &= row(mutant.name, target, found)
        results.append({"test": target.test, "program": target.program.name, "runs": [vars(it) for it in found]})
    return good, results
