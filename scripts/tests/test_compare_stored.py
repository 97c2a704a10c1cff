"""compare.py on what was measured before: files of Google Benchmark, and run directories."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import STORED, fail
from test_compare import TIMES, Comparison, comparison, refused  # noqa: F401 (a fixture)

NEEDED = {"name", "run_name", "run_type", "repetitions", "repetition_index", "threads", "iterations", "real_time", "cpu_time", "time_unit"}


def one_process(place: Path, repetitions: int = 9, time: float = 10, **context: Any) -> Path:
    """As a program of Google Benchmark writes it, aggregates and all."""
    entries = [{"name": "read/x", "run_name": "read/x", "run_type": "iteration", "cpu_time": time + i / 100, "real_time": 9.0,
                "time_unit": "ns", "repetition_index": i} for i in range(repetitions)]
    entries.append({**entries[0], "name": "read/x_mean", "run_type": "aggregate", "aggregate_name": "mean"})
    head = {"srcu_build": "release", "num_cpus": 2, "load_avg": [0.5], **context}
    place.write_text(json.dumps({"context": head, "benchmarks": entries}))
    return place


def copies(place: Path, count: int) -> list[Path]:
    return [Path(shutil.copytree(STORED, place / f"run{i}")) for i in range(count)]


def test_files_that_it_writes_say_the_same_again(comparison: Comparison) -> None:
    comparison.call("binaries", comparison.a, comparison.b)
    rows = comparison.json()["rows"]
    names = [comparison.place / f"out.{end}.json" for end in ("a", "b", "again")]
    kept = [Path(shutil.copy(name, name.with_suffix(".kept"))) for name in names]
    assert comparison.call("files", *kept[:2], "--again", kept[2], "--any-load").returncode == 1
    again = comparison.json()["rows"]
    assert [(row["name"], row["word"], row["floor"]) for row in again] == [(row["name"], row["word"], row["floor"]) for row in rows]
    assert [json.loads(name.read_text())["benchmarks"] for name in names] == [json.loads(name.read_text())["benchmarks"] for name in kept]


def test_its_files_have_what_google_benchmark_asks_for(comparison: Comparison) -> None:
    comparison.call("binaries", comparison.a, comparison.b)
    found = json.loads((comparison.place / "out.b.json").read_text())
    assert found["context"]["srcu_build"] == "release" and len(found["benchmarks"]) == 9 * len(TIMES)
    for entry in found["benchmarks"]:
        assert NEEDED <= set(entry) and entry["run_type"] == "iteration" and entry["repetitions"] == 9
    mine = [entry for entry in found["benchmarks"] if entry["name"] == "post/direct/none/manual_time"]
    assert [entry["repetition_index"] for entry in mine] == list(range(9))
    assert mine[0]["real_time"] == pytest.approx(2 * mine[0]["cpu_time"]) and mine[0]["p99_ns"] == pytest.approx(3 * mine[0]["cpu_time"])


GOOGLES = Path("/usr/share/benchmark/compare.py")  # of libbenchmark-tools


def googles(where: Path, *words: str | Path) -> list[dict[str, Any]]:
    """What Google Benchmark's own comparison makes of files."""
    done = subprocess.run(["/usr/bin/python3", GOOGLES, "--dump_to_json", where, *words], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return [row for row in json.loads(where.read_text()) if row["name"] != "OVERALL_GEOMEAN"]


def test_google_benchmarks_own_comparison_reads_its_files(comparison: Comparison) -> None:
    comparison.call("binaries", comparison.a, comparison.b)
    a, b = comparison.place / "out.a.json", comparison.place / "out.b.json"
    found = {row["name"]: row for row in googles(comparison.place / "benchmarks", "benchmarks", a, b)}
    assert found.keys() == set(TIMES)
    assert len(found["read/y"]["measurements"]) == 9 and found["read/y"]["utest"]["cpu_pvalue"] < 0.01
    assert all(one["cpu"] == pytest.approx(-0.2, abs=0.02) for one in found["read/y"]["measurements"])


def test_google_benchmarks_own_comparison_reads_strategies(comparison: Comparison) -> None:
    comparison.call("strategies", "direct", "irq_work", "--program", comparison.a)
    a, b = comparison.place / "out.a.json", comparison.place / "out.b.json"
    rows = googles(comparison.place / "filtered", "benchmarksfiltered", a, "post/direct", b, "post/irq_work")
    assert {row["name"] for row in rows} == {f"[post/direct vs. post/irq_work]/{of}/manual_time" for of in ("none", "rq_lock")}
    assert all(len(row["measurements"]) == 9 for row in rows)


def test_repetitions_of_one_process_are_one_run(comparison: Comparison) -> None:
    a, b = one_process(comparison.place / "a1"), one_process(comparison.place / "b1", time=15)
    done = comparison.call("files", a, b)
    assert done.returncode == 3 and "| read/x | 10 ns | 15 ns |  |  |  | 1 / 1 | **cannot tell**: too few runs: 1" in done.stdout


def test_a_file_a_run(comparison: Comparison) -> None:
    a = [one_process(comparison.place / f"a{i}", time=10 + i / 50) for i in range(9)]
    b = [one_process(comparison.place / f"b{i}", time=15 + i / 50) for i in range(9)]
    done = comparison.call("files", "--a", *a, "--b", *b)
    assert done.returncode == 1 and comparison.words() == {"read/x": "slower"}
    assert "perhaps not by turns" in done.stdout and "no second one was given" in done.stdout


@pytest.mark.parametrize("side", ["a", "b"])
def test_a_machine_that_was_loud_says_so_instead_of_a_ratio(comparison: Comparison, side: str) -> None:
    files = {one: [one_process(comparison.place / f"{one}{i}", load_avg=[2.5 if one == side else 1]) for i in range(9)] for one in "ab"}
    done = comparison.call("files", "--a", *files["a"], "--b", *files["b"])
    assert done.returncode == 3 and f"loud machine: load 2.5 on 2 CPUs when {side.upper()} was measured" in done.stdout
    assert comparison.json()["rows"][0]["ratio"] is None
    assert comparison.call("files", "--a", *files["a"], "--b", *files["b"], "--any-load").returncode == 0


ENTRY = '{"name": "x", "run_name": "x", "cpu_time": 1, "real_time": 1, "time_unit": "ns", "repetition_index": "x"}'


@pytest.mark.parametrize(("text", "said"), [("", "not Google Benchmark's JSON"), ("[]", "not Google Benchmark's JSON"),
                                            ("[" * 100_000, "not Google Benchmark's JSON"),
                                            ('{"context": {"srcu_build": "release"}, "benchmarks": [' + ENTRY + "]}", "not Google"),
                                            ('{"context": {"srcu_build": "release"}, "benchmarks": []}', "no benchmark in common")])
def test_what_is_no_benchmark_is_refused(comparison: Comparison, text: str, said: str) -> None:
    (comparison.place / "bad").write_text(text)
    refused(comparison.call("files", one_process(comparison.place / "good"), comparison.place / "bad"), said)


def test_what_is_no_text_is_refused(comparison: Comparison) -> None:
    (comparison.place / "bad").write_bytes(b"\xff\xfe")
    refused(comparison.call("files", one_process(comparison.place / "good"), comparison.place / "bad"), "is no text")


@pytest.mark.parametrize("build", ["debug", "sanitizer", "unknown"])
def test_files_of_other_builds_are_refused(comparison: Comparison, build: str) -> None:
    other = one_process(comparison.place / "other", srcu_build=build)
    refused(comparison.call("files", one_process(comparison.place / "good"), other), "other: ", f"{build} build")


def test_a_missing_side_or_file_is_named(comparison: Comparison) -> None:
    refused(comparison.call("files", "--a", one_process(comparison.place / "good")), "side B is missing")
    refused(comparison.call("files", one_process(comparison.place / "good")), "takes two names")
    refused(comparison.call("files", comparison.place / "good", comparison.place / "none"), "cannot read", "none")


def test_two_run_directories_show_figures_but_cannot_be_told_apart(comparison: Comparison) -> None:
    done = comparison.call("runs", STORED, STORED)
    assert done.returncode == 3 and set(comparison.words().values()) == {"cannot tell"}
    assert "| basic/gp_p99 | 590 µs | 590 µs |  |  |  | 1 / 1 | **cannot tell**: too few runs" in done.stdout
    assert "| basic/time_a_grace_period | 51.4 µs |" in done.stdout


def test_nine_run_directories_a_side(comparison: Comparison) -> None:
    runs = copies(comparison.place, 18)
    for run in runs[9:]:
        file = run / "basic" / "verdict.json"
        verdict = json.loads(file.read_text())
        verdict["gp_latency_ns"]["p50"] *= 2
        verdict["counts"]["reads"] *= 3
        file.write_text(json.dumps(verdict))
    assert comparison.call("runs", "--a", *runs[:9], "--b", *runs[9:]).returncode == 1
    assert comparison.words() == {"basic/gp_p50": "slower", "basic/gp_p99": "no difference seen", "basic/time_a_read": "faster",
                                  "basic/time_a_grace_period": "no difference seen", "basic/time_a_callback": "no difference seen"}


def test_percentiles_of_few_grace_periods_are_left_out(comparison: Comparison) -> None:
    [run] = copies(comparison.place, 1)
    file = run / "basic" / "verdict.json"
    verdict = json.loads(file.read_text())
    verdict["gp_latency_ns"]["count"] = 900
    file.write_text(json.dumps(verdict))
    comparison.call("runs", run, STORED)
    assert "basic/gp_p50" in comparison.words() and "basic/gp_p99" not in comparison.words()


def test_runs_that_failed_or_are_of_another_build_are_refused(comparison: Comparison) -> None:
    failed, debug = copies(comparison.place, 2)
    fail(failed, "too short")
    refused(comparison.call("runs", STORED, failed), "is FAILURE", "only runs that ended in SUCCESS")
    manifest = json.loads((debug / "manifest.json").read_text())
    manifest["machine"]["build"]["type"] = "Debug"
    (debug / "manifest.json").write_text(json.dumps(manifest))
    refused(comparison.call("runs", debug, STORED), "Debug build", "preset release")
    refused(comparison.call("runs", STORED, comparison.place / "none"), "is no directory")
