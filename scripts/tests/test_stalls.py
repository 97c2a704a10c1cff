"""Grace periods that do not end, or take too long: who holds them up is said."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Ended, Program
from test_lost_nothing import children_of, wait_for_torture

SITTER = ROOT / "scripts" / "tests" / "data" / "sitter.c"


def sitter(tmp_path: Path, sit_ms: int) -> list[str]:
    """Arguments for a run of a scheme, one reader of which stays in its section so long (0: for ever)."""
    plugin = tmp_path / "sitter.so"
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", f"-I{ROOT}", f"-DSIT_MS={sit_ms}", "-o", plugin, SITTER], check=True)
    return ["--plugin", str(plugin), "--set", "read_exit_burst=0", "--set", "phases=races", "--seed", "0x5eed"]


def events(ended: Ended, name: str) -> list[dict[str, Any]]:
    lines = (ended.dir / "basic" / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["event"] == name]


def hang(ended: Ended) -> dict[str, Any]:
    """Its first failure, if it is a grace period that stood."""
    verdict = ended.verdict("basic")
    assert (ended.status, verdict["verdict"], verdict["failures"][0]["check"]) == (1, "HANG", "stalled_gp"), ended.err
    return verdict["failures"][0]


def test_reader_that_sits_in_its_section_is_named(program: Program, tmp_path: Path) -> None:
    ended = program.run(*sitter(tmp_path, 0), "--set", "stall_limit=1s", "--duration", "30s")
    message = hang(ended)["message"]
    assert re.match(r"(?:updater|fakewriter) 0 waits for a grace period that does not end \(limit 1\.0 s\); "
                    r"reader \d \(CPU \d+\) has been inside the same section at ", message), message
    assert "protect" in (ended.dir / "basic" / "stacks.txt").read_text()


def test_readers_are_asked_and_the_scheme_speaks_at_half_the_limit(program: Program, tmp_path: Path) -> None:
    ended = program.run(*sitter(tmp_path, 0), "--set", "stall_limit=1s", "--duration", "30s")
    [suspicion], [failure] = events(ended, "suspicion"), events(ended, "failure")
    assert suspicion["check"] in ("stalled_gp", "no_forward_progress")
    assert "has been inside the same section" in suspicion["message"]
    assert 0.4 < failure["t_s"] - suspicion["t_s"]
    state = [line for line in (ended.dir / "basic" / "console.log").read_text().splitlines() if ": state: " in line]
    assert len(state) == 4, "two lines at each of the two looks"
    assert re.fullmatch(r"sitter-torture: state: sections \d+", state[0])
    assert state[1] == "sitter-torture: state: and no more"


def test_stall_that_goes_by_is_a_suspicion_and_no_failure(program: Program, tmp_path: Path) -> None:
    ended = program.run(*sitter(tmp_path, 3000), "--set", "stall_limit=4s", "--set", "phase_length=1m", "--duration", "5s")
    assert (ended.status, ended.verdict()["verdict"]) == (0, "SUCCESS"), ended.err
    assert "has been inside the same section" in events(ended, "suspicion")[0]["message"]


def test_reader_that_sits_at_the_end_of_the_run_is_named(program: Program, tmp_path: Path) -> None:
    ended = program.run(*sitter(tmp_path, 0), "--set", "stall_limit=3s", "--duration", "1s")
    message = hang(ended)["message"]
    assert re.match(r"a thread does not come back from the scheme at the end of the run; "
                    r"reader \d \(CPU \d+\) has been inside the same section at ", message), message


def test_scheme_that_stands_still_itself_is_named(program: Program) -> None:
    ended = program.run("--flavor", "busted_stuck_gp", "--duration", "30s", "--set", "stall_limit=1s", "--seed", "0x5eed")
    message = hang(ended)["message"]
    assert "no reader stays inside a section: the scheme itself stands still" in message
    assert not (ended.dir / "basic" / "console.log").read_text().count(": state: "), "it has no print_state"


def test_stop_latency_ends_at_the_first_slow_grace_period(program: Program, tmp_path: Path) -> None:
    ended = program.run(*sitter(tmp_path, 2000), "--stop-latency", "300ms", "--duration", "30s")
    message = hang(ended)["message"]
    found = re.match(r"(?:updater|fakewriter) 0 has waited ([\d.]+) ms for a grace period in phase races "
                     r"\(limit 300 ms, --stop-latency\); reader \d \(CPU \d+\) has been inside the same section at ", message)
    assert found, message
    assert 300 < float(found[1]) < 1000
    assert "delays on purpose" not in message
    stacks = (ended.dir / "basic" / "stacks.txt").read_text()
    assert "protect" in stacks and "synchronize" in stacks
    assert "kill" in stacks, "the torture froze itself, at once"
    assert ": state: " in (ended.dir / "basic" / "console.log").read_text()
    assert ended.verdict("basic")["canary"] == "caught"
    assert events(ended, "start")[0]["stop_latency_ns"] == 300_000_000
    assert (ended.dir / "basic" / "gp.hgrm").exists(), "it came to its own end"
    assert program.call("check", str(ended.dir)).status == 1


def test_without_a_debugger_the_frozen_threads_are_let_go_on_to_answer(program: Program, tmp_path: Path) -> None:
    options = sitter(tmp_path, 0)
    (tmp_path / "bin").mkdir()
    ended = program.run(*options, "--stop-latency", "300ms", "--duration", "30s", env={"PATH": str(tmp_path / "bin")})
    hang(ended)
    assert (ended.dir / "basic" / "stacks.txt").read_text().splitlines()[0].split(";")[0].endswith(" by signal")
    assert (ended.dir / "basic" / "gp.hgrm").exists(), "it came to its own end"


def test_stop_latency_counts_delays_on_purpose_and_says_so(program: Program, tmp_path: Path) -> None:
    """A reader of the control phase spins for 50 ms now and then. On a busy machine, others may be slow first."""
    messages = []
    for attempt in range(6):
        program.dir = tmp_path / f"out{attempt}"
        ended = program.run("--flavor", "urcu-memb", "--duration", "30s", "--set", "phases=control", "--stop-latency", "20ms",
                            "--seed", hex(0x5EED + attempt))
        messages.append(hang(ended)["message"])
        assert "in phase control (limit 20 ms, --stop-latency)" in messages[-1]
        if "delays on purpose" in messages[-1]:
            assert "linger" in (ended.dir / "basic" / "stacks.txt").read_text()
            return
    pytest.fail("\n".join(messages))


def test_stop_latency_lets_faster_ones_pass(program: Program, tmp_path: Path) -> None:
    ended = program.run(*sitter(tmp_path, 300), "--stop-latency", "1m", "--duration", "3s")
    assert (ended.status, ended.verdict()["verdict"]) == (0, "SUCCESS"), ended.err


def test_stop_latency_does_not_count_what_the_machine_withholds(program: Program) -> None:
    run = program.start("--flavor", "urcu-memb", "--duration", "8s", "--set", "phases=races", "--set", "sample_interval=100ms",
                        "--stop-latency", "1s", "--seed", "0x5eed")
    wait_for_torture(program)
    child = children_of(run.pid)[0]
    for _ in range(2):
        os.kill(child, signal.SIGSTOP)
        time.sleep(2)
        os.kill(child, signal.SIGCONT)
        time.sleep(0.5)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, out + err


def test_stop_latency_without_anybody_who_waits_is_said(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "2s", "--set", "gp_normal=1", "--stop-latency", "50ms")
    assert "no --stop-latency" in (ended.dir / "basic" / "console.log").read_text()
