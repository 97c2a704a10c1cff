"""The script that measures strategies: around a program that stands in for srcu_bench, and once for real."""

from __future__ import annotations

import argparse
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, report

sys.path.insert(0, str(ROOT / "scripts"))

import strategies
from lib.bench import CannotCompare, Measured
from lib.strategies import machine
from lib.strategies.compact import columns, result, short, text_of
from lib.strategies.counted import parse, twice

SCRIPT = ROOT / "scripts" / "strategies.py"
REAL = PROGRAM.parent / "srcu" / "bench" / "srcu_bench"
STAND_IN = '''#!/usr/bin/python3
import json, os, re, sys, time
from pathlib import Path
NAMES = ["post/direct/none/iterations:3/manual_time", "post/direct/irqs_off/iterations:3/manual_time", "post/srcu/none/manual_time",
         "deferral/nolock:always/none/iterations:1/manual_time", "read/srcu/threads:1"]
options = dict(word[2:].split("=", 1) if "=" in word else (word[2:], "") for word in sys.argv[1:])
if "benchmark_list_tests" in options:
    sys.exit(print("\\n".join(NAMES)))
if re.search(r"[(][?]|\\\\[a-z]", options["benchmark_filter"]):
    sys.exit("only Python knows this syntax")
out = options.get("benchmark_out")
number = int(re.search(r"run-(\\d+)", out)[1]) if out else 0
if number == int(os.environ.get("FAIL_AT", -1)):
    sys.exit("out of luck")
if number == int(os.environ.get("GARBLE_AT", -1)):
    sys.exit(Path(out).write_bytes(bytes([255, 254, 123])) and 0)
if number and "GARBLE_ALL" in os.environ:
    sys.stderr.buffer.write(bytes([255, 254]) + b" no text at all")
    sys.exit(4)
if number == int(os.environ.get("HANG_AT", -1)):
    time.sleep(60)
counts = {f"{kind}_{what}": 100.0 + len(kind) for kind in ("first", "later") for what in ("instructions", "lines")}
rows = [{"name": n, "run_name": n, "run_type": "iteration", "real_time": 20.0 + number, "cpu_time": 1.0, "time_unit": "ns",
         "first_p50_ns": 1234.56, "first_count": 24.0, "clock_ns": 25.0,
         **(counts if os.environ.get("SRCU_BENCH_COUNT") == os.environ.get("COUNTERS", "none") else {})}
        for n in NAMES if re.search(options["benchmark_filter"], n)]
context = {"srcu_build": os.environ.get("BUILD", "release"), "load_avg": [0.5, 1, 1], "date": "now"}
text = json.dumps({"context": context, "benchmarks": rows})
Path(out).write_text(text) if out else print(text)
'''


@pytest.fixture
def stand_in(tmp_path: Path) -> Path:
    program = tmp_path / "srcu_bench"
    program.write_text(STAND_IN)
    program.chmod(0o755)
    return program


def command(program: Path, out: Path, *options: str) -> list[str]:
    return [str(SCRIPT), "--program", str(program), "--out", str(out), "--no-counts", "--processes", "3", *options]


def call(program: Path, out: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(program, out, *options), capture_output=True, text=True, timeout=120, env={**os.environ, **env})


def stored(out: Path, name: str) -> dict:
    return json.loads((out / name).read_text())


def test_leaves_a_run_directory(stand_in: Path, tmp_path: Path) -> None:
    done = call(stand_in, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    out = tmp_path / "out"
    assert stored(out, "plan.json")["kind"] == "strategies"
    assert stored(out, "plan.json")["rerun"] == f"scripts/strategies.py --program {stand_in} --no-counts --processes 3"
    assert stored(out, "verdict.json")["verdict"] == "SUCCESS"
    assert set(stored(out, "manifest.json")["machine"]["load"]) == {"at the start", "at the end"}
    found = stored(out, "strategies.json")
    assert len(found["runs"]) == 3 and all(one["load"] == 0.5 and one["others"] >= 0 for one in found["runs"])
    assert found["benchmarks"]["post/direct/none"] == {"time_ns": [21, 22, 23], "first_p50_ns": 1235, "first_count": 24, "clock_ns": 25}
    assert (out / "report.html").exists() and (out / "summary.md").exists() and len(list(out.glob("run-*.json"))) == 3
    assert "process 3 of 3 done" in done.stderr


def test_only_what_strategies_measure(stand_in: Path, tmp_path: Path) -> None:
    assert call(stand_in, tmp_path / "out").returncode == 0
    assert set(stored(tmp_path / "out", "strategies.json")["benchmarks"]) == {"post/direct/none", "post/direct/irqs_off"}


@pytest.mark.parametrize("options, env, words", [
    ([], {"BUILD": "debug"}, "is a debug build"), ([], {"BUILD": "sanitizer"}, "is a sanitizer build"),
    (["--filter", "no/such"], {}, "no benchmark of a strategy"), (["--filter", "("], {}, "no regular expression"),
    (["--program", "nowhere/srcu_bench"], {}, "build the target srcu_bench"), (["--processes", "0"], {}, "from 1"),
    (["--processes", "x"], {}, "no whole number"), (["--nonsense"], {}, "unrecognized"), (["--into", "x"], {}, "--into takes --answers")])
def test_refuses_in_one_line_and_creates_nothing(stand_in: Path, tmp_path: Path, options: list[str], env: dict[str, str],
                                                 words: str) -> None:
    done = call(stand_in, tmp_path / "out", *options, **env)
    assert done.returncode == 2
    assert words in done.stderr and len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_filter_may_use_all_of_pythons_syntax(stand_in: Path, tmp_path: Path) -> None:
    done = call(stand_in, tmp_path / "out", "--filter", r"(?i)^POST/direct/\w+/iterations:\d")
    assert done.returncode == 0, done.stderr
    assert set(stored(tmp_path / "out", "strategies.json")["benchmarks"]) == {"post/direct/none", "post/direct/irqs_off"}


def test_many_bursts_are_announced_as_long() -> None:
    """As long as a process of everything was seen to take."""
    names = ["post/a/none/iterations:53760/manual_time"] * 33 + ["post/a/irqs_off/iterations:5376/manual_time"] * 48
    names += ["post/a/none/cold/iterations:768/manual_time"] * 120 + ["invoke/a/none/iterations:1/manual_time"] * 352
    assert strategies.seconds_of(names) == pytest.approx(158, rel=0.02)
    assert strategies.seconds_of(names[:1]) == pytest.approx(2.5, rel=0.1)


def test_refuses_a_directory_that_is_not_empty(stand_in: Path, tmp_path: Path) -> None:
    done = call(stand_in, tmp_path)
    assert done.returncode == 2 and "is not empty" in done.stderr.splitlines()[-1]


def test_a_process_that_fails_leaves_the_others(stand_in: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = call(stand_in, out, FAIL_AT="2")
    assert done.returncode == 3 and "ended with status 1: out of luck" in done.stderr.splitlines()[-1]
    assert stored(out, "verdict.json")["verdict"] == "BROKEN"
    assert len(stored(out, "strategies.json")["runs"]) == 1
    assert "BROKEN" in (out / "report.html").read_text()


def test_ctrl_c_leaves_what_there_is(stand_in: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    process = subprocess.Popen(command(stand_in, out), env={**os.environ, "HANG_AT": "2"}, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))  # a background job has it ignored
    while "process 1 of 3" not in process.stderr.readline():
        assert process.poll() is None
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130 and "Traceback" not in errors
    assert stored(out, "verdict.json") | {"duration_s": 0} == {
        "schema": 1, "verdict": "INTERRUPTED", "why": "stopped after 1 of 3 processes", "duration_s": 0}
    assert len(stored(out, "strategies.json")["runs"]) == 1
    assert "stopped after 1 of 3 processes" in (out / "report.html").read_text()


@pytest.mark.parametrize("env, status, words", [({"GARBLE_AT": "2"}, 2, "is no text"), ({"GARBLE_ALL": "1"}, 3, "no text at all")])
def test_what_is_no_text_is_told_in_a_line(stand_in: Path, tmp_path: Path, env: dict[str, str], status: int, words: str) -> None:
    done = call(stand_in, tmp_path / "out", **env)
    assert done.returncode == status and "Traceback" not in done.stderr
    assert words in done.stderr.splitlines()[-1] and done.stderr.splitlines()[-1].startswith("strategies.py: ")
    assert stored(tmp_path / "out", "verdict.json")["verdict"] == "BROKEN"


def test_a_list_that_is_no_text_is_told_in_a_line(tmp_path: Path) -> None:
    program = tmp_path / "srcu_bench"
    program.write_text("#!/bin/sh\nprintf '\\377\\376'\n")
    program.chmod(0o755)
    done = call(program, tmp_path / "out")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "is no text" in done.stderr


def test_a_loud_process_runs_once_more(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    busy = iter([0.0, 1.5, 0.1, 1.5, 1.5])
    monkeypatch.setattr(strategies, "one_process", lambda *_: Measured({"others": next(busy)}))
    session = strategies.Session(tmp_path, tmp_path, [], "", {}, 0.0)
    strategies.measure(session, argparse.Namespace(processes=3, no_counts=True))
    assert [one.context["others"] for one in session.measured] == [0.0, 0.1, 1.5]  # there is one more try, not two


def test_others_are_those_who_are_not_ours() -> None:
    assert machine.others(machine.Used(100, 10, 50), machine.Used(104, 13, 60)) == pytest.approx(0.1)
    assert machine.others(machine.Used(100, 10, 50), machine.Used(101, 13, 60)) == 0
    assert machine.others(None, machine.Used(1, 1, 1)) is None
    begin = machine.Used.now()
    subprocess.run([sys.executable, "-c", "sum(range(5_000_000))"], check=True)
    end = machine.Used.now()
    assert begin and end and end.own > begin.own and end.busy >= begin.busy


def long_tail(count: int, longest: list[float]) -> Measured:
    run = Measured({})
    run.times["invoke/a/none"] = [1.0]
    run.counters["invoke/a/none"].update({"start_count": [float(count)], "start_p99_ns": [5.0],
                                          **{f"start_longest{i + 1}_ns": [value] for i, value in enumerate(longest)}})
    return run


def test_tails_of_all_processes_together() -> None:
    tails = [[9.0 - i + shift for i in range(16)] for shift in (0.0, 0.25, 0.5)]
    found = result([long_tail(500, tail) for tail in tails], {})["benchmarks"]["invoke/a/none"]
    every = sorted((value for tail in tails for value in tail), reverse=True)
    assert found["start_all_p99_ns"] == every[14]  # 15 of 1500 are beyond
    assert "start_all_p99.9_ns" not in found and not any("longest" in key for key in found)
    few = result([long_tail(300, tail) for tail in tails], {})["benchmarks"]["invoke/a/none"]
    assert "start_all_p99_ns" not in few
    unknown = result([long_tail(500, tail[:5]) for tail in tails], {})["benchmarks"]["invoke/a/none"]
    assert "start_all_p99_ns" not in unknown


def test_tails_of_many_processes_need_not_all_be_known() -> None:
    """33 of 29 times 112 samples are beyond, and no process has told so many."""
    tails = [[100.0 - i + number / 100 for i in range(32)] for number in range(29)]
    every = sorted((value for tail in tails for value in tail), reverse=True)
    assert result([long_tail(112, tail) for tail in tails], {})["benchmarks"]["invoke/a/none"]["start_all_p99_ns"] == short(every[32])
    shy = [*tails[:-1], [1000.0, 999.0]]  # there may be longer ones that it did not tell
    assert "start_all_p99_ns" not in result([long_tail(112, tail) for tail in shy], {})["benchmarks"]["invoke/a/none"]
    whole = [long_tail(112, tail) for tail in tails[:-1]] + [long_tail(2, [1000.0, 999.0])]
    found = result(whole, {})["benchmarks"]["invoke/a/none"]["start_all_p99_ns"]
    every = sorted((value for tail in shy for value in tail), reverse=True)
    assert found == short(every[31])  # 32 of 3138
    silent = long_tail(112, [1000.0, 999.0])
    del silent.counters["invoke/a/none"]["start_count"]  # what it told cannot be placed
    rest = result([silent, *map(long_tail, [112] * 28, tails[:-1])], {})["benchmarks"]["invoke/a/none"]["start_all_p99_ns"]
    assert rest == short(sorted((value for tail in tails[:-1] for value in tail), reverse=True)[31])  # 32 of 3136


def test_the_processors_counters_are_taken_where_there_are_some(stand_in: Path, tmp_path: Path) -> None:
    words = [str(SCRIPT), "--program", str(stand_in), "--out", str(tmp_path / "out"), "--processes", "1"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, env={**os.environ, "COUNTERS": "hardware"})
    assert done.returncode == 0, done.stderr
    counted = stored(tmp_path / "out", "strategies.json")["counted"]
    assert counted["tool"] == "the processor's counters"
    assert counted["posts"]["direct/none"]["first"]["instructions"] == [105, 105]
    assert "By the processor's counters" in html.unescape((tmp_path / "out" / "report.html").read_text())


def test_the_way_to_the_counters_is_open(tmp_path: Path) -> None:
    """By two that every kernel has: page faults and context switches."""
    if not REAL.exists():
        pytest.skip("srcu_bench is built with the preset release alone")
    words = [str(REAL), "--benchmark_filter=^post/direct/irqs_off/iterations", "--benchmark_format=json"]
    done = [subprocess.run(words, capture_output=True, check=True, timeout=120, env={**os.environ, **env})
            for env in ({}, {"SRCU_BENCH_COUNT": "software"})]
    found = [json.loads(one.stdout)["benchmarks"][0] for one in done]
    names = {f"{kind}_{what}" for kind in ("first", "later") for what in ("instructions", "lines")}
    assert not names & set(found[0])
    if not names & set(found[1]):
        pytest.skip("the kernel lets nobody count")
    assert all(found[1][name] == 0 for name in names if name.startswith("later"))  # most of these posts fault nowhere


def test_the_page_of_results_quotes_the_stored_run() -> None:
    done = subprocess.run([SCRIPT, "--answers", ROOT / "results" / "reference" / "strategies"], capture_output=True, text=True)
    assert done.returncode == 0 and len(done.stdout.splitlines()) > 20, done.stderr
    assert done.stdout in (ROOT / "results" / "README.md").read_text()


def words_of(page: Path) -> str:
    """Without its pictures, which other versions of the libraries draw otherwise."""
    return re.sub(r'src="data:[^"]*"', "", page.read_text())


def test_what_is_kept_of_the_stored_run_says_what_it_measured(tmp_path: Path) -> None:
    kept = ROOT / "results" / "reference" / "strategies"
    again = Path(shutil.copytree(kept, tmp_path / kept.name, ignore=shutil.ignore_patterns("summary.md", "report.html")))
    assert report(again).returncode == 0
    assert (again / "summary.md").read_text() == (kept / "summary.md").read_text()
    assert words_of(again / "report.html") == words_of(kept / "report.html")


def test_answers_go_into_a_page_that_has_a_place_for_them(tmp_path: Path) -> None:
    page, run = tmp_path / "page.md", ROOT / "scripts" / "tests" / "data" / "strategies"
    page.write_text(f"before\n{strategies.BLOCK[0]}\nold\n{strategies.BLOCK[1]}\nafter\n")
    assert strategies.quote(run, page) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("\nafter\n") and "What does a delay" in text and "\nold\n" not in text
    page.write_text("nothing")
    for where, what in ((page, "has no place"), (tmp_path / "none", "cannot read")):
        with pytest.raises(CannotCompare, match=what):
            strategies.quote(run, where)
    with pytest.raises(CannotCompare, match="is no run of strategies.py"):
        strategies.quote(tmp_path, None)


def test_what_a_process_did_not_say_is_told_apart() -> None:
    runs = [Measured({}), Measured({}), Measured({})]
    runs[0].times["post/a/none"], runs[2].times["post/a/none"] = [1.23456], [float("inf")]
    assert columns(runs) == {"post/a/none": {"time_ns": [1.235, None, None]}}
    assert json.loads(text_of({"schema": 1, "benchmarks": columns(runs)}))["benchmarks"]["post/a/none"]["time_ns"] == [1.235, None, None]
    assert [short(x) for x in (123456.0, 0.00012345, 7.0)] == [123500, 0.0001234, 7]


CALLGRIND = """events: Ir D1mr D1mw
fn=(1) somebody else
1 1000 50 50
cfn=(2) torture::(anonymous namespace)::counted_first_post(torture::BenchDomain&, rcu_head*)
calls=2 17
1 1600 80 20

fn=(2)
17 10 0 0
+1 6 0 0
cfn=(3) call_srcu
calls=2 90
* 1584 80 20
-2 0 0 0

fn=(4) torture::(anonymous namespace)::counted_later_post(torture::BenchDomain&, rcu_head*, unsigned int)
9 30
cfn=(3)
calls=1 90
+1 217 0 1
cfn=(3)
calls=2 90
+2 434 0 2
"""


def test_callgrinds_counts_are_of_one_post() -> None:
    dump = parse(CALLGRIND)
    assert (dump.each("first", "Ir"), dump.each("first", "D1mr"), dump.each("first", "D1mw")) == (800, 40, 10)
    assert (dump.each("later", "Ir"), dump.each("later", "D1mw"), dump.each("later", "no such")) == (227, 1, None)
    assert parse("events: Ir\nfn=(1) x\n1 7\n").each("first", "Ir") is None


def test_both_counts_are_kept() -> None:
    one, other = ({"direct/none": {"later": {"instructions": value, "lines": None}}} for value in (227.0, 229.04))
    assert twice(one, other) == {"direct/none": {"later": {"instructions": [227.0, 229.0], "lines": [None, None]}}}


def real(out: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    if not REAL.exists():
        pytest.skip("srcu_bench is built with the preset release alone")
    words = [str(SCRIPT), "--program", str(REAL), "--out", str(out), "--processes", "1", *options]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, env={**os.environ, **env})


def test_quick_really_runs(tmp_path: Path) -> None:
    done = real(tmp_path / "out", "--quick", "--no-counts")
    assert done.returncode == 0, done.stderr
    benchmarks = stored(tmp_path / "out", "strategies.json")["benchmarks"]
    assert {name.split("/")[0] for name in benchmarks} == {"post", "invoke", "throughput", "deferral"}
    assert {"post/direct-again/irqs_off", "post/nolock:irqs_off+call_srcu/none", "post/irq_work/rq_lock",
            "invoke/direct-again/none", "post/bpf_defer-node/nmi", "post/direct/none/cold"} <= set(benchmarks)
    needed = {place: benchmarks[f"deferral/nolock:irqs_off/{place}"] for place in ("none", "irqs_off", "rq_lock")}
    shares = [[one[f"{what}_share"] for what in ("deferred", "needed", "needless")] for one in needed.values()]
    assert shares == [[0, 0, 0], [1, 0, 1], [1, 1, 0]]
    assert benchmarks["post/direct/none"]["clock_ns"] > 0
    assert benchmarks["throughput/direct/none/posters:16"]["active_posters"] in range(1, 17)
    for one in ("direct", "irq_work"):
        invoked, posted = benchmarks[f"invoke/{one}/none"], benchmarks[f"post/{one}/none"]
        assert invoked["start_open_p50_ns"] >= invoked["start_p50_ns"] and invoked["invoke_p50_ns"] >= invoked["start_p50_ns"]
        assert invoked["start_open_p50_ns"] >= invoked["late_p50_ns"] and invoked["start_count"] == 1120
        assert posted["first_p50_ns"] > posted["later_p50_ns"] and (posted["first_count"], posted["later_count"]) == (1120, 15 * 1120)
    assert "too few processes, 1 where it takes 9" in (tmp_path / "out" / "report.html").read_text()


def test_posts_are_counted(tmp_path: Path) -> None:
    if not shutil.which("valgrind"):
        pytest.skip("valgrind is not installed")
    done = real(tmp_path / "out", "--filter", "^post/(direct|bpf_defer)/irqs_off(/cold)?/iterations")
    assert done.returncode == 0, done.stderr
    posts = stored(tmp_path / "out", "strategies.json")["counted"]["posts"]
    assert set(posts) == {"direct/irqs_off", "bpf_defer/irqs_off"}
    for kinds in posts.values():
        assert all(30 < count < 20_000 for kind in kinds.values() for count in kind["instructions"])
        assert all(1 <= count < 500 for kind in kinds.values() for count in kind["lines"])
    assert min(posts["direct/irqs_off"]["first"]["instructions"]) > max(posts["direct/irqs_off"]["later"]["instructions"])


def test_without_valgrind_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    for name in ("git", "env", "python3"):
        (tmp_path / "bin" / name).symlink_to(f"/usr/bin/{name}")
    done = real(tmp_path / "out", "--filter", "^post/direct/none/iterations", PATH=str(tmp_path / "bin"))
    assert done.returncode == 0, done.stderr
    assert "valgrind is not installed" in done.stderr
    assert "valgrind is not installed" in (tmp_path / "out" / "report.html").read_text()
