"""How often the page of strategies calls the same different, by its own rule: each process measures all, and some of it twice.

Simulated, as false_alarms.py's: what the machine does meets each process, and a burst of other work often a part of it only.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..report.judge import LEAST_RUNS
from ..report.strategies import AGAIN, Columns, Strategies
from ..report.strategies_ratios import At, compare
from .false_alarms import Tally, benchmark, machine

CONTEXTS = ("none", "rq_lock")
FIRST, OTHERS = "direct", ("b", "c", "d", "e", "f")
MIDDLE, TAIL = "time_ns", "start_p99_ns"
SCATTER = {MIDDLE: (0.02, 0.2), TAIL: (0.1, 0.5)}  # as copies do in a process of results/reference/strategies
SAMPLES = 2000
SLOTS = 3  # of a process, in each of which the machine may do something else


def name(strategy: str, context: str) -> str:
    return f"invoke/{strategy}/{context}"


def simulated_run(seed: int, effect: float = 1.0, runs: int = LEAST_RUNS) -> Strategies:
    """In which the others take `effect` times as long as the first, and under a lock once more."""
    draw = np.random.default_rng(seed)
    names = [name(strategy, context) for context in CONTEXTS for strategy in (FIRST, FIRST + AGAIN, *OTHERS)]
    shared = machine(draw, runs * SLOTS).reshape(runs, SLOTS)
    places = [draw.permutation(len(names)) * SLOTS // len(names) for _ in range(runs)]
    moments = {one: np.array([shared[run][places[run][at]] for run in range(runs)]) for at, one in enumerate(names)}
    found: dict[str, Columns] = {one: {"start_count": [SAMPLES] * runs} for one in names}
    for key, scatter in SCATTER.items():
        alike = {one: float(np.exp(draw.uniform(*np.log(scatter)))) for one in names}
        for one in names:
            factor = 1.0 if f"/{FIRST}" in one else effect if one.endswith(CONTEXTS[0]) else effect**2
            found[one][key] = list(factor * benchmark(draw, moments[one], alike[one.replace(AGAIN, "")]))
    return Strategies(Path(), {}, {}, {}, found, {}, runs)


def pairs(key: str) -> list[tuple[At, At]]:
    """One strategy with the first in the same context; and with itself, in one context and in the other."""
    none, lock = CONTEXTS
    beside = [(At(name(one, none), key), At(name(FIRST, none), key)) for one in OTHERS]
    return beside + [(At(name(one, lock), key), At(name(one, none), key)) for one in OTHERS]


def simulated(comparisons: int, key: str, effect: float = 1.0, first_seed: int = 1) -> Tally:
    tally = Tally()
    for seed in range(first_seed, first_seed + comparisons):
        run = simulated_run(seed, effect)
        tally.count([compare(run, ours, theirs).word for ours, theirs in pairs(key)])
    return tally


def tallies(comparisons: int, slower_seed: int) -> dict[str, Tally]:
    return {f"page_{what}{words}": simulated(comparisons, key, effect, seed)
            for words, effect, seed in (("", 1.0, 1), ("_20_percent_slower", 1.2, slower_seed))
            for what, key in (("medians", MIDDLE), ("p99s", TAIL))}
