"""Which number compare.py takes for what a benchmark costs, and of which benchmarks it takes none."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conftest import ROOT
from test_compare import TIMES, Comparison, comparison, refused  # noqa: F401 (a fixture)

sys.path.insert(0, str(ROOT / "scripts"))

import compare
from lib.bench import HOW, call, parse
from lib.report.strategies import enough

BATCH = {"counters": {"each_ns": 25.0}}
WALK = {"post/direct/none/manual_time": 100.0, "post/irq_work/none/manual_time": 100.0,
        "deferral/direct/none/manual_time": 10.0, "deferral/irq_work/none/manual_time": 30.0}


def walks(comparison: Comparison) -> Path:  # noqa: F811
    return comparison.program("walks", None, **WALK)


def rows(comparison: Comparison) -> list[tuple[str, str, str]]:  # noqa: F811
    return [(row["name"], row["metric"], row["word"]) for row in comparison.json()["rows"]]


def test_the_median_batch_is_what_a_post_costs(comparison: Comparison) -> None:  # noqa: F811
    """By their times, a mean over bursts, they differ."""
    program = comparison.program("batches", BATCH, **TIMES)
    done = comparison.call("strategies", "direct", "irq_work", "--program", program)
    assert rows(comparison) == [(f"post/*/{context}", "each_ns", "no difference seen") for context in ("none", "rq_lock")]
    assert done.returncode == 0 and "| post/*/none (each_ns) | 25 ns | 25 ns | 1.000 |" in done.stdout
    comparison.call("strategies", "direct", "irq_work", "--program", program, "--metric", "real_time", "--contexts", "none")
    assert rows(comparison) == [("post/*/none", "real_time", "slower")]


def test_a_batch_is_not_compared_with_a_mean(comparison: Comparison) -> None:  # noqa: F811
    new = comparison.program("new", BATCH, **TIMES)
    for sides in ((comparison.a, new), (new, comparison.a)):
        comparison.call("binaries", *sides, "--filter", "post/direct/none")
        assert rows(comparison) == [("post/direct/none", "its own time", "no difference seen")]


@pytest.mark.parametrize(("words", "names"), [
    ([], ["post/*/none"]), (["--filter", "none"], ["post/*/none"]), (["--filter", "^deferral/"], ["deferral/*/none"]),
    (["--filter", "^(post|deferral)/"], ["post/*/none", "deferral/*/none"]), (["--metric", "bytes"], ["post/*/none", "deferral/*/none"])])
def test_the_time_of_a_walk_is_compared_only_if_asked_for(comparison: Comparison, words: list[str], names: list[str]) -> None:  # noqa: F811
    comparison.call("strategies", "direct", "irq_work", "--program", walks(comparison), *words)
    assert list(comparison.words()) == names


def test_and_so_it_is_with_files(comparison: Comparison) -> None:  # noqa: F811
    comparison.call("strategies", "direct", "irq_work", "--program", walks(comparison), "--metric", "bytes")
    kept = [(comparison.place / f"out.{side}.json").rename(comparison.place / side) for side in "ab"]
    refused(comparison.call("files", kept[0], kept[1]), "no benchmark in common")
    comparison.call("files", kept[0], kept[0], "--any-load")
    assert list(comparison.words()) == ["post/direct/none"]
    comparison.call("files", kept[0], kept[0], "--any-load", "--metric", "bytes")
    assert list(comparison.words()) == ["post/direct/none", "deferral/direct/none"]


def test_that_they_were_left_out_is_told_where_nothing_else_is_there(comparison: Comparison) -> None:  # noqa: F811
    only = comparison.program("only", None, **{"deferral/direct/none": 10.0})
    refused(comparison.call("binaries", only, only), "no benchmark of", "deferral/ left out", "--metric")


def test_percentiles_that_the_program_gives_are_of_enough_samples() -> None:
    """And waiters together are timed by the call: Google Benchmark, which would divide by them, knows of one thread."""
    assert compare.BENCH.exists(), f"{compare.BENCH} is missing: run scripts/test.sh, which builds it"
    found = parse(call(compare.BENCH, "--benchmark_format=json", "--benchmark_filter=^(invoke/srcu|synchronize/srcu/together)"))[1]
    counts = {HOW.sub("", entry["name"]): entry["count"] for entry in found if "count" in entry}
    assert counts.keys() == {*(f"invoke/{kind}" for kind in ("srcu", "srcu-expedited", "srcu-fast-expedited")),
                             *(f"synchronize/srcu/together/callers:{number}" for number in (2, 8, 64))}
    assert {name for name, count in counts.items() if count < 1000} <= {"invoke/srcu"}
    assert all(entry["threads"] == 1 and ("p99_ns" in entry) == enough(entry["count"], 99) for entry in found if "count" in entry)
