"""srcutorture matrix, with cells that answer what is predicted of them but for one that FAKE_CELL spoils."""

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
from conftest import PROGRAM, Ended, Program

FAKES = PROGRAM.parent / "torture" / "cli" / "srcutorture_fake_cells"
FEW = ["--contexts", "rq_lock,none", "--strategies", "direct,irq_work"]


@pytest.fixture
def matrix(tmp_path: Path) -> Program:
    assert FAKES.exists(), f"{FAKES} is missing: run scripts/test.sh, which builds it"
    return Program(tmp_path, FAKES)


def run(matrix: Program, *args: str, spoil: str = "") -> Ended:
    return matrix.call("matrix", "--out", str(matrix.dir), *args, env={**os.environ, "FAKE_CELL": spoil})


def cells(ended: Ended) -> list[dict[str, Any]]:
    return json.loads((ended.dir / "matrix.json").read_text())["cells"]


def test_what_agrees_is_success(matrix: Program) -> None:
    ended = run(matrix, *FEW)
    assert ended.status == 0, ended.err
    found = cells(ended)
    assert len(found) == 2 * (8 + 4)  # rq_lock has an instance
    own = [c for c in found if c["context"] == "rq_lock" and c["strategy"] == "direct" and c["instance"] == "own"]
    assert {(c["predicted"], c["prover"], c["real"]) for c in own} == {("deadlock", "lock_cycle", "self_deadlock")}
    assert {(c["pace"], c["preempt_rt"]) for c in own} == {(p, rt) for p in ("normal", "expedited") for rt in (False, True)}
    assert own[0] | {"tries": 20, "post_to_invoke_ns": {"p50": 1500, "p99": 90000}} == own[0]
    assert "pool -> <rq> -> pool" in (ended.dir / own[0]["evidence"]).read_text()
    assert ended.verdict()["verdict"] == "SUCCESS"
    assert {p.name for p in ended.dir.iterdir()} >= {"manifest.json", "plan.json", "log", "matrix.json", "verdict.json", "cells"}
    assert json.loads((ended.dir / "plan.json").read_text())["rerun"].endswith("matrix " + " ".join(FEW))
    assert not list(ended.dir.rglob("*.tmp"))


def test_no_deferral_is_needless_where_the_direct_path_is_predicted_to_fail(matrix: Program) -> None:
    """Each cell says that a quarter of its deferrals met no lock of their own thread's; direct under another CPU's lock is a cycle."""
    ended = run(matrix, "--contexts", "rq_lock,irqs_off,deferral_drain", "--strategies", "defer_irqoff")
    found = {(c["context"], c["instance"]): c["needless_deferrals"] for c in cells(ended)}
    assert found == {("rq_lock", "own"): 0, ("rq_lock", "other"): 0, ("irqs_off", "own"): 0.25, ("deferral_drain", "own"): 0}


def test_summary_holds_the_worst_cell_of_each_pair(matrix: Program) -> None:
    ended = run(matrix, "--contexts", "rq_lock", "--strategies", "rc4,delayed")
    summary = json.loads((ended.dir / "matrix.json").read_text())["summary"]
    assert [(s["strategy"], s["predicted"], s["real"]) for s in summary] == [("rc4", "deadlock", "self_deadlock"), ("delayed", "ok", "ok")]


@pytest.mark.parametrize(("spoil", "check", "verdict"), [
    ("none direct real self_deadlock", "self_deadlock", "DEADLOCK"),
    ("none direct prover lock_cycle", "lock_cycle", "DEADLOCK"),
    ("none direct real lost_callback", "lost_callback", "FAILURE"),
    ("none direct real crash", "crash", "CRASH"),
    ("none direct prover mute", "", "BROKEN"),
    ("none direct real broken", "", "BROKEN"),
    ("rq_lock direct prover ok", "lock_cycle", "FAILURE"),
    ("rq_lock direct real ok", "self_deadlock", "FAILURE"),
])
def test_what_contradicts_is_not(matrix: Program, spoil: str, check: str, verdict: str) -> None:
    ended = run(matrix, *FEW, spoil=spoil)
    if verdict == "BROKEN":
        assert ended.status == 3
        assert "without an outcome" in ended.err or "no CPU to pin to" in ended.err
        assert len(ended.err.strip().splitlines()) == 1
        assert ended.verdict()["verdict"] == "BROKEN" and "of 24 cells had run" in ended.verdict()["why"]
        assert len(cells(ended)) < 24
        assert matrix.call("check", str(ended.dir)).status == 3
        return
    assert ended.status == 1
    assert ended.verdict()["verdict"] == verdict
    assert ended.verdict()["failures"][0]["check"] in (check, "self_deadlock" if verdict == "FAILURE" else check)
    context, strategy, *_ = spoil.split()
    assert "Contradictions" in ended.out and f"{context} x {strategy}" in ended.out
    wrong = {(c["context"], c["strategy"]) for c in cells(ended) if c["contradiction"]}
    assert wrong == {(context, strategy)}
    assert matrix.call("check", str(ended.dir)).status == 1


def test_a_crash_takes_no_other_cell_with_it_and_leaves_its_last_words(matrix: Program) -> None:
    ended = run(matrix, *FEW, spoil="none direct real crash")
    crashed = [c for c in cells(ended) if c["real"] == "crash"]
    assert len(crashed) == 4 and len(cells(ended)) == 24
    words = (ended.dir / crashed[0]["evidence"]).read_text()
    assert "SIGSEGV" in words and "down" in words


def test_a_hang_is_ended_with_stacks(matrix: Program) -> None:
    began = time.monotonic()
    ended = run(matrix, "--quick", "--contexts", "none", "--strategies", "direct,delayed", spoil="none direct real hang")
    assert 9 < time.monotonic() - began < 60
    assert ended.status == 1
    hung = {c["strategy"]: c for c in cells(ended)}
    assert hung["direct"]["real"] == "stalled_gp" and hung["delayed"]["real"] == "ok"
    assert "nothing was told within 10 s" in (words := (ended.dir / hung["direct"]["evidence"]).read_text())
    assert "pause" in words
    assert ended.verdict()["verdict"] == "HANG"


def test_nothing_tried_is_not_success(matrix: Program) -> None:
    ended = run(matrix, "--contexts", "snp_lock", "--strategies", "direct")
    assert ended.status == 4
    assert ended.verdict()["verdict"] == "INCONCLUSIVE"


def test_tracepoints_are_proved_alone(matrix: Program) -> None:
    ended = run(matrix, "--contexts", "tp:sched:*", "--strategies", "direct", spoil="tp:sched:* direct prover lock_cycle")
    assert ended.status == 0, ended.err
    assert {(c["prover"], c["real"], c["contradiction"]) for c in cells(ended)} == {("lock_cycle", "n/a", "")}


@pytest.mark.parametrize(("args", "cure"), [
    (["--contexts", "rq_lok"], "no context 'rq_lok'; did you mean rq_lock?"),
    (["--contexts", ""], "not an empty word"),
    (["--contexts", "none,,nmi"], "no context ''"),
    (["--contexts", "tp:shed:*"], "no tracepoint matches 'shed:*'; did you mean sched"),
    (["--contexts", "tp:"], "no tracepoint matches ''"),
    (["--strategies", "diract"], "did you mean direct?"),
    (["--strategies", "nolock:in_nm"], "or nolock:in_nmi or"),
    (["--frobnicate"], "--frobnicate"),
    (["extra"], "extra"),
])
def test_bad_option(matrix: Program, args: list[str], cure: str) -> None:
    ended = run(matrix, *args)
    assert ended.status == 2, ended.err
    assert cure in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert not matrix.dir.exists()


def test_nolock_is_another_name(matrix: Program) -> None:
    ended = run(matrix, "--quick", "--contexts", "none", "--strategies", "nolock,nolock:irqs_off")
    assert [c["strategy"] for c in cells(ended)] == ["nolock:irqs_off"]


@pytest.mark.parametrize("words", [[], ["none"], ["none", "direct", "own", "same", "normal", "no-rt", "real", "x"]])
def test_the_hidden_command_is_for_the_program(matrix: Program, words: list[str]) -> None:
    ended = matrix.call("matrix-cell", *words)
    assert ended.status == 2
    assert "srcutorture matrix" in ended.err
    assert "matrix-cell" not in matrix.call("--help").out


@pytest.mark.parametrize("what", ["contexts", "strategies", "tracepoints"])
def test_lists(matrix: Program, what: str) -> None:
    names = [line.split("\t")[0] for line in matrix.call("list", what).out.splitlines()]
    assert {"contexts": "sup_lock", "strategies": "bpf_defer", "tracepoints": "sched:wakeup"}[what] in names
    assert all(line.count("\t") == 1 for line in matrix.call("list", what).out.splitlines())


def test_a_tracepoint_says_where_it_stands(matrix: Program) -> None:
    said = dict(line.split("\t") for line in matrix.call("list", "tracepoints").out.splitlines())
    assert len(set(said.values())) == len(said)
    assert said["workqueue:queue"] == "work is being queued: the pool's lock is held"
    assert said["timer:expire"].endswith("softirq, no lock is held")


def test_used_directory_is_refused(matrix: Program) -> None:
    matrix.dir.mkdir()
    (matrix.dir / "mine").write_text("mine")
    assert run(matrix, *FEW).status == 2
    assert [p.name for p in matrix.dir.iterdir()] == ["mine"]


def test_colours_only_on_a_terminal(matrix: Program) -> None:
    def on_terminal(**env: str) -> str:
        command = f"{FAKES} matrix --quick --contexts none --strategies direct"
        done = subprocess.run(["script", "-qec", command, "/dev/null"], cwd=matrix.cwd, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, env={**{k: v for k, v in os.environ.items() if k != "NO_COLOR"}, **env}, timeout=60)
        return done.stdout

    assert "\x1b" not in run(matrix, *FEW).out
    assert re.search("\x1b\\[38[^m]*mok", on_terminal())
    assert not re.search("\x1b\\[38", on_terminal(NO_COLOR="1"))


def test_stopped_it_writes_what_there_is(matrix: Program) -> None:
    env = {**os.environ, "FAKE_CELL": "none delayed real hang"}
    command = [str(FAKES), "matrix", "--out", str(matrix.dir), "--quick", "--contexts", "none", "--strategies", "direct,delayed"]
    running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    log = matrix.dir / "log"
    while not (log.exists() and "none x direct" in log.read_text()):
        assert running.poll() is None
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    running.communicate(timeout=60)
    assert running.returncode == 128 + signal.SIGINT
    verdict = json.loads((matrix.dir / "verdict.json").read_text())
    assert verdict["verdict"] == "INTERRUPTED" and "1 of 2 cells" in verdict["why"]
    assert matrix.call("check", str(matrix.dir)).status == 4


def test_killed_it_leaves_the_cells_that_ran(matrix: Program) -> None:
    env = {**os.environ, "FAKE_CELL": "none delayed real hang"}
    command = [str(FAKES), "matrix", "--out", str(matrix.dir), "--contexts", "none", "--strategies", "direct,delayed"]
    running = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while not (matrix.dir / "matrix.json").exists():
        assert running.poll() is None
        time.sleep(0.05)
    running.kill()
    running.communicate(timeout=60)
    ran = json.loads((matrix.dir / "matrix.json").read_text())["cells"]
    assert 0 < len(ran) < json.loads((matrix.dir / "plan.json").read_text())["cells"]
    judged = matrix.call("check", str(matrix.dir))
    assert judged.status == 1 and "none x delayed" in judged.out and judged.out.endswith("HANG\n")


def test_check_judges_again_from_the_files(matrix: Program) -> None:
    ended = run(matrix, *FEW)
    assert matrix.call("check", str(ended.dir)).status == 0
    file = ended.dir / "matrix.json"
    whole = file.read_text()
    file.write_text(whole.replace('"real": "ok"', '"real": "self_deadlock"'))
    assert matrix.call("check", str(ended.dir)).status == 1
    for text in ("{", "[]", '{"cells": [1]}', whole.replace('"predicted": "ok"', '"predicted": "maybe"')):
        file.write_text(text)
        assert matrix.call("check", str(ended.dir)).status == 2
    file.unlink()
    assert matrix.call("check", str(ended.dir)).status == 4
