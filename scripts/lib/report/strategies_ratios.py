"""How much longer one thing takes than another, and whether that can be told at all.

judge.py decides, as for compare.py; here each process measured both sides, and each context has a benchmark that is measured
twice in each process. Too few processes, a loud machine, a percentile of too few samples, figures that jump: then there is a
reason, and no ratio.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

import numpy as np

from .judge import CANNOT_TELL, FASTER, LOUD, NONE, Series
from .judge import LEAST_RUNS as FEWEST_RUNS
from .judge import judge as decide
from .strategies import AGAIN, Strategies, enough, loud

WIDEST_SPREAD = 0.5  # the middle half of the processes, to their median
TAIL = 2  # by so much may the tails of distributions spread more, and differ more from themselves
NOT_MEASURED = "not measured"
NO_COPY = "no A/A copy"


@dataclass(frozen=True)
class At:
    """A number of a benchmark's."""

    name: str
    key: str

    @property
    def leeway(self) -> int:
        return TAIL if "_p99" in self.key else 1


@dataclass(frozen=True)
class Ratio:
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class Compared:
    """`why` is empty, or the reason why nothing can be told; then there is no ratio."""

    ratio: Ratio | None
    floor: Ratio | None  # the same against itself, in the same context; none if it was not measured twice there
    why: str = ""
    word: str = CANNOT_TELL

    @property
    def noise(self) -> str:
        """For tables."""
        return str(self.floor) if self.floor else NO_COPY if self.ratio else ""

    @property
    def said(self) -> str:
        if not self.ratio:
            return f"{CANNOT_TELL}: {self.why}"
        floor = f"the same against itself {self.floor}" if self.floor else NO_COPY
        return f"{self.ratio.value:.3g} times ({self.ratio.low:.3g} to {self.ratio.high:.3g}; {floor})"


def both(run: Strategies, ours: At, theirs: At) -> tuple[list[float], list[float]]:
    """Of those processes that measured both."""
    columns = [run.column(one.name, one.key) for one in (ours, theirs)]
    told = [pair for pair in zip(*columns) if not any(map(math.isnan, pair))]
    return [one for one, _ in told], [other for _, other in told]


def second_copies(run: Strategies, at: At) -> list[tuple[list[float], list[float]]]:
    """Of what is measured twice where this is: same family, same context, as many CPUs or posters."""
    family, _, *place = at.name.split("/")
    names = [words[1] for words in (name.split("/") for name in sorted(run.benchmarks))
             if words[0] == family and words[1].endswith(AGAIN) and words[2:] == place]
    pairs = [both(run, *(At("/".join([family, one, *place]), at.key) for one in (name.removesuffix(AGAIN), name))) for name in names]
    return [pair for pair in pairs if len(pair[0]) >= FEWEST_RUNS and min(map(min, pair)) > 0]


def copies(run: Strategies, ours: At, theirs: At) -> list[tuple[list[float], list[float]]]:
    """None, unless there are some at both places: another's noise says nothing."""
    found = [second_copies(run, at) for at in (ours, theirs)]
    return found[0] + found[1] if all(found) else []


def spread(values: list[float]) -> float:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float((high - low) / middle)


def too_few(runs: int) -> str:
    return f"too few processes, {runs} where it takes {FEWEST_RUNS}" if runs < FEWEST_RUNS else ""


def too_few_samples(run: Strategies, at: At) -> str:
    """For its percentile."""
    of = re.fullmatch(r"(.+)_p([\d.]+)_ns", at.key)
    count = run.median(at.name, f"{of[1]}_count") if of else None
    if of is None or count is None or enough(count, float(of[2])):
        return ""
    return f"too few samples for {of[2]} %, {count:g} a process"


def obstacle(run: Strategies, ours: At, theirs: At, mine: list[float], others: list[float]) -> str:
    if not mine:
        return NOT_MEASURED
    if loud(run):
        return "too loud"
    if too_few(len(mine)):
        return "too few processes"
    if why := too_few_samples(run, ours) or too_few_samples(run, theirs):
        return why
    if min(np.median(mine), np.median(others)) <= 0:
        return "too short for the clock"
    widest = max(spread(mine), spread(others))
    return f"half of the processes spread over {100 * widest:.0f} % of their median" if widest > ours.leeway * WIDEST_SPREAD else ""


def compare(run: Strategies, ours: At, theirs: At, bar: float = 1.0) -> Compared:
    """The word says on which side of `bar` times theirs it is."""
    mine, others = both(run, ours, theirs)
    if why := obstacle(run, ours, theirs, mine, others):
        return Compared(None, None, why)
    series = Series(ours.name, ours.key, [bar * one for one in others], mine, copies=copies(run, ours, theirs), paired=True)
    verdict = decide(series, loud=1 + ours.leeway * (LOUD - 1))
    floor = Ratio(*verdict.same) if verdict.same else None
    if verdict.ratio is None or verdict.interval is None:
        return Compared(None, floor, verdict.why)
    return Compared(Ratio(*(bar * one for one in (verdict.ratio, *verdict.interval))), floor, "", verdict.word)


@dataclass(frozen=True)
class Bar:
    """What a strategy may cost at most, as a multiple of something else in the same run."""

    says: str
    ours: At
    theirs: At
    most: float


@dataclass(frozen=True)
class Judged:
    bar: Bar
    compared: Compared

    @property
    def word(self) -> str:
        ratio = self.compared.ratio
        if not ratio:
            return f"{CANNOT_TELL}: {self.compared.why}"
        if self.compared.word == NONE:
            within = ratio.low <= self.bar.most <= ratio.high
            return f"{CANNOT_TELL}: {'the bar lies within the interval' if within else 'no further from the bar than the same came out from itself'}"
        return "met" if self.compared.word == FASTER else f"missed by {100 * (ratio.value / self.bar.most - 1):.0f} %"

    @property
    def tone(self) -> str:
        return {"met": "good", "missed": "bad"}.get(self.word.split()[0], "odd")


POSTS = {"a later post": "time_ns", "the post that asks": "first_p50_ns"}
# What is staged is drained after the post, when interrupts go on: the caller pays for that, too.
WITH_DRAIN = {f"{which}, its section and drain included": f"{kind}_with_context_p50_ns"
              for which, kind in zip(POSTS, ("later", "first"))}
LOCKS = ("rq_lock", "timer_base_lock", "pool_lock")


def bars() -> list[Bar]:
    found = []
    for which, key in POSTS.items():
        found.append(Bar(f"irq_work to direct, no lock held, {which}", At("post/irq_work/none", key), At("post/direct/none", key), 1.15))
    for which, key in {**POSTS, **WITH_DRAIN}.items():
        for lock in LOCKS:
            ours, theirs = At(f"post/nolock:irqs_off/{lock}", key), At("post/nolock:irqs_off/none", key)
            found.append(Bar(f"nolock, {lock} held, to nolock with none, {which}", ours, theirs, 3))
    for strategy in ("bpf_defer", "bpf_defer-node"):
        for which, key in POSTS.items():
            for context in ("none", *LOCKS, "nmi"):
                ours, theirs = (At(f"post/{one}/{context}", key) for one in (strategy, "nolock:irqs_off"))
                found.append(Bar(f"{strategy} to nolock, {context}, {which}", ours, theirs, 1.3))
    ours, theirs = (At(f"throughput/{one}/rq_lock/posters:1", "time_ns") for one in ("bpf_defer", "nolock:irqs_off"))
    found.append(Bar("bpf_defer to nolock, rq_lock, a callback all in all", ours, theirs, 1.3))
    for since, key in (("post", "start_p99_ns"), ("time meant for the post", "start_open_p99_ns")):
        found.append(Bar(f"{since} to start of grace period, 99 %, irq_work with rq_lock held to direct with none",
                         At("invoke/irq_work/rq_lock", key), At("invoke/direct/none", key), 3))
    return found


def judge(run: Strategies) -> list[Judged]:
    return [Judged(bar, compare(run, bar.ours, bar.theirs, bar.most)) for bar in bars()]
