"""False alarms of the page of strategies, counted on simulated runs. Seeded, so that the counts are always the same."""

from __future__ import annotations

import json
import sys

import numpy as np
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from lib.compare import page_alarms
from lib.report.strategies_ratios import compare, copies


def test_what_is_simulated_is_judged_in_pairs_and_beside_copies() -> None:
    """One pair of copies where both stand in one context; one of each context otherwise."""
    run = page_alarms.simulated_run(1)
    for key in (page_alarms.MIDDLE, page_alarms.TAIL):
        places = page_alarms.pairs(key)
        assert len(places) == 10 and all(len(run.values(at.name, key)) == 9 for pair in places for at in pair)
        assert [len({str(one) for one in copies(run, *pair)}) for pair in places] == 5 * [1] + 5 * [2]


@pytest.mark.parametrize(("slots", "share"), [(range(3, 6), 1), (range(4, 5), 1 / 3)])
def test_a_burst_meets_all_that_a_process_measures_meanwhile(monkeypatch: pytest.MonkeyPatch, slots: range, share: float) -> None:
    def machine(_: np.random.Generator, moments: int) -> np.ndarray:
        return np.array([100.0 if moment in slots else 1.0 for moment in range(moments)])

    monkeypatch.setattr(page_alarms, "machine", machine)
    columns = [columns[page_alarms.MIDDLE] for columns in page_alarms.simulated_run(1).benchmarks.values()]
    assert len(columns) == 14 and sum(column[1] > 3000 for column in columns) == pytest.approx(14 * share, abs=0.5)
    assert not any(value > 1000 for column in columns for at, value in enumerate(column) if at != 1)


@pytest.mark.parametrize("key", [page_alarms.MIDDLE, page_alarms.TAIL])
def test_a_large_difference_is_seen_in_every_pair_that_can_be_told(key: str) -> None:
    run = page_alarms.simulated_run(2, effect=20)
    assert {compare(run, ours, theirs).word for ours, theirs in page_alarms.pairs(key)} <= {"slower", "cannot tell"}
    assert any(compare(run, ours, theirs).word == "slower" for ours, theirs in page_alarms.pairs(key))


def test_false_alarms_are_rare_but_not_as_rare_as_compares() -> None:
    """Copies are of another benchmark than what they accompany, whose noise may be larger."""
    tally = page_alarms.simulated(12, page_alarms.MIDDLE)
    assert (tally.comparisons, tally.benchmarks) == (12, 120)
    assert tally.alarms <= 4 and 0 < tally.cannot_tell < 90


def test_all_tallies_are_there() -> None:
    found = page_alarms.tallies(1, slower_seed=10_001)
    assert list(found) == ["page_medians", "page_p99s", "page_medians_20_percent_slower", "page_p99s_20_percent_slower"]
    assert all(tally.benchmarks == 10 for tally in found.values())


def test_results_quote_what_was_counted() -> None:
    stored = json.loads((ROOT / "results" / "reference" / "compare-false-alarms.json").read_text())
    middle, tail = stored["page_medians"], stored["page_p99s"]
    text = " ".join((ROOT / "results" / "README.md").read_text().split())
    assert (f"in {middle['with_alarm']} of {middle['comparisons']} simulated comparisons, and {middle['alarms']} of {middle['benchmarks']} benchmarks, it "
            f"calls the same different, for medians ({tail['with_alarm']} and {tail['alarms']} for tails)") in text
