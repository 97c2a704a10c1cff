"""The speed table: what it computes, what it refuses, and that the program has the benchmarks that it names."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import bench_table
from lib.bench import HOW, CannotCompare, again, read

SCRIPT = ROOT / "scripts" / "bench_table.py"
REPORT = ROOT / "scripts" / "report.py"
BENCH = ROOT / "build" / "release" / "srcu" / "bench" / "srcu_bench"


def measured(build: str = "release", **times: float) -> str:
    """As Google Benchmark writes it: every benchmark takes 10 and 12 ns of CPU time, but for those named."""
    entries: list[dict[str, Any]] = []
    for name in sorted(bench_table.needed()):
        for extra in (0, 2):
            time = times.get(name, 10) + extra
            entries.append({"run_name": name, "run_type": "iteration", "cpu_time": time, "real_time": 99, "time_unit": "ns",
                            "bytes": 4096.0, "grace_periods": 2.0 + extra, "backlog": 5.0, "helper_share": 0.5})
    return json.dumps({"context": {"srcu_build": build, "date": "today", "num_cpus": 2, "load_avg": [1.0]}, "benchmarks": entries})


def call(tmp_path: Path, text: str) -> subprocess.CompletedProcess[str]:
    (tmp_path / "in.json").write_text(text)
    return subprocess.run([SCRIPT, "--measured", tmp_path / "in.json", "--out", tmp_path / "speed"], capture_output=True, text=True)


def test_table_json_and_picture(tmp_path: Path) -> None:
    done = call(tmp_path, measured(**{"read/srcu/threads:1": 4, "read/srcu-fast/threads:1": 9}))
    assert done.returncode == 0, done.stderr
    rows = {row["cost"]: row for row in json.loads((tmp_path / "speed.json").read_text())["runs"][0]["rows"]}
    assert rows["srcu_read_lock pair, 1 thread, to mb's"]["ratio"] == pytest.approx({"minima": 0.4, "medians": 5 / 11})
    lines = (tmp_path / "speed.md").read_text().splitlines()
    assert next(line for line in lines if "srcu_read_lock pair, 1" in line).endswith("| 0.5 | met |")
    assert "missed by 12 % on minima and by 14 % on medians" in next(line for line in lines if "lock_fast pair, 1" in line)
    assert "| grace periods for 64 waiters, srcu (bar: 4) | 4 |" in lines
    assert (tmp_path / "speed.png").stat().st_size > 1000
    subprocess.run([REPORT, tmp_path / "speed.json", "--out", tmp_path / "again.png"], check=True)
    assert (tmp_path / "again.png").exists()
    run = shutil.copytree(ROOT / "scripts" / "tests" / "data" / "run", tmp_path / "run")
    subprocess.run([REPORT, run, tmp_path / "speed.json", "--out", tmp_path / "page.html"], check=True)
    met = len([line for line in lines if line.endswith("| met |")])
    assert f"{met} of {len(rows)} ratios meet their bars" in (tmp_path / "page.html").read_text()


def test_other_json_is_no_speed_table(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('{"kind": "other"}')
    done = subprocess.run([REPORT, tmp_path / "other.json"], capture_output=True, text=True)
    assert done.returncode == 2 and "no speed table" in done.stderr


@pytest.mark.parametrize("build", ["debug", "sanitizer", "unknown"])
def test_other_builds_are_refused(build: str, tmp_path: Path) -> None:
    done = call(tmp_path, measured(build))
    assert done.returncode == 2 and f"{build} build" in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "speed.md").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"context": {}, "benchmarks": []}', measured().replace("read/srcu/", "read/other/")],
                         ids=["empty", "object", "list", "nothing measured", "a benchmark missing"])
def test_what_lacks_figures_is_refused(text: str, tmp_path: Path) -> None:
    done = call(tmp_path, text)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "bench_table.py: " in done.stderr


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    done = subprocess.run([SCRIPT, "--program", tmp_path / "none", "--out", tmp_path / "speed"], capture_output=True, text=True)
    assert done.returncode == 2 and "build the target srcu_bench" in done.stderr and len(done.stderr.splitlines()) == 1


def test_failed_benchmarks_are_no_figures() -> None:
    found = json.loads(measured())
    found["benchmarks"][0] |= {"error_occurred": True, "error_message": "no memory"}
    with pytest.raises(CannotCompare, match="no memory"):
        read(json.dumps(found))


def test_benchmarks_that_measure_by_themselves_are_taken_at_their_word() -> None:
    found = json.loads(measured())
    found["benchmarks"] = [found["benchmarks"][0] | {"run_name": "invoke/x/callbacks:5/iterations:1/manual_time", "time_unit": "us"}]
    assert read(json.dumps(found)).of("invoke/x") == [99_000]


def test_the_program_has_what_the_table_names() -> None:
    assert BENCH.exists(), f"{BENCH} is missing: run scripts/test.sh, which builds it"
    listed = subprocess.run([BENCH, "--benchmark_list_tests"], capture_output=True, text=True, check=True).stdout
    assert bench_table.needed() <= {HOW.sub("", line) for line in listed.splitlines()}


def test_it_runs_what_the_table_needs(tmp_path: Path) -> None:
    done = subprocess.run([SCRIPT, "--repetitions", "1", "--min-time", "0.001", "--out", tmp_path / "speed"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "speed.json").read_text())["runs"][0]["rows"]) == len(bench_table.rows())


def test_the_program_says_how_it_was_built() -> None:
    done = subprocess.run([BENCH, "--benchmark_filter=read/empty_loop/threads:1", "--benchmark_format=json", "--benchmark_min_time=0.001"],
                          capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["context"]["srcu_build"] == "release"
