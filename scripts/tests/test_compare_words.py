"""Calls of compare.py that are wrong: a line, and status 2."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT
from test_compare import Comparison, comparison  # noqa: F401 (a fixture)
from test_compare_stored import one_process

sys.path.insert(0, str(ROOT / "scripts"))

import compare
from lib.report.judge import Series, judge


@pytest.mark.parametrize("words", [
    ["--seed", "-1"], ["--seed", "1e9"], ["--seed", "x"], ["--out", ""], ["--out", "/"], ["--out", ".."],
    ["--runs", "0"], ["--runs", "9" * 30],
    ["--min-time", "inf"], ["--min-time", "nan"], ["--min-time", "1e308"], ["--min-time", "-1"], ["--min-time", "0"], ["--patience", "inf"],
    ["--patience", "nan"], ["--patience", "-3"], ["--repetitions", "1.5"], ["--no-such"]], ids=" ".join)
def test_a_wrong_word_is_told_in_a_line(comparison: Comparison, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:  # noqa: F811
    with pytest.raises(SystemExit) as ended:
        compare.main(["binaries", str(comparison.a), str(comparison.b), "--any-load", *words])
    out, err = capsys.readouterr()
    assert ended.value.code == 2 and out == ""
    assert len(err.splitlines()) == 1 and err.startswith("compare.py: ")


def test_a_metric_that_nobody_gives_is_told_with_the_nearest(comparison: Comparison) -> None:  # noqa: F811
    a, b = ([one_process(comparison.place / f"{side}{i}") for i in range(9)] for side in "ab")
    done = comparison.call("files", "--a", *a, "--b", *b, "--metric", "cpu_tiem\n")
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1
    assert "no benchmark here gives cpu_tiem; nearest: cpu_time" in done.stderr


@pytest.mark.parametrize("time", [1e308, 5e-324, float("inf"), float("nan")])
def test_figures_at_the_edge_of_numbers_are_no_crash(comparison: Comparison, time: float) -> None:  # noqa: F811
    a = [one_process(comparison.place / f"a{i}", time=1.0) for i in range(9)]
    b = [one_process(comparison.place / f"b{i}", repetitions=1, time=time) for i in range(9)]
    done = comparison.call("files", "--a", *a, "--b", *b)
    assert done.returncode in (0, 1, 3) and "Traceback" not in done.stderr
    assert "nan" not in done.stdout.replace("nanosecond", "")


def test_output_that_is_no_text_is_told_in_a_line(comparison: Comparison, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    def garbled(command: list[Any], **_: Any) -> Any:
        import subprocess
        return subprocess.CompletedProcess(command, 0, b"\xff\xfe{", b"")

    monkeypatch.setattr("lib.bench.subprocess.run", garbled)
    done = comparison.call("binaries", comparison.a, comparison.b)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1 and "is no text" in done.stderr


def test_pairs_of_one_process_are_drawn_together() -> None:
    factors = [1, 1.5, 0.7, 1.2, 0.8, 1.4, 0.9, 1.1, 1]
    a, b = ([value * factor for factor in factors] for value in (100.0, 110.0))
    same = [(a, [value * 1.01 for value in a])]
    apart, together = (judge(Series("x", "", a, b, copies=same, paired=paired)) for paired in (False, True))
    assert apart.word == "cannot tell" and together.word == "slower"
    assert together.interval == pytest.approx((1.1, 1.1)) and together.same == pytest.approx((1.01, 1.01, 1.01))
