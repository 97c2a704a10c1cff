"""What is compared: the process runs of each side, and which benchmark of one side belongs to which of the other."""

from __future__ import annotations

import difflib
import re
import statistics
from dataclasses import dataclass, field
from typing import Any

from ..bench import TIMES, CannotCompare, Measured, own_metric
from ..report.judge import Series
from ..report.strategies import enough

AGAIN = "A again"
MANY = 12  # names in a message
NANOSECONDS = {"_ns": 1.0, "_us": 1e3, "_ms": 1e6, "_s": 1e9}
RATES = ("_per_second", "_per_s")  # the latter ends as seconds do
WALKS = ("deferral/",)  # what they say is how often posts were deferred; their time is that of walking a model
PERCENTILE = re.compile(r"(?:(.+)_)?p([\d.]+)_ns")


@dataclass
class Side:
    """One side's runs, in the order of the rounds."""

    label: str  # A, B or A again
    what: str  # the file, commit or strategy
    runs: list[Measured] = field(default_factory=list)
    subject: str = ""  # where two subjects of one program are compared: this side's, the second part of its benchmarks' names

    def key(self, name: str) -> str:
        """What both sides call it: post/direct/none -> post/*/none."""
        group, *rest = name.split("/")
        return "/".join([group, "*", *rest[1:]]) if self.subject and rest[:1] == [self.subject] else name

    def names(self) -> dict[str, str]:
        """Own names by key, of what all runs have."""
        common = set.intersection(*(set(run.times) for run in self.runs)) if self.runs else set()
        return {self.key(name): name for run in self.runs[:1] for name in run.times if name in common}


@dataclass
class Compared:
    """All that a comparison knows before it is judged."""

    kind: str
    sides: list[Side]  # A, B, and perhaps A again
    series: list[Series]
    seed: int
    facts: dict[str, Any] = field(default_factory=dict)
    only: dict[str, list[str]] = field(default_factory=dict)  # what one side alone has


def nearest(word: str, words: list[str]) -> str:
    close = difflib.get_close_matches(word, sorted(set(words)), 3, 0.4)
    return f"; nearest: {', '.join(close)}" if close else ""


def left_out(families: tuple[str, ...]) -> str:
    """For messages."""
    return f", {' and '.join(families)} left out, which --metric may ask for" if families else ""


def is_time(metric: str) -> bool:
    return not metric or metric in TIMES or metric.endswith((*NANOSECONDS, *RATES))


def cost(metric: str, value: float) -> float:
    """Nanoseconds, of a rate those for one item, so that more is always worse; what is no time stays as it is."""
    if metric.endswith(RATES):
        return 1e9 / value if value > 0 else 0.0
    if metric in TIMES:
        return value
    return value * next((size for end, size in NANOSECONDS.items() if metric.endswith(end)), 1.0)


def figures(side: Side, name: str, metric: str) -> list[float]:
    """One number a process run: the median of its repetitions. None if this benchmark does not give that metric."""
    found = [run.counter(name, metric) if metric else run.of(name) for run in side.runs]
    return [cost(metric, statistics.median(values)) for values in found] if all(found) else []


def too_few_samples(sides: list[tuple[Side, str]], metric: str) -> str:
    """Of which each process took its percentile; empty where that is no percentile, or nobody counted."""
    if not (found := PERCENTILE.fullmatch(metric)):
        return ""
    counter, percent = f"{found[1]}_count" if found[1] else "count", float(found[2])
    counts = [count for side, name in sides for run in side.runs for count in run.counter(name, counter)]
    return "" if not counts or enough(min(counts), percent) else f"p{found[2]} of {min(counts):.0f} samples"


def series_of(key: str, own: list[tuple[Side, str]], metric: str) -> Series | None:
    """None if this benchmark does not give that metric on each side. Without one, what all sides say of themselves."""
    if not metric:
        themselves = {own_metric(run, name) for side, name in own for run in side.runs}
        metric = themselves.pop() if len(themselves) == 1 else ""
    numbers = [figures(side, name, metric) for side, name in own]
    if not all(numbers):
        return None
    return Series(key, metric, numbers[0], numbers[1], numbers[2] if numbers[2:] else None, is_time(metric),
                  obstacle=too_few_samples(own, metric))


def paired(kind: str, sides: list[Side], metrics: list[str], seed: int, facts: dict[str, Any], without: tuple[str, ...] = ()) -> Compared:
    """Benchmarks that all sides have, less those of some families. The metric "" is each benchmark's own."""
    names = [{key: name for key, name in side.names().items() if not name.startswith(without)} for side in sides]
    common = [key for key in names[0] if all(key in other for other in names)]
    if not common:
        raise CannotCompare(f"{sides[0].what} and {sides[1].what} have no benchmark in common"
                            + nearest(next(iter(names[0]), ""), list(names[1])) + left_out(without))
    series = []
    for metric in metrics:
        found = [series_of(key, [(side, own[key]) for side, own in zip(sides, names)], metric) for key in common]
        series += [one for one in found if one]
        if not any(found):
            known = sorted({counter for run in sides[0].runs for own in run.counters.values() for counter in own})
            some = ", ".join(known[:MANY]) + (", and so on" if len(known) > MANY else "")
            raise CannotCompare(f"no benchmark here gives {' '.join(metric.split())}{nearest(metric, known)}; there are {some}")
    only = {side.label: [own[key] for key in own if key not in common] for side, own in zip(sides, names)}
    return Compared(kind, sides, series, seed, facts, {label: found for label, found in only.items() if found})
