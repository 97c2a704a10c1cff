"""compare.py on a program that stands in for srcu_bench, on stored files and on a stored run. Nothing is timed."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

import compare
from data import fake_bench
from lib import bench
from lib.bench import CouldNotMeasure
from lib.compare import live
from lib.compare.sides import Side

SCRIPT = ROOT / "scripts" / "compare.py"
FAKE = ROOT / "scripts" / "tests" / "data" / "fake_bench.py"
TIMES = {"read/x/threads:1": 10.0, "read/y": 5.0, "read/same": 7.0, "post/direct/none/manual_time": 100.0,
         "post/irq_work/none/manual_time": 150.0, "post/direct/rq_lock/manual_time": 100.0, "post/irq_work/rq_lock/manual_time": 80.0}
RUN = subprocess.run
LIVE = ("binaries", "strategies", "false-alarms")


@dataclass
class Ended:
    returncode: int
    stdout: str
    stderr: str


class Comparison:
    """A folder with programs A and B in it, and calls of compare.py, within this process: to start one takes a second."""

    def __init__(self, place: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.place, self.capture = place, capture
        self.a = self.program("a", **TIMES)
        self.b = self.program("b", **{**TIMES, "read/x/threads:1": 12.0, "read/y": 4.0})

    def program(self, program: str, settings: dict[str, Any] | None = None, **times: float) -> Path:
        (self.place / f"{program}.json").write_text(json.dumps({"times": times, "log": str(self.place / "log"), **(settings or {})}))
        return Path(shutil.copy(FAKE, self.place / f"{program}.py"))

    def call(self, kind: str, *words: str | Path) -> Ended:
        load = ["--any-load"] if kind in LIVE else []
        status = compare.main([kind, *map(str, words), *load, "--out", str(self.place / "out")])
        return Ended(status, *self.capture.readouterr())

    def words(self) -> dict[str, str]:
        return {row["name"]: row["word"] for row in self.json()["rows"]}

    def json(self) -> dict[str, Any]:
        return json.loads((self.place / "out.json").read_text())

    def calls(self) -> list[tuple[str, str]]:
        """Which program ran, and with which filter."""
        return [tuple(line.split(" ", 1)) for line in (self.place / "log").read_text().splitlines()]


def run_inside(command: list[Any], **how: Any) -> subprocess.CompletedProcess[str]:
    """In place of subprocess.run(): thirty programs a comparison take their time where others want the CPUs."""
    program = Path(command[0])
    if program.suffix != ".py" or not program.exists():
        return RUN(command, **how)
    status, said = fake_bench.answer(program, command[1:])
    if status:
        raise subprocess.CalledProcessError(status, command, b"", said.encode())
    return subprocess.CompletedProcess(command, status, said.encode(), b"")


@pytest.fixture
def comparison(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Comparison:
    monkeypatch.setattr(bench.subprocess, "run", run_inside)
    return Comparison(tmp_path, capsys)


def refused(done: Ended, *words: str, status: int = 2) -> None:
    assert done.returncode == status, done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stderr.startswith("compare.py: ") and done.stdout == ""
    assert all(word in done.stderr for word in words), done.stderr


def test_binaries(comparison: Comparison) -> None:
    done = comparison.call("binaries", comparison.a, comparison.b, "--filter", "^read/")
    assert done.returncode == 1, done.stderr
    assert comparison.words() == {"read/x/threads:1": "slower", "read/y": "faster", "read/same": "no difference seen"}
    row = comparison.json()["rows"][0]
    assert row["ratio"] == pytest.approx(1.2, rel=0.01) and len(row["a"]) == len(row["b"]) == len(row["again"]) == 9
    assert "| read/x/threads:1 | 9.99 ns | 12 ns | 1.2" in done.stdout and "**slower**" in done.stdout
    page = (comparison.place / "out.html").read_text()
    assert page.count("<tr><td>read/") == 3 and "src=\"data:image/png;base64," in page and "http://" not in page and "<script" not in page


def test_equal_programs_end_in_0_and_none_slower_too(comparison: Comparison) -> None:
    assert comparison.call("binaries", comparison.a, comparison.a).returncode == 0
    assert set(comparison.words().values()) == {"no difference seen"}
    assert comparison.call("binaries", comparison.a, comparison.b, "--filter", "read/y").returncode == 0


def test_sides_run_by_turns_in_an_order_that_the_seed_repeats(comparison: Comparison) -> None:
    orders = []
    for seed in ("1", "1", "2"):
        (comparison.place / "log").unlink(missing_ok=True)
        comparison.call("binaries", comparison.a, comparison.b, "--filter", "read/y", "--seed", seed)
        names = [name for name, _ in comparison.calls()]
        assert names[:2] == ["a", "b"]  # a short look at each
        orders.append([names[i : i + 3] for i in range(2, len(names), 3)])
    assert all(len(order) == 9 and all(sorted(turn) == ["a", "a", "b"] for turn in order) for order in orders)
    assert orders[0] == orders[1] != orders[2] and len({tuple(turn) for turn in orders[0]}) > 1


def test_strategies_of_one_program(comparison: Comparison) -> None:
    done = comparison.call("strategies", "direct", "irq_work", "--program", comparison.a)
    assert done.returncode == 1 and comparison.words() == {"post/*/none": "slower", "post/*/rq_lock": "faster"}
    filters = {which for _, which in comparison.calls()[2:]}
    assert filters == {f"^(post/{one}/none/manual_time|post/{one}/rq_lock/manual_time)$" for one in ("direct", "irq_work")}
    # These time themselves: real time, which the program says is twice the other.
    assert comparison.json()["rows"][0]["a"][0] == pytest.approx(200, rel=0.01)
    comparison.call("strategies", "direct", "irq_work", "--program", comparison.a, "--contexts", "rq_lock")
    assert list(comparison.words()) == ["post/*/rq_lock"]


@pytest.mark.parametrize(("words", "said"), [
    (["direct", "irq_wrok"], ["no benchmark of irq_wrok", "irq_work"]),
    (["direct", "irq_work", "--contexts", "nmi"], ["nmi", "none, rq_lock"]),
    (["direct", "irq_work", "--filter", "invoke"], ["matches invoke"]), (["x", "same"], ["no benchmark in common"]),
])
def test_unknown_strategies_and_contexts(comparison: Comparison, words: list[str], said: list[str]) -> None:
    refused(comparison.call("strategies", *words, "--program", comparison.a), *said)


@pytest.mark.parametrize(("words", "said"), [
    (["--filter", "reed/x"], ["no benchmark of", "read/x/threads:1"]), (["--filter", "("], ["no regular expression"]),
    (["--metric", "p98_ns"], ["no benchmark here gives p98_ns", "p99_ns"]),
])
def test_what_is_not_there_is_named(comparison: Comparison, words: list[str], said: list[str]) -> None:
    done = comparison.call("binaries", comparison.a, comparison.b, "--runs", "1", *words)
    done.stderr = "\n".join(line for line in done.stderr.splitlines() if not line.startswith("round "))
    refused(done, *said)


def test_metrics(comparison: Comparison) -> None:
    comparison.program("b", **{**TIMES, "read/y": 4.0})
    done = comparison.call("binaries", comparison.a, comparison.b, "--filter", "read/y", "--metric", "p99_ns", "--metric", "bytes")
    assert [(row["metric"], row["word"]) for row in comparison.json()["rows"]] == [("p99_ns", "faster"), ("bytes", "no difference seen")]
    assert "| read/y (p99_ns) | 15 ns | 12 ns |" in done.stdout and "| read/y (bytes) | 4,096 |" in done.stdout


@pytest.mark.parametrize("rate", ["callbacks_per_s", "items_per_second"])
def test_of_a_rate_more_is_faster(comparison: Comparison, rate: str) -> None:
    a, b = (comparison.program(side, {"counters": {rate: value}}, **TIMES) for side, value in (("a", 10e6), ("b", 20e6)))
    done = comparison.call("binaries", a, b, "--filter", "read/y", "--metric", rate)
    assert done.returncode == 0 and comparison.words() == {"read/y": "faster"}
    assert f"| read/y ({rate}) | 100 ns | 50 ns | 0.5" in done.stdout
    assert comparison.call("binaries", b, a, "--filter", "read/y", "--metric", rate).returncode == 1


@pytest.mark.parametrize(("kind", "percent", "count", "word"), [
    ("first_", 99, 112, "cannot tell"), ("first_", 99, 999, "cannot tell"), ("first_", 99, 1000, "no difference seen"),
    ("first_", 99.9, 1000, "cannot tell"), ("first_", 50, 112, "no difference seen"), ("first_", 1, 112, "cannot tell"),
    ("", 99, 101, "cannot tell"), ("", 99, 1001, "no difference seen")])
def test_percentiles_of_few_samples_say_so(comparison: Comparison, kind: str, percent: float, count: int, word: str) -> None:
    metric = f"{kind}p{percent:g}_ns"
    enough, few = ({f"{kind}count": float(number), metric: 5000.0} for number in (20_000, count))
    a, b = (comparison.program(side, {"counters": counters}, **TIMES) for side, counters in (("a", enough), ("b", few)))
    done = comparison.call("binaries", a, b, "--filter", "read/y", "--metric", metric)
    assert comparison.words() == {"read/y": word} and done.returncode == (3 if word == "cannot tell" else 0)
    assert (f"**cannot tell**: p{percent:g} of {count} samples" in done.stdout) == (word == "cannot tell")
    assert (comparison.json()["rows"][0]["ratio"] is None) == (word == "cannot tell")


@pytest.mark.parametrize("build", ["debug", "sanitizer", "unknown"])
def test_other_builds_are_refused_before_anything_is_measured(comparison: Comparison, build: str) -> None:
    other = comparison.program("other", {"build": build}, **TIMES)
    refused(comparison.call("binaries", comparison.a, other), f"{build} build", "build the preset release")
    assert len(comparison.calls()) == 2 and not (comparison.place / "out.json").exists()


def test_a_missing_program_and_one_that_fails(comparison: Comparison) -> None:
    refused(comparison.call("binaries", comparison.a, comparison.place / "none"), "cannot run", "build the target srcu_bench")
    refused(comparison.call("binaries", comparison.a, comparison.program("bad", {"fail": 3}, **TIMES)), "status 3", "no memory", status=3)


def test_few_runs_say_so_instead_of_a_ratio(comparison: Comparison) -> None:
    done = comparison.call("binaries", comparison.a, comparison.b, "--filter", "read/x", "--runs", "8")
    assert done.returncode == 3 and "| 10 ns | 12 ns |  |  |  | 8 / 8 / 8 | **cannot tell**: too few runs: 8 of at least 9" in done.stdout
    assert comparison.json()["rows"][0]["ratio"] is None


def test_names_are_escaped(comparison: Comparison) -> None:
    odd = comparison.program("odd", **{"read/<script>|": 5.0})
    done = comparison.call("binaries", odd, odd)
    assert "read/<script>\\|" in done.stdout and "<script" not in (comparison.place / "out.html").read_text()


def test_a_loud_machine_is_waited_for_and_then_named(monkeypatch: pytest.MonkeyPatch) -> None:
    loads, slept = [9.0, 9.0, 0.5], []
    monkeypatch.setattr(live.os, "getloadavg", lambda: (loads[0], 0, 0))
    monkeypatch.setattr(live.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(live.time, "sleep", lambda _: slept.append(loads.pop(0)))
    live.wait_until_quiet(1e9)
    assert slept == [9.0, 9.0]
    loads[0] = 2.5
    with pytest.raises(CouldNotMeasure, match=r"cannot tell: loud machine \(load 2.5 on 2 CPUs\); .*--any-load"):
        live.wait_until_quiet(0)


def test_false_alarms_are_counted(comparison: Comparison) -> None:
    done = comparison.call("false-alarms", "--program", comparison.a, "--simulated", "2", "--real", "2", "--filter", "read/y")
    assert done.returncode == 0, done.stderr
    found = comparison.json()
    assert found["real"] == {"comparisons": 2, "with_alarm": 0, "benchmarks": 2, "alarms": 0, "cannot_tell": 0}
    assert (found["simulated"]["benchmarks"], found["simulated_20_percent_slower"]["comparisons"]) == (20, 2)
    assert "| real | 2 | 0 | 2 | 0 | 0 |" in done.stdout


def test_real_false_alarms_are_counted_on_benchmarks_that_there_are() -> None:
    program = compare.BENCH
    assert program.exists(), f"{program} is missing: run scripts/test.sh, which builds it"
    found = live.listed(program, compare.QUICK, Side("A", "a"))
    assert {name.split("/")[0] for name in found} == {"read", "post", "synchronize", "throughput"} and len(found) >= 10
    assert {"post/direct/irqs_off", "post/irq_work/irqs_off", "post/nolock:irqs_off/pool_lock", "throughput/direct/none/posters:1"} <= found.keys()


def test_as_a_command(comparison: Comparison) -> None:
    """With real programs."""
    words = [SCRIPT, "binaries", comparison.a, comparison.b, "--filter", "read/x", "--any-load", "--out", comparison.place / "out"]
    done = RUN([*words, "--runs", "1"], capture_output=True, text=True)
    assert done.returncode == 3 and "**cannot tell**: too few runs: 1" in done.stdout and done.stderr == "round 1 of 1, 0 s left\n"
    assert len(comparison.calls()) == 5
    comparison.program("b", {"fail": 3}, **TIMES)
    done = RUN([*words, "--runs", "1"], capture_output=True, text=True)
    refused(Ended(done.returncode, done.stdout, done.stderr), "status 3", "no memory", status=3)
    assert RUN([*words, "--runs", "0"], capture_output=True).returncode == 2
