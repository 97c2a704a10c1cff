"""What torture/kernel/tests/engine/cells.py makes of what the engine says of a cell."""

from __future__ import annotations

import importlib.util
import sys

import pytest
from conftest import ROOT

SPEC = importlib.util.spec_from_file_location("kernel_engine_cells", ROOT / "torture" / "kernel" / "tests" / "engine" / "cells.py")
assert SPEC and SPEC.loader
cells = importlib.util.module_from_spec(SPEC)
sys.modules[SPEC.name] = cells
SPEC.loader.exec_module(cells)

RING = "T4 (poster) waits for sup->lock, held by T5 (load); T5 (load) waits for rq->__lock of CPU 0, held by T4 (poster)"


def said(verdict: str, what: str = "", lines: int = 8) -> dict:
    return {"test": "rq_lock/rc4/own/normal", "verdict": verdict, "executions": 9, "distinct": 9, "cpu_s": 0.1, "what": what,
            "token": "e2:0:rq_lock/rc4/own/normal", "story": ["T4 takes sup->lock"] * lines, "steps": 3000}


@pytest.mark.parametrize(("predicted", "test", "wrong"), [
    ("cycle", said("FAILURE", RING), ""),
    ("deadlock", said("FAILURE", "T4 waits for pool->lock, which it holds itself"), ""),
    ("ok", said("SUCCESS"), ""),
    ("class_only", said("SUCCESS"), ""),
    ("ok", said("FAILURE", RING), "hangs"),
    ("class_only", said("FAILURE", RING), "hangs"),
    ("deadlock", said("SUCCESS"), "does not hang"),
    ("cycle", said("FAILURE", "a data race"), "otherwise"),
    ("cycle", said("FAILURE", RING, lines=30), "30 lines"),
    ("ok", said("BROKEN"), "BROKEN"),
])
def test_a_cell_is_as_predicted_or_not(predicted: str, test: dict, wrong: str) -> None:
    told = cells.result_of(test, predicted).wrong()
    assert (wrong in told) if wrong else told == ""


def test_a_line_says_what_was_found_or_how_much_was_tried() -> None:
    line = cells.result_of(said("FAILURE", RING), "cycle").line()
    assert "execution 9, 8 lines: " + RING in line and line.endswith("e2:0:rq_lock/rc4/own/normal")
    assert "9 executions, 9 distinct, none hung" in cells.result_of(said("SUCCESS"), "ok").line()


def test_the_quick_choice_has_each_kind() -> None:
    assert cells.is_quick("rq_lock/direct/own/expedited") and cells.is_quick("none/rc4/expedited") and cells.is_quick("nmi_anywhere/direct")
    assert cells.is_quick("proved/nmi") and cells.is_quick("prover_hook")
    assert not cells.is_quick("rq_lock/direct/own/normal") and not cells.is_quick("rq_lock/bpf_defer/own/expedited")


def test_a_summary_counts_both() -> None:
    text = cells.summary([cells.result_of(said("FAILURE", RING), "cycle"), cells.result_of(said("SUCCESS"), "ok")])
    assert "1 hang: found in execution 9 (median), 9 (last); stories of 8 lines (median), 8 (longest)" in text
    assert "1 do not: 9 executions, 9 distinct schedules" in text
