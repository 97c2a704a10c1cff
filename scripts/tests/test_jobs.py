"""Several scenarios side by side: each on CPUs of its own, none takes another along."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import ROOT, Ended, Program

CPUS = sorted(os.sched_getaffinity(0))
pytestmark = pytest.mark.skipif(len(CPUS) < 2, reason="two CPUs are needed for two jobs")

# Sound, but the first process that makes the file HANGS comes to a standstill in its hundredth grace period.
ONE_HANGS = """
#include <fcntl.h>
#include <pthread.h>
#include <torture/ops.h>
#include <unistd.h>
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic int ended;
static int hangs;
static void *create(void) { hangs = open("HANGS", O_CREAT | O_EXCL, 0600) >= 0; return &lock; }
static uint64_t read_lock(void *dom, void *ctx) { (void)ctx; pthread_mutex_lock(dom); return 0; }
static void read_unlock(void *dom, void *ctx, uint64_t t) { (void)ctx; (void)t; pthread_mutex_unlock(dom); }
static void synchronize(void *dom, void *ctx) {
  (void)ctx;
  while (hangs && ended > 100) pause();
  pthread_mutex_lock(dom);
  pthread_mutex_unlock(dom);
  ++ended;
}
const struct srcutorture_ops srcutorture_ops = {
    .version = SRCUTORTURE_OPS_VERSION, .size = sizeof(struct srcutorture_ops), .name = "one-hangs", .create = create,
    .read_lock = read_lock, .read_unlock = read_unlock, .synchronize = synchronize};
"""


def cpus_of(text: str) -> set[int]:
    """The set that "0-1,4" stands for."""
    bounds = [[int(n) for n in part.split("-")] for part in text.split(",")]
    return {cpu for b in bounds for cpu in range(b[0], b[-1] + 1)}


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def threads_of(pid: int) -> dict[str, set[int]]:
    """Where each thread of a process may run, by its name."""
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        allowed = re.search(r"Cpus_allowed_list:\s*(\S+)", (task / "status").read_text())
        assert allowed
        found[f"{(task / 'comm').read_text().strip()} {task.name}"] = cpus_of(allowed[1])
    return found


def two_started(program: Program, *args: str) -> subprocess.Popen[str]:
    """A run of basic and basic.2 side by side, as soon as both have taken a sample."""
    run = program.start("2*basic", "--flavor", "urcu-memb", "--jobs", "2", "--set", "sample_interval=100ms", *args)
    end = time.monotonic() + 60
    for scenario in ("basic", "basic.2"):
        stats = program.dir / scenario / "stats.jsonl"
        while not (stats.exists() and stats.stat().st_size > 0):
            assert time.monotonic() < end and run.poll() is None, "the tortures do not start"
            time.sleep(0.05)
    return run


def planned(out: str) -> dict[str, tuple[set[int], dict[str, int]]]:
    """What --dry-run prints: for each scenario its CPUs, and the CPU of each of its threads."""
    plan: dict[str, tuple[set[int], dict[str, int]]] = {}
    for line in out.splitlines():
        if begin := re.match(r"(\S+): .* on PUs (\S+)$", line):
            plan[begin[1]] = (cpus_of(begin[2]), {})
        elif seat := re.match(r"(\S+/\d+) on PU (\d+) ", line):
            plan[list(plan)[-1]][1][seat[1]] = int(seat[2])
    return plan


def log_words(ended: Path) -> list[str]:
    return [" ".join(line.rstrip(":").split()[2:4]).rstrip(":") for line in (ended / "log").read_text().splitlines()]


def torture_seconds(ended: Ended, scenario: str) -> float:
    return float(ended.verdict(scenario)["duration_s"])


def test_every_thread_stays_on_the_cpus_that_the_dry_run_showed(program: Program) -> None:
    dry = program.run("2*basic", "--flavor", "urcu-memb", "--jobs", "2", "--dry-run", "--seed", "0x5eed")
    plan = planned(dry.out)
    assert not plan["basic"][0] & plan["basic.2"][0]
    assert len(plan["basic"][0]) == len(plan["basic.2"][0]) == len(CPUS) // 2
    run = two_started(program, "--duration", "30s", "--seed", "0x5eed")
    by_child = [threads_of(pid) for pid in children_of(run.pid)]
    run.send_signal(signal.SIGINT)
    run.communicate(timeout=60)
    assert len(by_child) == 2
    for (cpus, seats), threads in zip(plan.values(), by_child):
        assert len(threads) > len(seats) > 5, "also the conductor and the scheme's own threads"
        assert all(allowed <= cpus for allowed in threads.values()), threads
        for seat, cpu in seats.items():
            assert {cpu} in [allowed for name, allowed in threads.items() if name.startswith(seat + " ")], seat


def test_two_run_at_a_time_and_the_third_when_one_has_ended(program: Program) -> None:
    ended = program.run("3*basic", "--flavor", "urcu-memb", "--jobs", "2", "--duration", "4s", "--seed", "0x5eed")
    assert ended.status == 0, ended.err
    words = log_words(ended.dir)
    assert words[:2] == ["basic starts", "basic.2 starts"]
    assert words.index("basic.3 starts") > words.index("basic ends")
    assert [s["verdict"] for s in ended.verdict()["scenarios"]] == ["SUCCESS"] * 3
    plan, manifest = (json.loads((ended.dir / name).read_text()) for name in ("plan.json", "manifest.json"))
    assert plan["jobs"] == manifest["jobs"] == 2
    assert "--jobs 2" in plan["rerun"]
    assert [s["duration_s"] for s in plan["scenarios"]] == [2, 2, 2], "two rounds in the time of the whole call"
    assert plan["scenarios"][0]["pus"] == plan["scenarios"][2]["pus"] != plan["scenarios"][1]["pus"]
    for scenario in ("basic", "basic.2", "basic.3"):
        assert f"{scenario}: urcu-memb for 2 s" in ended.err
        assert f"{scenario}: SUCCESS" in ended.err
        assert torture_seconds(ended, scenario) >= 2


@pytest.mark.parametrize(("scenarios", "jobs", "each"), [(4, 1, "2 s"), (4, 2, "4 s"), (3, 2, "4 s"), (2, 2, "8 s"),
                                                         (1, 2, "8 s")])
def test_budget_is_split(program: Program, scenarios: int, jobs: int, each: str) -> None:
    dry = program.run(f"{scenarios}*basic", "--jobs", str(jobs), "--duration", "8s", "--dry-run")
    assert len(re.findall(rf"^\S+: \S+ for {each}, ", dry.out, re.M)) == scenarios


@pytest.mark.parametrize("jobs", ["0", str(len(CPUS) + 1), "4000000000"])
def test_more_jobs_than_cpus_are_refused(program: Program, jobs: str) -> None:
    ended = program.run("basic", "--jobs", jobs)
    assert ended.status == 2
    assert f"choose --jobs from 1 to {len(CPUS)}" in ended.err
    assert len(ended.err.splitlines()) == 1
    assert not program.dir.exists()


def test_cpu_of_another_job_is_refused(program: Program) -> None:
    ended = program.run("2*basic", "--jobs", "2", "--place", f"list:{CPUS[-1]}")
    assert (ended.status, len(ended.err.splitlines())) == (2, 1)
    assert "with --jobs 2, basic runs on PUs" in ended.err
    assert not program.dir.exists()


def test_crash_of_one_leaves_the_other_alone(program: Program) -> None:
    run = two_started(program, "--duration", "6s")
    os.kill(children_of(run.pid)[0], signal.SIGSEGV)
    run.communicate(timeout=120)
    ended = Ended(run.returncode, "", "", program.dir)
    assert ended.status == 1
    assert [s["verdict"] for s in ended.verdict()["scenarios"]] == ["CRASH", "SUCCESS"]
    assert "Conductor" in (program.dir / "basic" / "stacks.txt").read_text()
    assert torture_seconds(ended, "basic.2") >= 6
    assert program.call("check", str(program.dir)).status == 1


def test_hang_of_one_leaves_the_other_alone(program: Program, tmp_path: Path) -> None:
    (tmp_path / "one_hangs.c").write_text(ONE_HANGS)
    subprocess.run(["cc", "-shared", "-fPIC", "-I", ROOT, "-o", "one_hangs.so", "one_hangs.c"], cwd=tmp_path, check=True)
    ended = program.run("2*basic", "--plugin", "./one_hangs.so", "--jobs", "2", "--duration", "10s", "--set",
                        "stall_limit=1s")
    assert (tmp_path / "HANGS").exists()
    assert ended.status == 1, ended.err
    assert sorted(s["verdict"] for s in ended.verdict()["scenarios"]) == ["HANG", "SUCCESS"], ended.err
    sound, hung = sorted(("basic", "basic.2"), key=lambda name: ended.verdict(name)["verdict"], reverse=True)
    assert torture_seconds(ended, sound) >= 10
    assert "synchronize" in (ended.dir / hung / "stacks.txt").read_text()


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM])
def test_signal_stops_all(program: Program, signo: signal.Signals) -> None:
    run = two_started(program, "--duration", "60s")
    children = children_of(run.pid)
    run.send_signal(signo)
    run.communicate(timeout=60)
    ended = Ended(run.returncode, "", "", program.dir)
    assert ended.status == 128 + signo
    for scenario in ("basic", "basic.2"):
        verdict = ended.verdict(scenario)
        assert (verdict["verdict"], verdict["why"]) == ("INTERRUPTED", f"stopped by {signo.name}")
        assert verdict["counts"]["reads"] > 0
    assert len(children) == 2 and not [pid for pid in children if Path(f"/proc/{pid}").exists()]


def test_canary_runs_once_and_first(program: Program) -> None:
    """Without readers it is missed, so that it leaves its files."""
    ended = program.run("2*basic", "--flavor", "urcu-memb", "--jobs", "2", "--duration", "1s", "--set", "nreaders=0",
                        "--set", "read_exit_burst=0", "--set", "least_reads=0")
    assert ended.status == 3
    assert [s["verdict"] for s in ended.verdict()["scenarios"]] == ["BROKEN"] * 2
    (canary,) = ended.dir.rglob("canary")
    last_word = (canary / "events.jsonl").stat().st_mtime_ns
    assert all(last_word <= (ended.dir / s / "seed.txt").stat().st_mtime_ns for s in ("basic", "basic.2"))


def test_terminal_names_all_that_run_in_one_line(program: Program) -> None:
    here, there = pty.openpty()
    with subprocess.Popen(program.command("run", "--out", str(program.dir), "2*basic", "--jobs", "2", "--duration", "3s"),
                          cwd=program.cwd, stdout=subprocess.DEVNULL, stderr=there) as run:
        os.close(there)
        text = ""
        while True:
            try:
                text += os.read(here, 4096).decode()
            except OSError:  # how Linux tells that the other side has closed
                break
        assert run.wait(timeout=60) == 0
    os.close(here)
    assert re.search(r"basic \+ basic\.2: \d+ s left, \d+ grace periods/s", text), text
    assert {"basic", "basic.2"} == set(re.findall(r"(\S+): \S*SUCCESS", re.sub(r"\x1b\[\S*?[a-zA-Z]", "", text)))
