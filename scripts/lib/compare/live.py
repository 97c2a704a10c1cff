"""Runs programs by turns, each benchmark once a process run."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..bench import HOW, CannotCompare, CouldNotMeasure, Measured, call, exactly, run
from ..strategies.quiet import watched
from .loudness import others_were_busy
from .schedule import rounds
from .sides import Side, left_out, nearest

POLL_S = 5


@dataclass
class Effort:
    """How often and how long."""

    runs: int = 9
    repetitions: int = 3
    min_time: float = 0.02
    seed: int = 1

    def options(self) -> list[str]:
        return [f"--benchmark_repetitions={self.repetitions}", f"--benchmark_min_time={self.min_time}",
                "--benchmark_enable_random_interleaving=true"]


@dataclass
class Subject:
    """A side before it has run: a program, and which of its benchmarks."""

    side: Side
    program: Path
    names: dict[str, str]  # as the program lists them, by key


def say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def too_loud() -> str:
    """In words; empty if the CPUs are not overbooked."""
    load, cpus = os.getloadavg()[0], os.cpu_count() or 1
    return f"load {load:.1f} on {cpus} CPUs" if load > cpus else ""


def wait_until_quiet(patience_s: float) -> None:
    end = time.monotonic() + patience_s
    while loud := too_loud():
        if time.monotonic() >= end:
            raise CouldNotMeasure(f"cannot tell: loud machine ({loud}); stop what else runs, or give --any-load")
        say(f"waiting for a quiet machine: {loud}")
        time.sleep(min(POLL_S, max(0.0, end - time.monotonic())))


def pattern_of(words: str) -> re.Pattern[str]:
    try:
        return re.compile(words)
    except re.error as error:
        raise CannotCompare(f"--filter {words} is no regular expression: {error}") from error


def listed(program: Path, words: str, side: Side, contexts: list[str] | None = None, without: tuple[str, ...] = ()) -> dict[str, str]:
    """The program's benchmarks that the filter matches, by key; of one subject, and in these contexts, if any are named; less
    those of some families."""
    wanted = pattern_of(words)
    every = [(name, [*name.split("/"), "", ""]) for name in call(program, "--benchmark_list_tests").split()]
    own = [(name, parts) for name, parts in every if side.subject in ("", parts[1])]
    if not own:
        raise CannotCompare(f"{program} has no benchmark of {side.subject}{nearest(side.subject, [parts[1] for _, parts in every])}")
    unknown = set(contexts or []) - {parts[2] for _, parts in own}
    if unknown:
        raise CannotCompare(f"{side.subject} has no benchmark in the context {', '.join(sorted(unknown))}; "
                            f"there are {', '.join(sorted({parts[2] for _, parts in own if parts[2]}))}")
    found = {side.key(HOW.sub("", name)): name for name, parts in own
             if wanted.search(name) and (not contexts or parts[2] in contexts) and not name.startswith(without)}
    if not found:
        raise CannotCompare(f"no benchmark of {program} matches {words}{nearest(words, [name for name, _ in own])}{left_out(without)}")
    return found


def common(subjects: list[Subject]) -> list[str]:
    keys = [key for key in subjects[0].names if all(key in subject.names for subject in subjects)]
    if not keys:
        raise CannotCompare(f"{subjects[0].side.what} and {subjects[1].side.what} have no benchmark in common that --filter matches")
    return keys


def measure(subjects: list[Subject], effort: Effort, any_load: bool = False, tell: Callable[[str], None] = say) -> None:
    """Fills each side's runs. A short run of each comes first: the wrong build says so, and the files are in memory. Runs
    beside which others wanted the CPUs are run again, up to a third of them all; the rest stays, loud as it is."""
    keys = common(subjects)
    filters = {id(subject): exactly([subject.names[key] for key in keys]) for subject in subjects}
    for subject in subjects[:2]:
        run(subject.program, exactly([subject.names[keys[0]]]), "--benchmark_min_time=0.001")
    tries = 0 if any_load else effort.runs * len(subjects) // 3
    start = time.monotonic()
    for number, order in enumerate(rounds(subjects, effort.runs, effort.seed), 1):
        for subject in order:
            measured = one_run(subject, filters[id(subject)], effort)
            while tries and (busy := others_were_busy(measured)):
                tell(f"{busy}; once more")
                tries -= 1
                measured = one_run(subject, filters[id(subject)], effort)
            subject.side.runs.append(measured)
        took = time.monotonic() - start
        tell(f"round {number} of {effort.runs}, {took * (effort.runs - number) / number:.0f} s left")


def one_run(subject: Subject, names: str, effort: Effort) -> Measured:
    return watched(lambda: run(subject.program, names, *effort.options()))
