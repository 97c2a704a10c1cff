"""One stop, however often its signal comes and whomever in the group it reaches, ends in a verdict and a last line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import ROOT, Program
from test_lost_nothing import children_of, wait_for_torture

RUN = ["--flavor", "urcu-memb", "--duration", "60s", "--set", "sample_interval=100ms"]


def wait_for(happened: Callable[[], bool], run: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < end and run.poll() is None, "it does not come to that"
        time.sleep(0.005)


def again_and_again(group: int, run: subprocess.Popen[str], seconds: float = 2) -> None:
    """To the whole group, as a terminal and many a CI's runner do."""
    end = time.monotonic() + seconds
    while run.poll() is None and time.monotonic() < end:
        try:
            os.killpg(group, signal.SIGTERM)
        except ProcessLookupError:
            return
        time.sleep(0.05)


def expect_last_words(program: Program, out: str, err: str) -> None:
    assert out.splitlines()[-2].startswith("INTERRUPTED: "), out + err
    assert out.splitlines()[-1] == f"results in {program.dir}"
    assert json.loads((program.dir / "verdict.json").read_text())["verdict"] == "INTERRUPTED"
    assert (program.dir / "report.html").exists(), err
    assert not list(program.dir.rglob("*.tmp")) and not list(program.dir.rglob("canary"))


def test_timeout(program: Program) -> None:
    """timeout(1) sends the signal to the program, and then to its group, where the program is too."""
    command = ["timeout", "--preserve-status", "5", *program.command("run", "--out", str(program.dir), *RUN)]
    done = subprocess.run(command, cwd=program.cwd, capture_output=True, text=True, timeout=120)
    assert done.returncode == 128 + signal.SIGTERM
    expect_last_words(program, done.stdout, done.stderr)


@pytest.mark.parametrize("moment", ["start", "canary", "torture"])
def test_whole_group_many_times(program: Program, moment: str) -> None:
    # Without readers the canary is not caught, and lives for seconds.
    blind = ["--set", "nreaders=0", "--set", "read_exit_burst=0"] if moment == "canary" else []
    run = program.start(*RUN, *blind, start_new_session=True)
    if moment == "start":
        wait_for(program.dir.exists, run)
    elif moment == "canary":
        events = program.dir / "basic" / "canary" / "events.jsonl"
        wait_for(lambda: events.exists() and '"torture"' in events.read_text(), run)
    else:
        wait_for_torture(program)
    again_and_again(run.pid, run)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 128 + signal.SIGTERM
    expect_last_words(program, out, err)


HANGS_IN_CREATE = """
#include "torture/ops.h"
#include <unistd.h>
static void *create_and_hang(void) { for (;;) pause(); }
static uint64_t lock(void *dom, void *ctx) { (void)dom, (void)ctx; return 0; }
static void unlock(void *dom, void *ctx, uint64_t token) { (void)dom, (void)ctx, (void)token; }
static void synchronize(void *dom, void *ctx) { (void)dom, (void)ctx; }
const struct srcutorture_ops srcutorture_ops = {
    .version = SRCUTORTURE_OPS_VERSION, .size = sizeof(struct srcutorture_ops), .name = "hanging", .create = create_and_hang,
    .read_lock = lock, .read_unlock = unlock, .synchronize = synchronize};
"""


def test_stop_that_the_scheme_does_not_obey(program: Program) -> None:
    """It was stopped, and where it was is told; whether it would ever have gone on is not known."""
    subprocess.run(["cc", "-g", "-shared", "-fPIC", "-I", ROOT, "-x", "c", "-", "-o", program.cwd / "hanging.so"],
                   input=HANGS_IN_CREATE, text=True, check=True)
    run = program.start("--plugin", "./hanging.so", "--duration", "60s")
    events = program.dir / "basic" / "events.jsonl"
    wait_for(lambda: events.exists() and '"canary"' in events.read_text(), run)
    time.sleep(1)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=120)
    assert run.returncode == 128 + signal.SIGINT
    expect_last_words(program, out, err)
    assert "did not obey" in json.loads((program.dir / "verdict.json").read_text())["why"]
    assert "create_and_hang" in (program.dir / "basic" / "stacks.txt").read_text()


def test_canary_that_ended_in_another_way_is_missed(program: Program) -> None:
    run = program.start(*RUN, "--set", "nreaders=0", "--set", "read_exit_burst=0")
    events = program.dir / "basic" / "canary" / "events.jsonl"
    wait_for(lambda: events.exists() and '"torture"' in events.read_text(), run)
    os.kill(children_of(run.pid)[0], signal.SIGSEGV)
    # Its verdict is known then, and the rest of the run adds nothing.
    wait_for(lambda: '"canary"' in Path(program.dir / "basic" / "events.jsonl").read_text()
             if (program.dir / "basic" / "events.jsonl").exists() else False, run)
    wait_for_torture(program)
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=120)
    assert run.returncode == 128 + signal.SIGINT
    verdict = json.loads((program.dir / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["canary"]) == ("BROKEN", "missed"), "stopped later, but blind before"
    assert "busted_no_wait was not caught by too_short_gp but by crash" in verdict["why"]
