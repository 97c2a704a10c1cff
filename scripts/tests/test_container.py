"""In a plain container some things are refused: a run does without them, or says in a line what to do."""

from __future__ import annotations

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from conftest import Ended, Program
from sandbox import AS_NOBODY, cgroup, entering, installed, refusing
from test_lost_nothing import checked, children_of, wait_for_torture


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path, installed(tmp_path))


@pytest.fixture
def for_everybody() -> Iterator[Program]:
    """The program where any user reaches it, run by a user without any right."""
    place = Path(tempfile.mkdtemp(prefix="srcutorture-"))
    try:
        place.chmod(0o755)
        cwd = place / "cwd"
        cwd.mkdir()
        cwd.chmod(0o777)
        yield Program(cwd, installed(place), AS_NOBODY if os.geteuid() == 0 else [])
    finally:
        shutil.rmtree(place)


QUICK = ("--duration", "500ms", "--set", "sample_interval=100ms")


def one_line(ended: Ended) -> str:
    """What the program itself says, once and in one line."""
    said = [line for line in ended.err.splitlines() if line.startswith("srcutorture: ")]
    assert len(said) == 1, ended.err
    return said[0]


def notes(ended: Ended) -> list[str]:
    console = (ended.dir / "basic" / "console.log").read_text()
    found = json.loads((ended.dir / "manifest.json").read_text())["machine"]["notes"]
    for note in found:
        assert f"-torture: {note}\n" in console
        assert f"note: {note}\n" in ended.err
    return found


def test_without_membarrier_it_runs_and_says_what_follows(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", *QUICK, preexec_fn=refusing(membarrier=errno.ENOSYS))
    assert (ended.status, ended.verdict()["verdict"]) == (0, "SUCCESS"), ended.err
    assert json.loads((ended.dir / "manifest.json").read_text())["machine"]["rights"]["membarrier"] is None
    assert [n for n in notes(ended) if "membarrier is refused (Function not implemented)" in n and "fence" in n]


def test_with_all_that_it_wants_there_is_nothing_to_note(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", *QUICK)
    if json.loads((ended.dir / "manifest.json").read_text())["machine"]["rights"]["membarrier"] is None:
        pytest.skip("this machine refuses membarrier by itself")
    assert not [n for n in notes(ended) if "membarrier" in n]


def test_hang_without_ptrace_leaves_stacks_by_signal(program: Program) -> None:
    ended = program.run("--flavor", "busted_stuck_gp", "--duration", "20s", "--set", "stall_limit=500ms",
                        preexec_fn=refusing(ptrace=errno.EPERM))
    assert (ended.status, ended.verdict()["verdict"]) == (1, "HANG")
    stacks = (ended.dir / "basic" / "stacks.txt").read_text()
    assert "by signal; gdb: ptrace refused" in stacks.splitlines()[0]
    assert "Updater" in stacks


def test_crash_without_ptrace_tells_where_by_signal(program: Program) -> None:
    run = program.start("--flavor", "urcu-memb", "--duration", "60s", "--set", "sample_interval=100ms",
                        preexec_fn=refusing(ptrace=errno.EPERM))
    wait_for_torture(program)
    os.kill(children_of(run.pid)[0], signal.SIGSEGV)
    run.communicate(timeout=60)
    assert run.returncode == 1
    assert json.loads((program.dir / "verdict.json").read_text())["signature"].startswith("crash:SIGSEGV")
    stacks = (program.dir / "basic" / "stacks.txt").read_text()
    assert "by signal; gdb: ptrace refused" in stacks.splitlines()[0]
    assert "Conductor" in stacks and "on_crash" in stacks


def test_nobody_without_any_capability_can_run_it(for_everybody: Program) -> None:
    ended = for_everybody.run("--flavor", "urcu-memb", *QUICK)
    assert (ended.status, ended.verdict()["verdict"]) == (0, "SUCCESS"), ended.err
    manifest = json.loads((ended.dir / "manifest.json").read_text())
    assert os.geteuid() != 0 or int(manifest["machine"]["rights"]["capabilities"], 16) == 0


def test_results_that_nobody_may_write_are_broken(for_everybody: Program) -> None:
    for_everybody.cwd.chmod(0o555)
    ended = for_everybody.run("--flavor", "urcu-memb", *QUICK)
    assert ended.status == 3
    assert "Permission denied; choose a writable --out" in one_line(ended)
    assert not list(for_everybody.cwd.iterdir())


def test_cpu_quota_is_noted(program: Program) -> None:
    with cgroup("cpu", {"cpu.cfs_quota_us": "80000"}, {"cpu.max": "80000 100000"}) as group:
        ended = program.run("--flavor", "urcu-memb", *QUICK, preexec_fn=entering(group))
    assert (ended.status, ended.verdict()["verdict"]) == (0, "SUCCESS"), ended.err
    assert json.loads((ended.dir / "manifest.json").read_text())["machine"]["cgroup"]["cpus"] == 0.8
    assert [n for n in notes(ended) if "a cgroup grants 0.80 of" in n and "cpu.max" in n]


@pytest.mark.parametrize("error", [errno.EINVAL, errno.EPERM])
def test_refused_pin_is_broken(program: Program, error: int) -> None:
    ended = program.run("--flavor", "urcu-memb", *QUICK, preexec_fn=refusing(sched_setaffinity=error))
    assert (ended.status, ended.verdict()["verdict"]) == (3, "BROKEN"), ended.err
    assert re.search(rf"thread \S+: cannot pin this thread to PU \d+: {os.strerror(error)}; .* --place none", one_line(ended))
    assert checked(program) == (3, "BROKEN")
    assert program.call("run", "--place", "none", "--flavor", "urcu-memb", *QUICK,
                        preexec_fn=refusing(sched_setaffinity=error)).status == 0


TWO_CPUS = pytest.mark.skipif(not {0, 1} <= os.sched_getaffinity(0), reason="needs CPUs 0 and 1")


def thread_named(child: int, name: str) -> int:
    for task in Path(f"/proc/{child}/task").iterdir():
        if (task / "comm").read_text().strip() == name:
            return int(task.name)
    raise AssertionError(f"no thread {name}")


def broken_by_another_hand(program: Program, run: subprocess.Popen[str], words: str) -> None:
    _, err = run.communicate(timeout=30)
    assert run.returncode == 3
    assert f"{words}: something else places threads here" in err
    assert json.loads((program.dir / "verdict.json").read_text())["verdict"] == "BROKEN"
    assert checked(program) == (3, "BROKEN")


@TWO_CPUS
def test_mask_that_is_changed_meanwhile_is_broken(program: Program) -> None:
    run = program.start("--flavor", "urcu-memb", "--duration", "60s", "--set", "sample_interval=100ms", "--place", "list:0")
    wait_for_torture(program)
    os.sched_setaffinity(thread_named(children_of(run.pid)[0], "reader/0"), {1})
    broken_by_another_hand(program, run, "thread reader/0 was pinned to CPU 0, but it may now run on 1")


@TWO_CPUS
def test_cpuset_that_is_changed_meanwhile_is_broken(program: Program) -> None:
    """As the static CPU manager of Kubernetes does it."""
    whole = {"cpuset.cpus": "0-1", "cpuset.mems": "0"}
    with cgroup("cpuset", whole, whole) as group:
        run = program.start("--flavor", "urcu-memb", "--duration", "60s", "--set", "sample_interval=100ms",
                            preexec_fn=entering(group))
        wait_for_torture(program)
        (group / "cpuset.cpus").write_text("1")
        broken_by_another_hand(program, run, "was pinned to CPU 0, but it may now run on 1")


@TWO_CPUS
def test_migrations_of_threads_that_are_not_pinned_are_counted(program: Program) -> None:
    run = program.start("--flavor", "urcu-memb", "--duration", "2s", "--place", "none", "--set", "sample_interval=100ms")
    wait_for_torture(program)
    tid = thread_named(children_of(run.pid)[0], "reader/0")
    for i in range(20):
        os.sched_setaffinity(tid, {i % 2})
        time.sleep(0.01)
    run.communicate(timeout=60)
    assert run.returncode == 0
    counts = json.loads((program.dir / "basic" / "verdict.json").read_text())["counts"]
    samples = [json.loads(line) for line in (program.dir / "basic" / "stats.jsonl").read_text().splitlines()]
    assert counts["migrations"] == samples[-1]["migrations"] >= 10


# Its callbacks stay, so that a flood takes all the memory there is.
HOARDER = ("--flavor", "busted_unbounded_garbage", "--duration", "60s", "--set", "garbage_bound=0", "--set", "phases=liveness",
           "--set", "cbflood_max=100000000", "--set", "fwd_progress_holdoff=1ms", "--set", "read_exit_burst=0")


def test_out_of_memory_kill_is_a_crash_that_says_so(for_everybody: Program) -> None:
    with cgroup("memory", {"memory.limit_in_bytes": "48M"}, {"memory.max": "48M", "memory.swap.max": "0"}) as group:
        ended = for_everybody.run(*HOARDER, preexec_fn=entering(group))
    assert (ended.status, ended.verdict()["verdict"]) == (1, "CRASH"), ended.err
    assert ended.verdict()["signature"] == "crash:SIGKILL"
    assert "out of memory" in ended.verdict("basic")["failures"][0]["message"]
    assert checked(for_everybody) == (1, "CRASH")


def limited(**limits: int) -> Callable[[], None]:
    """For preexec_fn: setrlimit(2)."""

    def limit() -> None:
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value))

    return limit


def test_memory_that_is_refused_is_broken(for_everybody: Program) -> None:
    ended = for_everybody.run(*HOARDER, preexec_fn=limited(RLIMIT_AS=400 << 20), env={**os.environ, "MALLOC_ARENA_MAX": "1"})
    assert ended.status == 3, ended.err
    assert "memory" in one_line(ended)  # most often flood/0 is the first that gets none
    assert one_line(ended).removeprefix("srcutorture: ") in ended.out
    assert checked(for_everybody) == (3, "BROKEN")


@pytest.mark.parametrize("mib", [100, 300])
def test_more_threads_than_the_address_space_holds_are_broken(for_everybody: Program, mib: int) -> None:
    ended = for_everybody.run("--flavor", "urcu-memb", "--set", "nreaders=31", *QUICK, preexec_fn=limited(RLIMIT_AS=mib << 20))
    assert ended.status == 3, ended.err
    assert "cannot start thread" in one_line(ended) and "use fewer threads" in one_line(ended)
    assert checked(for_everybody) == (3, "BROKEN")


def test_more_threads_than_a_user_may_have_are_broken(for_everybody: Program) -> None:
    """Whichever thread is the one too many: the child itself, the scheme's own, each role's, or one that comes later."""
    if os.geteuid() != 0:
        pytest.skip("needs root, to become a user of whom nothing else runs")
    for threads in range(1, 50):
        ended = for_everybody.run("--flavor", "urcu-memb", "--duration", "500ms", "--set", "phases=liveness",
                                  "--set", "read_exit_delay=10ms", preexec_fn=limited(RLIMIT_NPROC=threads))
        if ended.status == 0:
            break
        assert ended.status == 3, ended.err
        assert "raise the limits on processes" in ended.out, ended.out
        assert checked(for_everybody) == (3, "BROKEN")
        shutil.rmtree(ended.dir)
    assert 10 < threads < 49
