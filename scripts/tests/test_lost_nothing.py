"""However a run ends, its directory can be judged."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Ended, Program


def children_of(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def wait_for_torture(program: Program, scenario: str = "basic") -> None:
    """Until the real torture, not its canary, has taken a sample."""
    stats = program.dir / scenario / "stats.jsonl"
    end = time.monotonic() + 60
    while not (stats.exists() and stats.stat().st_size > 0):
        assert time.monotonic() < end, "the torture does not start"
        time.sleep(0.05)


def started(program: Program) -> subprocess.Popen[str]:
    run = program.start("--flavor", "urcu-memb", "--duration", "60s", "--set", "sample_interval=100ms",
                        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_DFL))  # these tests may run under nohup
    wait_for_torture(program)
    return run


def checked(program: Program) -> tuple[int, str]:
    before = sorted(p.name for p in program.dir.rglob("*"))
    ended = program.call("check", str(program.dir))
    assert sorted(p.name for p in program.dir.rglob("*")) == before, "check must write nothing"
    return ended.status, ended.out.splitlines()[-1]


def test_kill_9_of_the_child_is_a_crash(program: Program) -> None:
    run = started(program)
    os.kill(children_of(run.pid)[0], signal.SIGKILL)
    run.communicate(timeout=60)
    assert run.returncode == 1
    verdict = json.loads((program.dir / "basic" / "verdict.json").read_text())
    assert (verdict["verdict"], verdict["signature"]) == ("CRASH", "crash:SIGKILL")
    assert verdict["counts"]["reads"] > 0
    assert checked(program) == (1, "CRASH")


def test_kill_9_of_the_supervisor_is_interrupted_and_ends_the_child(program: Program) -> None:
    run = started(program)
    child = children_of(run.pid)[0]
    run.kill()
    run.communicate(timeout=60)
    assert checked(program) == (4, "INTERRUPTED")
    end = time.monotonic() + 30
    while Path(f"/proc/{child}/status").exists() and "State:\tZ" not in Path(f"/proc/{child}/status").read_text():
        assert time.monotonic() < end, "the child outlives its supervisor"
        time.sleep(0.1)


def test_samples_tell_what_a_verdict_says(program: Program) -> None:
    run = started(program)
    run.kill()
    run.communicate(timeout=60)
    sample = json.loads((program.dir / "basic" / "stats.jsonl").read_text().splitlines()[0])
    assert sample["gp_latency_ns"]["max"] >= sample["gp_max_ns"] > 0 and "signals" in sample["injectors"]
    assert sample["pending_bytes_max"] >= sample["pending_bytes"]


@pytest.mark.parametrize("signo", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stop_writes_what_there_is(program: Program, signo: signal.Signals) -> None:
    run = started(program)
    run.send_signal(signo)
    run.communicate(timeout=60)
    assert run.returncode == 128 + signo
    verdict = json.loads((program.dir / "verdict.json").read_text())
    assert verdict["verdict"] == "INTERRUPTED"
    assert verdict["counts"]["reads"] > 0


def test_crash_leaves_stacks_and_its_signal(program: Program) -> None:
    run = started(program)
    os.kill(children_of(run.pid)[0], signal.SIGSEGV)
    run.communicate(timeout=90)
    assert run.returncode == 1
    verdict = json.loads((program.dir / "basic" / "verdict.json").read_text())
    assert verdict["verdict"] == "CRASH"
    assert verdict["failures"][0]["check"] == "crash"
    assert "Conductor" in (program.dir / "basic" / "stacks.txt").read_text()


def test_hang_leaves_stacks_of_the_thread_that_hangs(program: Program) -> None:
    ended = program.run("--flavor", "busted_stuck_gp", "--duration", "30s")
    assert (ended.status, ended.verdict()["verdict"]) == (1, "HANG")
    assert "updater" in ended.verdict("basic")["failures"][0]["message"]
    assert "Updater" in (ended.dir / "basic" / "stacks.txt").read_text()


def test_full_disk_is_broken(program: Program) -> None:
    """A file-size limit stands in for a full disk: the same write fails in the same place."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))

    ended = program.run("--flavor", "urcu-memb", "--duration", "20s", "--set", "sample_interval=100ms", preexec_fn=limit)
    assert ended.status == 3, ended.err
    assert "cannot write" in ended.err and "raise the limit on file sizes" in ended.err
    assert checked(program) == (3, "BROKEN")


def outlives(program: Program, **streams: int | None) -> None:
    """What the program has to say cannot be said there, and the run is a run all the same."""
    words = program.command("run", "--out", str(program.dir), "--flavor", "trivial", "--duration", "1s")
    ended = subprocess.run(words, cwd=program.cwd, timeout=120, **streams)
    assert ended.returncode == 0
    assert json.loads((program.dir / "verdict.json").read_text())["verdict"] == "SUCCESS"
    assert checked(program) == (0, "SUCCESS")


def test_run_outlives_who_reads_its_output(program: Program) -> None:
    read_end, write_end = os.pipe()
    os.close(read_end)
    outlives(program, stdout=write_end, stderr=write_end)
    os.close(write_end)


def test_run_outlives_a_full_disk_below_its_output(program: Program) -> None:
    with Path("/dev/full").open("w") as full:
        outlives(program, stdout=full.fileno(), stderr=full.fileno())


def test_words_for_a_closed_terminal_are_not_written_into_the_results(program: Program) -> None:
    words = program.command("run", "--out", str(program.dir), "--flavor", "trivial", "--duration", "1s")
    shut = subprocess.run(["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *words], cwd=program.cwd, timeout=120)
    assert shut.returncode == 0
    for file in program.dir.rglob("*"):
        assert file.suffix == ".html" or not file.is_file() or "basic: trivial for" not in file.read_text(errors="replace"), file


@pytest.fixture
def small_disk(program: Program) -> Iterator[Path]:
    """The directory of the program's results, on a disk of its own of 4 MiB."""
    program.dir.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", program.dir], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"no disk of its own can be mounted: {mounted.stderr.strip()}")
    try:
        yield program.dir
    finally:
        subprocess.run(["umount", program.dir], check=True)


def test_disk_that_fills_up_meanwhile_is_broken(program: Program, small_disk: Path) -> None:
    run = started(program)
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "basic" / "foreign").write_bytes(bytes(8 << 20))
    _, err = run.communicate(timeout=60)
    assert run.returncode == 3
    assert "No space left on device; free some space or choose another --out" in err
    assert checked(program)[0] in (3, 4)


def expect_no_room_for_the_report(program: Program, ended: Ended, cure: str) -> None:
    assert ended.status == 3, ended.out + ended.err
    assert ended.out.splitlines()[-2] == "BROKEN: the report could not be written; the line above names the cure"
    assert f"{program.dir / 'report.html'}'; {cure}" in ended.err
    assert not list(program.dir.rglob("*.tmp")) and not (program.dir / "report.html").exists()
    assert ended.verdict("basic")["verdict"] == "SUCCESS", "the torture itself was well"
    assert ended.verdict()["verdict"] == "BROKEN" and "report" in ended.verdict()["why"]
    assert checked(program) == (3, "BROKEN")


def test_report_that_finds_a_full_disk_is_broken(program: Program, small_disk: Path) -> None:
    run = program.start("--flavor", "urcu-memb", "--duration", "2s")
    wait_for_torture(program)
    # Room for the last lines and verdicts, and not for the page of some 110 KiB.
    free = os.statvfs(small_disk).f_bavail * os.statvfs(small_disk).f_frsize
    (small_disk / "basic" / "foreign").write_bytes(bytes(free - (64 << 10)))
    out, err = run.communicate(timeout=120)
    ended = Ended(run.returncode, out, err, program.dir)
    expect_no_room_for_the_report(program, ended, "free some space")


def test_report_beyond_the_limit_on_file_sizes_is_broken(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s",
                        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536)))
    expect_no_room_for_the_report(program, ended, "raise the limit on file sizes")


def test_truncated_files_are_judged(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s")
    assert checked(program) == (0, "SUCCESS")
    events = ended.dir / "basic" / "events.jsonl"
    text = events.read_bytes()
    for size in range(0, len(text), 37):
        events.write_bytes(text[:size])
        assert checked(program)[1] in ("INTERRUPTED", "SUCCESS", "INCONCLUSIVE", "BROKEN")


def test_run_directory_is_complete(program: Program) -> None:
    ended = program.run("2*basic", "--flavor", "urcu-memb", "--duration", "2s", "--seed", "0xabc")
    assert ended.status == 0, ended.err
    for name in ("manifest.json", "plan.json", "log", "topology.xml", "topology.svg", "verdict.json"):
        assert (ended.dir / name).stat().st_size > 0
    for scenario in ("basic", "basic.2"):
        for name in ("scenario.toml", "seed.txt", "console.log", "stats.jsonl", "events.jsonl", "gp.hlog", "gp.hgrm",
                     "verdict.json"):
            assert (ended.dir / scenario / name).stat().st_size > 0
    libraries = json.loads((ended.dir / "manifest.json").read_text())["libraries"]
    assert {"liburcu", "hwloc", "libc"} <= {name for name, version in libraries.items() if re.match(r"\d+\.\d+", version)}
    plan = json.loads((ended.dir / "plan.json").read_text())
    assert plan["rerun"].endswith("--seed 0xabc")
    assert any(line.startswith("reader/0 ") for line in plan["scenarios"][0]["placement"])
    hlog = (ended.dir / "basic" / "gp.hlog").read_text()
    assert "\nTag=gp.normal," in hlog and "\nTag=sched.jitter," in hlog
    assert [s["dir"] for s in ended.verdict()["scenarios"]] == ["basic", "basic.2"]
    assert not list(ended.dir.rglob("*.tmp"))
