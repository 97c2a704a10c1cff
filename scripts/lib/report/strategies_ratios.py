"""How much dearer one thing is than another, and whether that can be told at all.

A ratio is that of medians over processes, with a bootstrap interval over the same; beside it stands what one benchmark gives that is
measured twice in each process. Too few processes, a loud machine, figures that jump: then there is a reason, and no ratio.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from .strategies import AGAIN, Strategies

FEWEST_RUNS = 9
WIDEST_SPREAD = 0.5  # the middle half of the processes, to their median
LARGEST_FLOOR = 1.25
TAIL = 2  # by so much may the tails of distributions spread more, and differ more from themselves
RESAMPLES = 2000
NOT_MEASURED = "not measured"


@dataclass(frozen=True)
class At:
    """A number of a benchmark's."""

    name: str
    key: str

    @property
    def leeway(self) -> int:
        return TAIL if "_p99" in self.key else 1

    @property
    def context(self) -> str:
        return self.name.split("/")[2]


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
    floor: Ratio | None
    why: str = ""

    @property
    def noise(self) -> float:
        return max(self.floor.value, 1 / self.floor.value) if self.floor else 1.0

    @property
    def word(self) -> str:
        """Whether the interval lies beyond what noise makes of no difference."""
        if not self.ratio:
            return "cannot tell"
        return "dearer" if self.ratio.low > self.noise else "cheaper" if self.ratio.high < 1 / self.noise else "no difference seen"

    @property
    def said(self) -> str:
        if not self.ratio:
            return f"cannot tell: {self.why}"
        floor = f"; the same against itself {self.floor.value:.3g}" if self.floor else ""
        return f"{self.ratio.value:.3g} times ({self.ratio.low:.3g} to {self.ratio.high:.3g}{floor})"


@functools.cache
def draws(runs: int) -> np.ndarray:
    """The same for all ratios, and for each time the page is made."""
    return np.random.default_rng(1).integers(0, runs, (RESAMPLES, runs))


def ratio_of(ours: np.ndarray, theirs: np.ndarray) -> Ratio:
    at = draws(len(ours))
    with np.errstate(divide="ignore", invalid="ignore"):
        many = np.median(ours[at], axis=1) / np.median(theirs[at], axis=1)
    low, high = np.quantile(many[np.isfinite(many)], (0.025, 0.975))
    return Ratio(float(np.median(ours) / np.median(theirs)), float(low), float(high))


def both(run: Strategies, ours: At, theirs: At) -> tuple[np.ndarray, np.ndarray]:
    """Of those processes that measured both."""
    columns = [np.array(run.column(one.name, one.key), dtype=float) for one in (ours, theirs)]
    if min(map(len, columns)) == 0:
        return np.array([]), np.array([])
    told = ~np.isnan(columns[0]) & ~np.isnan(columns[1])
    return columns[0][told], columns[1][told]


def floor_of(run: Strategies, ours: At, theirs: At) -> Ratio | None:
    """Of the pair that has a second copy, where the two callers are; with interrupts off if that is neither's place."""
    family = ours.name.split("/")[0]
    context = "none" if ours.context == theirs.context == "none" else "irqs_off"
    one, other = At(f"{family}/direct{AGAIN}/{context}", ours.key), At(f"{family}/direct/{context}", ours.key)
    again, first = both(run, one, other)
    return ratio_of(again, first) if len(first) >= FEWEST_RUNS and np.median(first) > 0 and np.median(again) > 0 else None


def spread(values: np.ndarray) -> float:
    low, middle, high = np.quantile(values, (0.25, 0.5, 0.75))
    return float((high - low) / middle)


def loud(run: Strategies) -> str:
    load, cpus = run.load
    return f"the machine was loud, with a load of {load:g} on {cpus:g} CPUs at the start" if cpus and load > cpus else ""


def too_few(runs: int) -> str:
    return f"too few processes, {runs} where it takes {FEWEST_RUNS}" if runs < FEWEST_RUNS else ""


def obstacle(run: Strategies, ours: np.ndarray, theirs: np.ndarray, leeway: int) -> str:
    if not len(ours):
        return NOT_MEASURED
    if loud(run):
        return "loud machine"
    if too_few(len(ours)):
        return "too few processes"
    if min(np.median(ours), np.median(theirs)) <= 0:
        return "too short for the clock"
    widest = max(spread(ours), spread(theirs))
    return f"half of the processes spread over {100 * widest:.0f} % of their median" if widest > leeway * WIDEST_SPREAD else ""


def compare(run: Strategies, ours: At, theirs: At) -> Compared:
    mine, others = both(run, ours, theirs)
    if why := obstacle(run, mine, others, ours.leeway):
        return Compared(None, None, why)
    floor = floor_of(run, ours, theirs)
    if floor and max(floor.value, 1 / floor.value) > 1 + ours.leeway * (LARGEST_FLOOR - 1):
        return Compared(None, floor, f"the same against itself gives {floor.value:.3g}")
    return Compared(ratio_of(mine, others), floor)


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
            return f"cannot tell: {self.compared.why}"
        if ratio.low <= self.bar.most < ratio.high:
            return "cannot tell: the bar lies within the interval"
        return "met" if ratio.high <= self.bar.most else f"missed by {100 * (ratio.value / self.bar.most - 1):.0f} %"

    @property
    def tone(self) -> str:
        return {"met": "good", "missed": "bad"}.get(self.word.split()[0], "odd")


POSTS = {"a later post": "time_ns", "the post that asks": "first_p50_ns"}
LOCKS = ("rq_lock", "timer_base_lock", "pool_lock")


def bars() -> list[Bar]:
    found = []
    for which, key in POSTS.items():
        found.append(Bar(f"irq_work to direct, no lock held, {which}", At("post/irq_work/none", key), At("post/direct/none", key), 1.15))
        for lock in LOCKS:
            ours, theirs = At(f"post/nolock:irqs_off/{lock}", key), At("post/nolock:irqs_off/none", key)
            found.append(Bar(f"nolock, {lock} held, to nolock with none, {which}", ours, theirs, 3))
        for context in ("none", *LOCKS, "nmi"):
            ours, theirs = (At(f"post/{strategy}/{context}", key) for strategy in ("bpf_defer", "nolock:irqs_off"))
            found.append(Bar(f"bpf_defer to nolock, {context}, {which}", ours, theirs, 1.3))
    p99 = "start_p99_ns"
    found.append(Bar("post to start of grace period, 99 %, irq_work with rq_lock held to direct with none",
                     At("invoke/irq_work/rq_lock", p99), At("invoke/direct/none", p99), 3))
    return found


def judge(run: Strategies) -> list[Judged]:
    return [Judged(bar, compare(run, bar.ours, bar.theirs)) for bar in bars()]
