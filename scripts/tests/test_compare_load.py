"""compare.py beside others who want the CPUs, while it measures and when what it is given was measured."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import ROOT
from test_compare import Comparison, Ended, comparison  # noqa: F401 (a fixture)
from test_compare_stored import one_process

sys.path.insert(0, str(ROOT / "scripts"))

import compare
from lib.compare import live
from lib.strategies import machine

RUNS = 27  # nine of each side, and of A again
LOUD, QUIET = 0.61, 0.59  # CPUs, of the four that the stand-in says there are


def busy(monkeypatch: pytest.MonkeyPatch, values: Iterator[float | None]) -> None:
    """What others do, run by run; the machine that this runs on does not matter."""
    monkeypatch.setattr(machine, "others", lambda *_: next(values))
    monkeypatch.setattr(live, "too_loud", lambda: "")
    monkeypatch.setattr(compare.os, "getloadavg", lambda: (0.5, 0.5, 0.5))


def call(comparison: Comparison, *words: str) -> Ended:
    status = compare.main(["binaries", str(comparison.a), str(comparison.b), "--filter", "read/y", *words, "--out", str(comparison.place / "out")])
    return Ended(status, *comparison.capture.readouterr())


def test_a_loud_run_is_run_again(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch, iter([QUIET, LOUD, 3.0, QUIET] + RUNS * [QUIET]))
    done = call(comparison)
    assert done.returncode == 0 and comparison.words() == {"read/y": "faster"}, done.stdout
    assert len(comparison.calls()) == 2 + RUNS + 2
    assert done.stderr.splitlines()[0] == "others kept 0.61 of 4 CPUs busy; once more"
    assert "others kept 3 of 4 CPUs busy; once more" in done.stderr


def test_the_program_itself_is_nobody_else(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two CPUs' worth of work that are its own, and half a CPU of others', over a second."""
    looks = iter([machine.Used(100, 10, 0), machine.Used(102.5, 12, 1)])
    monkeypatch.setattr(machine.Used, "now", lambda: next(looks))
    subject = live.Subject(compare.Side("A", "a"), comparison.a, {})
    assert live.one_run(subject, "--benchmark_filter=read/y", live.Effort()).context["others"] == pytest.approx(0.5)


def test_what_stays_loud_says_so_instead_of_a_ratio(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch, iter([QUIET] + 100 * [LOUD]))
    done = call(comparison)
    assert done.returncode == 3 and comparison.words() == {"read/y": "cannot tell"}
    assert "**cannot tell**: loud machine: others kept 0.61 of 4 CPUs busy when A was measured, run " in done.stdout
    assert len(comparison.calls()) == 2 + RUNS + RUNS // 3
    kept = [Path(shutil.copy(comparison.place / f"out.{side}.json", comparison.place / side)) for side in "ab"]
    done = comparison.call("files", *kept)
    assert done.returncode == 3 and "loud machine: others kept 0.61 of 4 CPUs busy when A was measured" in done.stdout


def test_one_loud_run_of_the_last_side_is_enough(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch, iter((RUNS - 1) * [QUIET] + 100 * [LOUD]))
    assert call(comparison).returncode == 3 and comparison.words() == {"read/y": "cannot tell"}


def test_any_load_runs_nothing_again_and_judges(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch, iter(100 * [LOUD]))
    done = call(comparison, "--any-load")
    assert done.returncode == 0 and comparison.words() == {"read/y": "faster"}
    assert len(comparison.calls()) == 2 + RUNS


def test_a_kernel_that_does_not_say_is_no_obstacle(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    busy(monkeypatch, iter(100 * [None]))
    assert call(comparison).returncode == 0 and "others" not in json.loads((comparison.place / "out.a.json").read_text())["context"]


@pytest.mark.parametrize(("context", "said"), [({"load_avg": [2.5]}, "load 2.5 on 2 CPUs"),
                                               ({"others": 0.31}, "others kept 0.31 of 2 CPUs busy")])
def test_every_stored_run_is_looked_at(comparison: Comparison, context: dict[str, object], said: str) -> None:
    files = {side: [one_process(comparison.place / f"{side}{i}", **(context if (side, i) == ("b", 6) else {})) for i in range(9)] for side in "ab"}
    done = comparison.call("files", "--a", *files["a"], "--b", *files["b"])
    assert done.returncode == 3 and f"loud machine: {said} when B was measured, run 7 of 9" in done.stdout
    assert comparison.call("files", "--a", *files["a"], "--b", *files["b"], "--any-load").returncode == 0


def test_false_alarms_are_not_counted_on_a_loud_machine(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor in the second comparison, when the load is the first one's."""
    busy(monkeypatch, iter(200 * [LOUD]))
    words = ["--program", str(comparison.a), "--simulated", "1", "--real", "2", "--filter", "read/y"]
    assert compare.main(["false-alarms", *words, "--out", str(comparison.place / "out")]) == 0
    assert comparison.json()["real"] == {"comparisons": 2, "with_alarm": 0, "benchmarks": 2, "alarms": 0, "cannot_tell": 2}
