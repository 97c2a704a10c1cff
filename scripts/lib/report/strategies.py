"""A run directory of scripts/strategies.py: what each way of deferring costs. Any file may be missing, cut or foreign."""

from __future__ import annotations

import math
import re
import statistics
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .load import RunDir
from .text import json_object, member, number

CONTEXTS = ("none", "irqs_off", "rq_lock", "timer_base_lock", "pool_lock", "nmi")
WORDS = {"none": "no lock held", "irqs_off": "interrupts off", "rq_lock": "runqueue's lock", "timer_base_lock": "timer base's lock",
         "pool_lock": "worker pool's lock", "nmi": "NMI"}
PERCENTS = (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9)
AGAIN = "-again"
MOST_BENCHMARKS, MOST_RUNS = 2000, 200
# As the program lists them; others come after.
ORDER = ("direct", "rc4", "delayed", "irq_work", "defer_nmi", "defer_irqoff", "nolock:always", "nolock:irqs_off", "nolock:in_nmi",
         "nolock:held_lock_table", "nolock:lock_bit", "bpf_defer", "bpf_defer-node", "tasks_trace_legacy", "tasks_trace")
LEAST_BEYOND = 10  # samples beyond a percentile, for it to say anything
OTHERS = 0.15  # of the CPUs: more than this may nobody else keep busy while a process measures
TOO_FEW = "too few"
Columns = dict[str, list[float]]


def enough(count: float, percent: float) -> bool:
    """For a percentile, on whichever side of the middle it is."""
    return count * min(percent, 100 - percent) / 100 >= LEAST_BEYOND - 1e-6


def rank(strategy: str) -> tuple[int, str]:
    return (ORDER.index(strategy) if strategy in ORDER else len(ORDER), strategy)


@dataclass
class Strategies(RunDir):
    """Of a measurement of strategies: an entry a process of each number, or nan."""

    benchmarks: dict[str, Columns]
    counted: dict[str, Any]
    runs: int
    loads: list[float] = field(default_factory=list)  # the load average as each process began: its predecessors count
    others: list[float] = field(default_factory=list)  # how many CPUs anybody else kept busy meanwhile; nan: not known

    def column(self, name: str, key: str) -> list[float]:
        return self.benchmarks.get(name, {}).get(key, [])

    def values(self, name: str, key: str) -> list[float]:
        return [value for value in self.column(name, key) if not math.isnan(value)]

    def median(self, name: str, key: str) -> float | None:
        """Over the processes."""
        values = self.values(name, key)
        return statistics.median(values) if values else None

    def quantile(self, name: str, kind: str, percent: float) -> float | str | None:
        """The median over the processes, if each has samples enough; if only all together have, theirs, which for the middle is as good as
        the processes' middles; or TOO_FEW."""
        value, count = self.median(name, f"{kind}_p{percent:g}_ns"), self.median(name, f"{kind}_count")
        if count is None or enough(count, percent) or (percent == 50 and enough(count * self.runs, percent)):
            return value
        pooled = self.median(name, f"{kind}_all_p{percent:g}_ns")
        return pooled if pooled is not None else TOO_FEW

    def subjects(self, family: str, *rest: str) -> list[str]:
        """The strategies that a family has measured, in their order; with a context, or more, there."""
        found = {words[1] for words in (name.split("/") for name in self.benchmarks)
                 if words[0] == family and len(words) > 1 and tuple(words[2 : 2 + len(rest)]) == rest}
        return sorted((one for one in found if not one.endswith(AGAIN) and "+" not in one), key=rank)

    def contexts(self, family: str) -> list[str]:
        found = dict.fromkeys(words[2] for words in (name.split("/") for name in self.benchmarks) if words[0] == family and len(words) > 2)
        return [c for c in CONTEXTS if c in found] + sorted(c for c in found if c not in CONTEXTS)

    def steps(self, family: str, strategy: str, context: str, what: str) -> list[int]:
        """How far a benchmark scales: the N of all its /what:N."""
        start = f"{family}/{strategy}/{context}/{what}:"
        return sorted(int(name[len(start) :]) for name in self.benchmarks if name.startswith(start) and name[len(start) :].isdigit())

    def all_posted(self, name: str) -> bool:
        """Whether as many threads came to post in every process as the name says: otherwise the number is that of fewer."""
        posters, active = name.rpartition(":")[2], self.values(name, "active_posters")
        return not active or not posters.isdigit() or min(active) >= int(posters)

    def counts(self, at: str, kind: str, what: str) -> str:
        """Of the two that were taken; both where they differ by more than a hundredth; empty if there are none."""
        values = member(member(member(self.counted, "posts"), at), kind).get(what)
        both = [number(value, -1) for value in values] if isinstance(values, list) else []
        both = [value for value in both if value >= 0]
        if not both:
            return ""
        low, high = min(both), max(both)
        return f"{low:,.4g}" if high - low <= 0.01 * high else f"{low:,.4g} to {high:,.4g}"

    @property
    def load(self) -> tuple[float, float]:
        """At the start, and how many CPUs there were to carry it; 0 if that is not known."""
        machine = member(self.manifest, "machine")
        return number(member(machine, "load").get("at the start")), number(member(machine, "cpu").get("count"))


def loud(run: Strategies) -> str:
    """In words; empty if nobody else was seen to want the CPUs."""
    return loudness(*run.load, run.others)


def loudness(load: float, cpus: float, others: list[float]) -> str:
    """The same of a load at the start, and of what others kept busy during each process; nan: not known."""
    if cpus and load > cpus:
        return f"the machine was too loud, with a load of {load:g} on {cpus:g} CPUs at the start"
    if cpus and (many := [value for value in others if value > OTHERS * cpus]):
        return (f"the machine was too loud: in {len(many)} of {len(others)} processes others kept more than {OTHERS * cpus:g} of {cpus:g} "
                f"CPUs busy, up to {max(many):.2g}")
    return ""


def is_strategies(path: Path) -> bool:
    return json_object(path / "plan.json").get("kind") == "strategies"


def finite(values: object, runs: int) -> list[float]:
    """A single number is that of all processes."""
    entries = values if isinstance(values, list) else [values] * runs
    numbers = [number(value, math.nan) for value in entries[:runs]]
    return [value if value >= 0 else math.nan for value in numbers] + [math.nan] * (runs - len(numbers))


def columns_of(raw: object, runs: int) -> Columns:
    return {key: finite(values, runs) for key, values in raw.items()} if isinstance(raw, dict) else {}


def is_name(name: str) -> bool:
    """Three words or more: what else there is cannot be placed in any table."""
    return bool(re.fullmatch(r"[^/]+/[^/]+/[^/]+(/[^/]+)?", name))


def load_strategies(path: Path) -> Strategies:
    found = json_object(path / "strategies.json")
    processes = found.get("runs")
    each = [one if isinstance(one, dict) else {} for one in processes[:MOST_RUNS]] if isinstance(processes, list) else []
    runs = len(each)
    names = list(member(found, "benchmarks").items())[:MOST_BENCHMARKS]
    benchmarks = {name: columns_of(raw, runs) for name, raw in names if is_name(name)}
    return Strategies(path, json_object(path / "plan.json"), json_object(path / "manifest.json"), json_object(path / "verdict.json"),
                      benchmarks, member(found, "counted"), runs, *([number(one.get(key), math.nan) for one in each]
                                                                    for key in ("load", "others")))
