"""compare.py's judgement, and in which order it runs what it compares."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from lib.compare import false_alarms
from lib.report.judge import Series, draws, judge
from lib.compare.schedule import rounds

SIDES = ["A", "B", "A again"]
QUIET = [100, 101, 99, 100, 102, 98, 100, 101, 99]
BUSY = [100, 140, 70, 100, 150, 65, 100, 140, 70]


def times(factor: float, values: list[float] = QUIET) -> list[float]:
    return [factor * value for value in values]


def test_each_round_runs_every_side_and_the_next_is_its_mirror() -> None:
    order = rounds(SIDES, 9, seed=5)
    assert len(order) == 9 and all(sorted(turn) == sorted(SIDES) for turn in order)
    assert all(order[i + 1] == order[i][::-1] for i in range(0, 8, 2))


def test_the_order_is_drawn_and_the_seed_repeats_it() -> None:
    assert rounds(SIDES, 9, 1) == rounds(SIDES, 9, 1)
    assert len({str(rounds(SIDES, 9, seed)) for seed in range(20)}) > 15
    first = Counter(turn[0] for turn in rounds(SIDES, 900, 1))
    assert min(first.values()) > 240


def test_a_steady_drift_weighs_the_same_on_all_sides() -> None:
    order = [side for turn in rounds(SIDES, 8, 3) for side in turn]
    assert len({sum(i for i, side in enumerate(order) if side == one) for one in SIDES}) == 1


@pytest.mark.parametrize(("b", "again", "is_time", "word"), [
    (times(1.2), QUIET, True, "slower"), (times(0.8), QUIET, True, "faster"), (times(1.2), QUIET, False, "larger"),
    (times(0.8), QUIET, False, "smaller"), (QUIET, QUIET, True, "no difference seen"), (times(1.2), None, True, "slower"),
    # A's second series differs by as much.
    (times(1.05), times(1.07), True, "no difference seen"), (times(1.05), times(0.93), True, "no difference seen"),
    # Next to no scatter: but less than a linker does by chance.
    (times(1.008, [100.0] * 9), None, True, "no difference seen"), (times(1.1), times(1.07), True, "slower"),
])
def test_words(b: list[float], again: list[float] | None, is_time: bool, word: str) -> None:
    verdict = judge(Series("x", "", [100.0] * 9 if again is None else QUIET, b, again, is_time))
    assert (verdict.word, verdict.why) == (word, "")
    low, high = verdict.interval
    assert low <= verdict.ratio <= high and verdict.floor >= 1.01
    assert verdict.ratio == pytest.approx(sorted(b)[4] / 100)


@pytest.mark.parametrize(("a", "b", "again", "why"), [
    (QUIET[:8], QUIET, QUIET, "too few runs: 8 of at least 9"), (QUIET, QUIET[:1], None, "too few runs: 1 of"),
    (QUIET, times(3), QUIET[:5], "too few runs: 5 of"), (BUSY, BUSY, BUSY, "loud machine"), (BUSY, times(1.2, BUSY), None, "loud machine"),
    (QUIET, QUIET, times(1.3), "loud machine"), (QUIET, [0.0] * 9, QUIET, "a figure of 0"),
    (QUIET, [float("nan"), *QUIET[1:]], QUIET, "no number"), (QUIET, [float("inf")] * 9, None, "no number"),
])
def test_what_cannot_be_told_has_no_ratio(a: list[float], b: list[float], again: list[float] | None, why: str) -> None:
    verdict = judge(Series("x", "", a, b, again))
    assert (verdict.word, verdict.ratio, verdict.interval) == ("cannot tell", None, None)
    assert why in verdict.why


def test_what_is_larger_than_all_the_noise_is_told_on_a_loud_machine_too() -> None:
    assert judge(Series("x", "", BUSY, times(6, BUSY), BUSY)).word == "slower"


def test_the_same_seed_says_the_same() -> None:
    first = draws(9, 4)
    draws.cache_clear()
    assert (draws(9, 4) == first).all() and (draws(9, 5) != first).any()
    series = Series("x", "", QUIET, times(1.03, BUSY), QUIET)
    assert judge(series, 4) == judge(series, 4)


def test_false_alarms_are_rare() -> None:
    """Of ten benchmarks each, on machines that drift, burst and give outliers; seeded, so that the count is always the same."""
    tally = false_alarms.simulated(100)
    assert (tally.comparisons, tally.benchmarks) == (100, 1000)
    assert tally.with_alarm <= 3 and tally.alarms <= 5
    assert tally.cannot_tell < 250


def test_a_fifth_is_seen_in_most() -> None:
    tally = false_alarms.simulated(30, effect=1.2)
    assert tally.alarms > 0.65 * tally.benchmarks and tally.alarms > 0.8 * (tally.benchmarks - tally.cannot_tell)


def test_what_is_simulated_is_noisy() -> None:
    """Or else that there are few false alarms says nothing."""
    spread = [max(one.a) / min(one.a) for seed in range(20) for one in false_alarms.simulated_comparison(seed)]
    assert sum(s > 1.1 for s in spread) > 0.5 * len(spread)
    verdicts = [judge(one, seed) for seed in range(20) for one in false_alarms.simulated_comparison(seed)]
    assert {"no difference seen", "cannot tell"} <= {verdict.word for verdict in verdicts}
