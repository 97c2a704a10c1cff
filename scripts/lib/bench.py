"""What Google Benchmark wrote, and what one may say from it: minima, medians, and their ratios."""

from __future__ import annotations

import json
import re
import statistics
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AGAIN = "-again"  # the same benchmark a second time: what ratio one gets when there is no difference
HOW = re.compile(r"/(?:iterations|grace_periods|callbacks|heads):\d+|/manual_time")
UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


class CannotCompare(Exception):
    """One line: what is wrong, and what to do."""


@dataclass
class Measured:
    """One run of the program: all repetitions of each benchmark, in nanoseconds, and its counters."""

    context: dict[str, Any]
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counters: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def of(self, name: str) -> list[float]:
        if name not in self.times:
            raise CannotCompare(f"the benchmark {name} was not run; build srcu_bench from these sources")
        return self.times[name]

    def counter(self, name: str, counter: str) -> list[float]:
        self.of(name)
        return self.counters[name][counter]


def time_of(entry: dict[str, Any]) -> float:
    """CPU time, unless the benchmark measured by itself."""
    which = "real_time" if entry["run_name"].endswith("/manual_time") else "cpu_time"
    return entry[which] * UNITS[entry["time_unit"]]


def read(text: str) -> Measured:
    """Refuses what a debug or sanitizer build measured."""
    try:
        found = json.loads(text)
        measured = Measured(found["context"])
        entries = [e for e in found["benchmarks"] if e["run_type"] == "iteration"]
    except (ValueError, KeyError, TypeError) as error:
        raise CannotCompare(f"this is not Google Benchmark's JSON ({error}); run srcu_bench with --benchmark_format=json") from error
    build = measured.context.get("srcu_build", "unknown")
    if build != "release":
        raise CannotCompare(f"srcu_bench is a {build} build, whose figures mean nothing beside others; build the preset release")
    for entry in entries:
        if entry.get("error_occurred"):
            raise CannotCompare(f"{entry['run_name']} failed: {entry.get('error_message')}")
        name = HOW.sub("", entry["run_name"])
        measured.times[name].append(time_of(entry))
        for key, value in entry.items():
            if isinstance(value, float) and not key.endswith("_time"):
                measured.counters[name][key].append(value)
    return measured


def read_file(path: Path) -> Measured:
    try:
        return read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotCompare(f"cannot read {path}: {error.strerror}") from error


def again(name: str) -> str:
    """The benchmark's second copy: read/urcu-memb/threads:1 -> read/urcu-memb-again/threads:1."""
    group, subject, *rest = name.split("/")
    return "/".join([group, subject + AGAIN, *rest])


@dataclass
class Ratio:
    """How many times as long `ours` takes, on minima and on medians."""

    minima: float
    medians: float

    @staticmethod
    def of(ours: list[float], theirs: list[float]) -> Ratio:
        return Ratio(min(ours) / min(theirs), statistics.median(ours) / statistics.median(theirs))

    @property
    def worse(self) -> float:
        return max(self.minima, self.medians)
