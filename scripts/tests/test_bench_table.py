"""The speed table: what it computes, what it refuses, and that the program has the benchmarks that it names."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import bench_table
from lib import speed_rows
from lib.bench import HOW, CannotCompare, Measured, read

SCRIPT = ROOT / "scripts" / "bench_table.py"
REPORT = ROOT / "scripts" / "report.py"
BENCH = ROOT / "build" / "release" / "srcu" / "bench" / "srcu_bench"
STORED = ROOT / "results" / "reference" / "srcu-speed.json"
STAND_IN = '''#!/usr/bin/python3
import os, sys
from pathlib import Path
calls = Path(sys.argv[0]).with_name("calls")
with calls.open("a") as file:
    file.write(" ".join(sys.argv[1:]) + "\\n")
number = len(calls.read_text().splitlines()) - 1
if number == int(os.environ.get("FAIL_AT", -1)):
    sys.exit("out of luck")
print(Path(sys.argv[0]).with_name("figures.json").read_text())
'''
PAIR, FAST_PAIR = "srcu_read_lock pair, 1 thread, to mb's", "srcu_read_lock_fast pair, 1 thread, to memb's"


def measured(build: str = "release", load: float = 1.0, noise: float = 0, **times: float) -> str:
    """As Google Benchmark writes it: every benchmark takes 10, 11 and 15 ns of CPU time, but for those named; every second copy
    noise more."""
    entries: list[dict[str, Any]] = []
    for name in sorted(speed_rows.needed()):
        for extra in (0, 1, 5):
            time = times.get(name, 10) + extra + (noise if "-again" in name else 0)
            entries.append({"run_name": name, "run_type": "iteration", "cpu_time": time, "real_time": 99, "time_unit": "ns",
                            "bytes": 4096.0, "grace_periods": 2.0 + extra, "backlog": 5.0, "helper_share": 0.5})
    return json.dumps({"context": {"srcu_build": build, "date": "today", "num_cpus": 2, "load_avg": [load]}, "benchmarks": entries})


def call(tmp_path: Path, *texts: str) -> subprocess.CompletedProcess[str]:
    files = [tmp_path / f"in{number}.json" for number in range(len(texts))]
    for file, text in zip(files, texts):
        file.write_text(text)
    return subprocess.run([SCRIPT, "--measured", *files, "--out", tmp_path / "speed"], capture_output=True, text=True)


def rows_in(tmp_path: Path) -> dict[str, dict[str, Any]]:
    return {row["cost"]: row for row in json.loads((tmp_path / "speed.json").read_text())["rows"]}


def one_line(done: subprocess.CompletedProcess[str], status: int, words: str) -> None:
    assert done.returncode == status, done.stderr
    assert words in done.stderr and done.stderr.startswith("bench_table.py: ") and len(done.stderr.splitlines()) == 1


def test_table_json_and_picture(tmp_path: Path) -> None:
    done = call(tmp_path, *[measured(**{"read/srcu/threads:1": 4, "read/srcu-fast/threads:1": 9})] * 9)
    assert done.returncode == 0, done.stderr
    rows = rows_in(tmp_path)
    assert rows[PAIR]["ratio"] == pytest.approx(5 / 11) and rows[PAIR]["interval"] == pytest.approx([5 / 11, 5 / 11])
    assert rows[PAIR]["ours_ns"] == [5] * 9 and rows[PAIR]["again_ns"] == [11] * 9
    lines = (tmp_path / "speed.md").read_text().splitlines()
    assert next(line for line in lines if "srcu_read_lock pair, 1" in line).endswith("| 0.5 | met |")
    assert next(line for line in lines if "lock_fast pair, 1" in line).endswith("| 0.8 | missed by 14 % |")
    assert "| grace periods for 64 waiters, srcu (bar: 4) | 7 |" in lines
    assert (tmp_path / "speed.png").stat().st_size > 1000
    subprocess.run([REPORT, tmp_path / "speed.json", "--out", tmp_path / "again.png"], check=True)
    assert (tmp_path / "again.png").exists()
    run = shutil.copytree(ROOT / "scripts" / "tests" / "data" / "run", tmp_path / "run")
    subprocess.run([REPORT, run, tmp_path / "speed.json", "--out", tmp_path / "page.html"], check=True)
    met = len([line for line in lines if line.endswith("| met |")])
    assert 0 < met < len(rows) and f"{met} of {len(rows)} ratios meet their bars" in (tmp_path / "page.html").read_text()


def test_what_lies_at_its_bar_is_not_told(tmp_path: Path) -> None:
    """By the interval, or by what the same differs by from itself."""
    assert call(tmp_path, *[measured(**{"read/srcu/threads:1": 2.0 + number}) for number in range(9)]).returncode == 0
    assert rows_in(tmp_path)[PAIR]["verdict"] == "cannot tell: the bar lies within the interval"
    at = {"read/srcu/threads:1": 4.0, "read/srcu-fast/threads:1": 9.0}
    assert call(tmp_path, *[measured(noise=2, **at)] * 9).returncode == 0
    assert rows_in(tmp_path)[PAIR]["verdict"] == "cannot tell: the bar is no further away than the same is from itself"
    assert rows_in(tmp_path)[PAIR]["same"] == pytest.approx([13 / 11] * 3)
    assert call(tmp_path, *[measured(noise=5, **at)] * 9).returncode == 0
    assert rows_in(tmp_path)[PAIR]["verdict"].startswith("cannot tell: loud machine") and rows_in(tmp_path)[PAIR]["ratio"] is None


@pytest.mark.parametrize("texts, why", [([measured()], "too few runs: 1 of at least 9"), ([measured()] * 8, "too few runs: 8 of at least 9"),
                                        ([measured(load=2.4)] * 9, "with a load of 2.4 on 2 CPUs at the start")],
                         ids=["one process", "eight", "load"])
def test_where_nothing_can_be_told_there_is_no_ratio(tmp_path: Path, texts: list[str], why: str) -> None:
    assert call(tmp_path, *texts).returncode == 0
    rows = rows_in(tmp_path).values()
    assert all(row["ratio"] is None and row["verdict"].startswith("cannot tell: ") and why in row["verdict"] for row in rows)
    text = (tmp_path / "speed.md").read_text()
    assert "| met |" not in text and "missed by" not in text and text.count(why) == len(rows)
    subprocess.run([REPORT, tmp_path / "speed.json", "--out", tmp_path / "again.png"], check=True)


def test_only_the_load_at_the_start_counts(tmp_path: Path) -> None:
    """Later processes find the load of the earlier ones."""
    assert call(tmp_path, measured(), *[measured(load=2.4)] * 8).returncode == 0
    assert all(row["ratio"] for row in rows_in(tmp_path).values())


def test_a_process_that_stayed_loud_spoils_all() -> None:
    quiet, loud = Measured({"others": 0.0}), Measured({"others": 1.5})
    start = bench_table.Start(0.5, 2)
    assert bench_table.loudness([quiet] * 9, start) == ""
    assert "in 1 of 9 processes others kept more than" in bench_table.loudness([*[quiet] * 8, loud], start)


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    program = tmp_path / "bin" / "srcu_bench"
    program.parent.mkdir()
    program.write_text(STAND_IN)
    program.chmod(0o755)
    program.with_name("figures.json").write_text(measured())
    return program


def live(program: Path | str, out: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    words = [SCRIPT, "--program", program, "--out", out, *options]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, env={**os.environ, **env}, cwd=out.parent)


def calls(program: Path) -> list[str]:
    file = program.with_name("calls")
    return file.read_text().splitlines() if file.exists() else []


def test_nine_processes_each_with_all_in_random_order(stand_in: Path, tmp_path: Path) -> None:
    done = live(stand_in, tmp_path / "speed-v1.2")
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "speed-v1.2.json").read_text())
    assert found["schema"] == 2 and len(found["processes"]) == 9 and all(one["others"] >= 0 for one in found["processes"])
    assert len(found["rows"][0]["ours_ns"]) == 9 and {"speed-v1.2.md", "speed-v1.2.png"} <= {path.name for path in tmp_path.iterdir()}
    assert not list(tmp_path.glob("*.tmp"))
    processes = calls(stand_in)[1:]  # the first only asks for the build
    assert len(processes) >= 9 and all("random_interleaving=true" in one and "repetitions=3" in one for one in processes)
    assert all(name in processes[0] for name in speed_rows.needed())


def test_a_loud_process_runs_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    busy = iter([0.0, 1.5, 0.1, 1.5, 1.5])
    monkeypatch.setattr(bench_table, "watched", lambda _: Measured({"others": next(busy)}))
    found = bench_table.measure(bench_table.argparse.Namespace(runs=3))
    assert [one.context["others"] for one in found] == [0.0, 0.1, 1.5]  # there is one more try, not two


@pytest.mark.parametrize("options, words", [(["--runs", "0"], "no whole number from 1"), (["--repetitions", "-1"], "no whole number"),
                                            (["--min-time", "0"], "no time in seconds"), (["--nonsense"], "unrecognized"),
                                            (["--out", "."], "no name of a file"), (["--out", "/proc/none/speed"], "choose another --out")])
def test_refuses_in_a_line_before_it_measures(stand_in: Path, tmp_path: Path, options: list[str], words: str) -> None:
    one_line(live(stand_in, tmp_path / "speed", *options), 2, words)
    assert len(calls(stand_in)) <= 1 and not (tmp_path / "speed.md").exists()


def test_a_directory_in_the_place_of_a_file_is_seen_before(stand_in: Path, tmp_path: Path) -> None:
    (tmp_path / "speed.png").mkdir()
    one_line(live(stand_in, tmp_path / "speed"), 2, "it is a directory; choose another --out")
    assert len(calls(stand_in)) == 1


@pytest.mark.parametrize("at", ["0", "1"])
def test_a_program_that_fails_could_not_measure(stand_in: Path, tmp_path: Path, at: str) -> None:
    done = live(stand_in, tmp_path / "speed", FAIL_AT=at)
    last = done.stderr.splitlines()[-1]
    assert done.returncode == 3 and last.startswith("bench_table.py: ") and last.endswith("ended with status 1: out of luck")


def test_a_bare_name_is_of_this_directory(stand_in: Path, tmp_path: Path) -> None:
    shutil.copy(stand_in, tmp_path / "true")
    (tmp_path / "figures.json").write_text(measured("debug"))
    one_line(live("true", tmp_path / "speed"), 2, "is a debug build")


def test_an_older_table_is_drawn_without_what_it_cannot_say(tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    row = {"cost": "a pair", "bar": 0.8, "ours_ns": [1.0, 1.1], "theirs_ns": [2.0, 2.1], "ratio": {"minima": 0.5, "medians": 0.5}, "floor": None}
    old.write_text(json.dumps({"schema": 1, "kind": "srcu-speed", "machine": {}, "runs": [{"context": {}, "rows": [row]}]}))
    run = shutil.copytree(ROOT / "scripts" / "tests" / "data" / "run", tmp_path / "run")
    subprocess.run([REPORT, run, old, "--out", tmp_path / "page.html"], check=True)
    assert "of 1 it cannot be told: repetitions of one process" in (tmp_path / "page.html").read_text()


def test_the_stored_table_is_drawn(tmp_path: Path) -> None:
    subprocess.run([REPORT, STORED, "--out", tmp_path / "stored.png"], check=True)
    assert (tmp_path / "stored.png").stat().st_size > 1000


@pytest.mark.parametrize("text", ['{"kind": "other"}', '{"kind": "srcu-speed", "rows": 3}', '{"kind": "srcu-speed", "schema": 1, "runs": [7]}',
                                  '{"kind": "srcu-speed", "rows": [7, {"bar": "x"}]}'])
def test_other_json_is_no_speed_table(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text(text)
    done = subprocess.run([REPORT, tmp_path / "other.json"], capture_output=True, text=True)
    assert done.returncode == 2 and "no speed table" in done.stderr


def test_a_table_with_foreign_figures_is_drawn(tmp_path: Path) -> None:
    rows = [{"bar": 1, "ratio": "x", "interval": [1]}, {"bar": 1, "ratio": -1, "interval": [0, "y"], "floor": []}, {"bar": 2}]
    (tmp_path / "odd.json").write_text(json.dumps({"kind": "srcu-speed", "schema": 2, "rows": rows}))
    subprocess.run([REPORT, tmp_path / "odd.json", "--out", tmp_path / "odd.png"], check=True)


@pytest.mark.parametrize("build", ["debug", "sanitizer", "unknown"])
def test_other_builds_are_refused(build: str, tmp_path: Path) -> None:
    one_line(call(tmp_path, measured(build)), 2, f"{build} build")
    assert not (tmp_path / "speed.md").exists()


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"context": {}, "benchmarks": []}', measured().replace("read/srcu/", "read/other/"),
                                  measured().replace("backlog", "other")],
                         ids=["empty", "object", "list", "nothing measured", "a benchmark missing", "a counter missing"])
def test_what_lacks_figures_is_refused(text: str, tmp_path: Path) -> None:
    one_line(call(tmp_path, *[text] * 9), 2, "")


def test_a_missing_program_is_named(tmp_path: Path) -> None:
    one_line(live(tmp_path / "none", tmp_path / "speed"), 2, "build the target srcu_bench")


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
    assert speed_rows.needed() <= {HOW.sub("", line) for line in listed.splitlines()}


def test_it_runs_what_the_table_needs(tmp_path: Path) -> None:
    done = subprocess.run([SCRIPT, "--runs", "1", "--repetitions", "1", "--min-time", "0.001", "--out", tmp_path / "speed"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert len(json.loads((tmp_path / "speed.json").read_text())["rows"]) == len(speed_rows.rows())


def test_the_program_says_how_it_was_built() -> None:
    done = subprocess.run([BENCH, "--benchmark_filter=read/empty_loop/threads:1", "--benchmark_format=json", "--benchmark_min_time=0.001"],
                          capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["context"]["srcu_build"] == "release"
