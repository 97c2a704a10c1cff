"""Scenario NMI-STEP: an NMI on top of every instruction."""

from __future__ import annotations

import json
import platform
import signal
import time

import pytest
from conftest import Program, sanitizers

pytestmark = [pytest.mark.skipif(platform.machine() != "x86_64", reason="single-stepping is made for x86-64"),
              pytest.mark.skipif(bool(sanitizers()), reason="a sanitizer's own calls would be stepped too")]


def test_every_case_is_tried_and_judged(program: Program) -> None:
    running = program.start("NMI-STEP")
    said = running.communicate(timeout=1800)[1]
    assert running.returncode == 0, said
    verdict = json.loads((program.dir / "NMI-STEP" / "verdict.json").read_text())
    assert verdict["verdict"] == "SUCCESS"
    lines = (program.dir / "NMI-STEP" / "console.log").read_text().splitlines()
    assert verdict["counts"]["nmi_cases"] == len(lines) == len({line.split(": ")[0] for line in lines}) > 50
    assert verdict["counts"]["nmi_places"] > 5000


def test_stopped_it_says_so(program: Program) -> None:
    running = program.start("NMI-STEP")
    console = program.dir / "NMI-STEP" / "console.log"
    while not (console.exists() and console.read_text()):
        time.sleep(0.1)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=120)
    assert running.returncode == 130
    assert '"verdict": "INTERRUPTED"' in (program.dir / "NMI-STEP" / "verdict.json").read_text()


@pytest.mark.parametrize("words", [["--flavor", "urcu-mb"], ["--set", "session=nmi-stop"]])
def test_what_it_cannot_do_is_refused(program: Program, words: list[str]) -> None:
    ended = program.run("NMI-STEP", *words)
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert "nmi-step" in ended.err
    assert not ended.dir.exists()
