"""From one number a process run to a word: faster, slower, no difference seen, or that it cannot be told, and why.

Of compare.py and of the page of strategies, by the same rules.

The ratio is of medians over runs. Its interval comes from resampling the runs of either side: within a process figures
depend on each other (one memory layout, one moment's clock rate), so runs are what was repeated; where each process measured
both sides, processes are drawn. A difference is spoken of if the interval lies wholly on one side of 1 and the ratio lies
beyond the noise floor, which is how far a second series of A came out from the first; where several were measured twice
beside what is compared, the worst of these pairs is the floor. Of simulated benchmarks that do not differ (false_alarms.py) a
99 % interval accuses one in 500, one of 95 % one in 100; at 99.9 % nine runs no longer show 20 %. The floor alone, a single
draw of what the machine does, accuses more than one in four. The page's pairs are accused more often (page_alarms.py), about
one in 80: their floor is of other benchmarks, which may scatter less than they do.
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, field
from functools import lru_cache

import numpy as np

CONFIDENCE = 0.99
RESAMPLES = 4000
LEAST_RUNS = 9
LEAST_FIGURE, LARGEST_FIGURE = 1e-9, 1e20
LEAST_DIFFERENCE = 1.01  # less comes from where the linker puts functions
LOUD = 1.25  # two series of the same may differ by this factor: what such a machine does not show says nothing

FASTER, SLOWER, NONE, CANNOT_TELL = "faster", "slower", "no difference seen", "cannot tell"
SMALLER, LARGER = "smaller", "larger"  # for what is no time
WORSE = (SLOWER, LARGER)


@dataclass
class Series:
    """One number a process run and side: what it cost, so that more is worse."""

    name: str
    metric: str
    a: list[float]
    b: list[float]
    again: list[float] | None = None  # A's second series; none where files were not accompanied by one
    is_time: bool = True
    copies: list[tuple[list[float], list[float]]] = field(default_factory=list)  # the same twice, where that is not A and again
    paired: bool = False  # the first of each side are of one process, and so on
    obstacle: str = ""  # why figures of this kind say nothing, however many there are

    def same(self) -> list[tuple[list[float], list[float]]]:
        return self.copies or ([] if self.again is None else [(self.a, self.again)])


@dataclass
class Verdict:
    """Without a ratio where it would say nothing."""

    word: str
    why: str = ""
    ratio: float | None = None
    interval: tuple[float, float] | None = None
    floor: float | None = None  # a factor, 1 or more
    same: tuple[float, float, float] | None = None  # the same against itself: the ratio, and its interval


@dataclass
class Noise:
    """How far the same came out from itself, and how far it could come to; and where that was measured, as a ratio."""

    floor: float
    reach: float
    same: tuple[float, float, float] | None = None


@lru_cache(maxsize=16)
def draws(runs: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, runs, (RESAMPLES, runs))


def resampled(values: list[float], seed: int) -> np.ndarray:
    """Medians of as many runs, drawn from these with replacement."""
    return np.median(np.asarray(values)[draws(len(values), seed)], axis=1)


def middle_of(draws_of: np.ndarray) -> tuple[float, float]:
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(draws_of, [tail, 100 - tail])
    return float(low), float(high)


def interval(a: list[float], b: list[float], seed: int, paired: bool = False) -> tuple[float, float]:
    """What the ratio of b's median to a's could as well have been. The sides are drawn apart from each other, or together."""
    return middle_of(resampled(b, 2 * seed + (not paired)) / resampled(a, 2 * seed))


def interval_of_median(values: list[float], seed: int = 1) -> tuple[float, float]:
    return middle_of(resampled(values, seed))


def either_way(ratio: float) -> float:
    """As a factor of 1 or more, whichever side is larger."""
    return max(ratio, 1 / ratio)


def noise(series: Series, seed: int) -> Noise:
    """Without a second series only how far two of A could come to differ is known."""
    if not (pairs := series.same()):
        low, high = interval(series.a, series.a, seed)
        reach = max(1 / low, high)
        return Noise(max(reach, LEAST_DIFFERENCE), reach)
    found = [(statistics.median(two) / statistics.median(one), *interval(one, two, seed, series.paired)) for one, two in pairs]
    reach = max(max(1 / low, high) for _, low, high in found)
    worst = max(found, key=lambda one: either_way(one[0]))
    return Noise(max(either_way(worst[0]), LEAST_DIFFERENCE), reach, worst)


def judge(series: Series, seed: int = 1, loud: float = LOUD) -> Verdict:
    if series.obstacle:
        return Verdict(CANNOT_TELL, series.obstacle)
    sides = [series.a, series.b, *(side for pair in series.same() for side in pair)]
    least = min(len(side) for side in sides)
    if least < LEAST_RUNS:
        return Verdict(CANNOT_TELL, f"too few runs: {least} of at least {LEAST_RUNS} a side")
    if not all(LEAST_FIGURE <= value <= LARGEST_FIGURE for side in sides for value in side):
        return Verdict(CANNOT_TELL, "a figure of 0, or one that is no number or beyond all measure, has no ratio")
    low, high = interval(series.a, series.b, seed, series.paired)
    against = noise(series, seed)
    floor, reach = against.floor, against.reach
    ratio = statistics.median(series.b) / statistics.median(series.a)
    seen = (low > 1 or high < 1) and either_way(ratio) > floor
    if reach > loud and not (seen and either_way(ratio) > reach):
        return Verdict(CANNOT_TELL, f"loud machine or benchmark: two series of A could come to differ by {100 * (reach - 1):.0f} %", floor=floor,
                       same=against.same)
    words = (SLOWER, FASTER) if series.is_time else (LARGER, SMALLER)
    word = NONE if not seen else words[0] if ratio > 1 else words[1]
    return Verdict(word, "", ratio, (low, high), floor, against.same)
