"""How often the same, compared with the same, is called different; and how often a real difference is seen.

Simulated: each comparison has a machine of its own, whose clock rate drifts, which is busy with something else for some of
the process runs in a row, and some benchmarks, which scatter from run to run by amounts of their own and now and then give
an outlier. Real: the same program on all sides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np

from ..report.judge import CANNOT_TELL, LEAST_RUNS, NONE, Series, Verdict, judge
from .schedule import rounds

BENCHMARKS = 10  # a simulated comparison
SIDES = ("A", "B", "A again")
SCATTER = (0.003, 0.08)  # lognormal, from run to run; each benchmark's own
OUTLIERS = 0.03  # of runs
DRIFT = 0.08  # at most, from the first run to the last
BURSTY = 0.4  # of comparisons


@dataclass
class Tally:
    """Comparisons, and single benchmarks in them."""

    comparisons: int = 0
    with_alarm: int = 0
    benchmarks: int = 0
    alarms: int = 0
    cannot_tell: int = 0

    def count(self, words: list[str]) -> None:
        alarms = sum(word not in (NONE, CANNOT_TELL) for word in words)
        self.comparisons += 1
        self.with_alarm += alarms > 0
        self.benchmarks += len(words)
        self.alarms += alarms
        self.cannot_tell += words.count(CANNOT_TELL)


def machine(draw: np.random.Generator, runs: int) -> np.ndarray:
    """What it makes of every benchmark of a process run: drift, and a burst of other work."""
    factors = 1 + draw.uniform(-DRIFT, DRIFT) * np.arange(runs) / runs
    if draw.random() < BURSTY:
        start, length = draw.integers(0, runs), draw.integers(2, 7)
        factors[start : start + length] *= draw.uniform(1.05, 1.5)
    return factors


def benchmark(draw: np.random.Generator, shared: np.ndarray, scatter: float) -> np.ndarray:
    own = np.exp(draw.normal(0, scatter, len(shared)))
    outliers = np.where(draw.random(len(shared)) < OUTLIERS, draw.uniform(1.2, 3, len(shared)), 1.0)
    return 100 * shared * own * outliers


def simulated_comparison(seed: int, effect: float = 1.0, runs: int = LEAST_RUNS) -> list[Series]:
    """In which B takes `effect` times as long as A."""
    draw = np.random.default_rng(seed)
    order = [side for turn in rounds(list(SIDES), runs, seed) for side in turn]
    places = {side: [i for i, other in enumerate(order) if other == side] for side in SIDES}
    shared = machine(draw, len(order))
    found = []
    for number in range(BENCHMARKS):
        times = benchmark(draw, shared, float(np.exp(draw.uniform(*np.log(SCATTER)))))
        a, b, again = (times[places[side]] for side in SIDES)
        found.append(Series(f"simulated/{number}", "", list(a), list(b * effect), list(again)))
    return found


def simulated(comparisons: int, effect: float = 1.0, first_seed: int = 1) -> Tally:
    tally = Tally()
    for seed in range(first_seed, first_seed + comparisons):
        tally.count([judge(series, seed).word for series in simulated_comparison(seed, effect)])
    return tally


def real(comparisons: int, compare: Callable[[int], list[Verdict]]) -> Tally:
    """`compare` runs one with this seed."""
    tally = Tally()
    for seed in range(1, comparisons + 1):
        tally.count([verdict.word for verdict in compare(seed)])
    return tally


def document(found: dict[str, Tally]) -> str:
    """As Markdown. Alarms of what does differ are no false ones."""
    lines = ["# How often compare.py is wrong", "",
             "The same compared with the same; and, for what it misses, simulated comparisons in which B is 20 % slower. Rows that begin",
             "with page are by the rule of the page of strategies: pairs of one process, beside benchmarks that each process measures twice.", "",
             "| | comparisons | with any difference seen | benchmarks | called different | cannot tell |", "|---|---|---|---|---|---|"]
    lines += [f"| {name.replace('_', ' ')} | {' | '.join(map(str, asdict(tally).values()))} |" for name, tally in found.items()]
    return "\n".join([*lines, ""])
