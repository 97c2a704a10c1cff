"""The console, and with --kernel-layout the run directory, under the rules by which the kernel's scripts judge them.

The rules are written anew from what those scripts look for; the scripts themselves are not here."""

from __future__ import annotations

import os
import re
import signal
import time
from pathlib import Path

import pytest
from conftest import Program

BAD_WORDS = re.compile(r"Badness|WARNING:|Warn|BUG|={11}|Call [Tt]race:|Oops:|detected stalls on CPUs/tasks:"
                       r"|self-detected stall on CPU|Stall ended before state dump start|\?\?\? Writer stall state"
                       r"|rcu_.*kthread starved for|!!!")
FILES = ["Make.defconfig.out", "Make.out", "ConfigFragment", "ConfigFragment.input", ".config", "qemu-cmd", "qemu-retval",
         "qemu-output", "console.log"]


def versions(console: str) -> list[str]:
    """What follows "ver: " in the lines that are taken for statistics."""
    told = [line for line in console.splitlines() if re.search(r"torture:.*ver:", line)]
    told = [line for line in told if "(null)" not in line and not re.search(r"rtc: 000000000* ", line)]
    return [line.split("ver: ", 1)[1].split(" ")[0] for line in told]


def complaints_of_console(console: str) -> list[str]:
    found = []
    if "\0" in console:
        found.append("a NUL byte")
    if "FAILURE" in console or re.search(r"-torture.*!!!", console):
        found.append("FAILURE")
    last = 0
    for word in versions(console):
        if not word.isdigit() or int(word) <= last:
            found.append(f"version {word} after {last}")
            break
        last = int(word)
    if "SUCCESS" not in console:
        found.append("no success message")
    return found + [f"bad words: {line}" for line in console.splitlines() if BAD_WORDS.search(line)]


def complaints_of_scenario(scenario: Path, log: str) -> list[str]:
    missing = [name for name in FILES if not (scenario / name).is_file()]
    if missing:
        return [f"missing: {missing}"]
    found = []
    text = {name: (scenario / name).read_text() for name in FILES}
    config = text[".config"].splitlines()
    found += [f"improperly set: {line}" for line in text["ConfigFragment"].splitlines() if line not in config]
    # The fragment's lines become a shell script.
    found += ["a fragment that a shell would take apart"] * bool(re.search(r"[^\w=\n]", text["ConfigFragment"]))
    if "CC" not in text["Make.out"] and "--trust-make" not in log:
        found.append("no build")
    if "error:" in text["Make.out"] or re.search(r"(include/linux/.*rcu.*\.h|kernel/rcu/).*warning:", text["Make.out"]):
        found.append("build errors")
    if not re.fullmatch(r"(0|137)\n", text["qemu-retval"]):
        found.append(f"qemu error {text['qemu-retval'].strip()}: {text['qemu-output'].strip()}")
    if not re.fullmatch(r".* rcutorture\.shutdown_secs=[1-9]\d*( .*)?\n", text["qemu-cmd"]):
        found.append("no duration")
    return found + complaints_of_console(text["console.log"])


def complaints(run: Path) -> dict[str, list[str]]:
    """By scenario, for those that would be looked at at all."""
    log = (run / "log").read_text()
    assert log.splitlines()[0]
    assert (run / "torture_suite").read_text() == "rcu\n"
    return {d.parent.name: complaints_of_scenario(d.parent, log) for d in sorted(run.rglob("Make.defconfig.out"))}


def console_of(run: Path) -> str:
    return (run / "basic" / "console.log").read_text()


def slots(line: str) -> list[int]:
    return [int(word) for word in line.split(":  ")[1].split()]


@pytest.mark.parametrize(("console", "complaint"), [
    ("x-torture: rtc: 01 ver: 5 tfle: 0\nx-torture: rtc: 01 ver: 5 tfle: 0\nSUCCESS", "version 5 after 5"),
    ("x-torture: rtc: 01 ver: 0 tfle: 0\nSUCCESS", "version 0 after 0"),
    ("x-torture: rtc: 01 ver: five tfle: 0\nSUCCESS", "version five after 0"),
    ("x-torture: rtc: 01 ver: 5 tfle: 0", "no success message"),
    ("x-torture: !!! Reader Pipe:  1 2 3\nSUCCESS", "FAILURE"),
    ("??? Writer stall state X(1)\nSUCCESS", "bad words: ??? Writer stall state X(1)"),
])
def test_the_rules_complain(console: str, complaint: str) -> None:
    assert complaint in complaints_of_console(console)


@pytest.mark.parametrize("flavor", ["urcu-memb", "urcu-qsbr", "trivial"])
def test_sound_run_is_accepted(program: Program, flavor: str) -> None:
    ended = program.run("2*basic", "--flavor", flavor, "--duration", "4s", "--seed", "0x5eed", "--kernel-layout", "--set",
                        "stat_interval=100ms")
    assert ended.status == 0, ended.err
    assert complaints(ended.dir) == {"basic": [], "basic.2": []}
    console = console_of(ended.dir)
    assert len(versions(console)) >= 5
    assert re.search(r" shutdown_secs=2 ", console)
    assert "rcutorture.shutdown_secs=2 " in (ended.dir / "basic" / "qemu-cmd").read_text()


def test_console_has_the_lines_of_rcutorture(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "2s", "--seed", "0x5eed")
    console = console_of(ended.dir)
    assert complaints_of_console(console) == []
    assert re.search(r"^urcu-memb:  Start-test grace-period state: g0 f0x0$", console, re.M)
    end = re.search(r"^urcu-memb:  End-test grace-period state: g(\d+) f0x0 total-gps=(\d+)$", console, re.M)
    assert end and int(end[2]) == ended.verdict("basic")["counts"]["grace_periods"]
    last = {name: [line for line in console.splitlines() if f"torture: {name}:  " in line][-1]
            for name in ("Reader Pipe", "Reader Batch", "Free-Block Circulation")}
    assert [len(slots(line)) for line in last.values()] == [11, 11, 11]
    circulation = slots(last["Free-Block Circulation"])
    assert circulation[-1] == 0
    assert 0 <= circulation[0] - circulation[9] <= 100, "all went round but those on their way"
    assert circulation[:10] == sorted(circulation[:10], reverse=True)
    statistics = [line for line in console.splitlines() if "-torture: rtc: " in line][-1]
    assert f" rta: {circulation[0]} " in statistics and f" rtf: {circulation[9]} " in statistics


@pytest.mark.parametrize(("flavor", "complaint"), [
    ("busted_no_wait", r"-torture: !!! Reader Pipe: "),
    ("busted_lost_callback", r"-torture: !!! Reader Pipe: "),
    ("busted_stuck_gp", r"\?\?\? Writer stall state GRACE_PERIOD\(1\) g\d+ f0x0 ->state [RSD] cpu \d"),
])
def test_failing_run_is_not(program: Program, flavor: str, complaint: str) -> None:
    ended = program.run("--flavor", flavor, "--duration", "20s", "--seed", "0x5eed", "--kernel-layout", "--set",
                        "stat_interval=200ms")
    assert ended.status == 1
    found = complaints(ended.dir)["basic"]
    assert found[:2] == ["FAILURE", "no success message"], "and the versions still grow"
    assert any(re.search(complaint, one) for one in found), found


@pytest.mark.parametrize(("signo", "retval"), [(signal.SIGKILL, "137"), (signal.SIGSEGV, "139")])
def test_killed_child_leaves_its_status_as_a_shell_tells_it(program: Program, signo: signal.Signals, retval: str) -> None:
    run = program.start("--flavor", "urcu-memb", "--duration", "60s", "--kernel-layout")
    console, end = program.dir / "basic" / "console.log", time.monotonic() + 60
    while not (console.exists() and console.stat().st_size > 0):
        assert time.monotonic() < end, "the torture does not start"
        time.sleep(0.05)
    os.kill(int(Path(f"/proc/{run.pid}/task/{run.pid}/children").read_text().split()[0]), signo)
    run.communicate(timeout=90)
    assert (program.dir / "basic" / "qemu-retval").read_text() == f"{retval}\n"
    assert signo.name in (program.dir / "basic" / "qemu-output").read_text()
    assert "no success message" in complaints(program.dir)["basic"]


@pytest.mark.parametrize("args", [
    ["--set", "nreaders=0", "--set", "read_exit_burst=0", "--set", "least_reads=0"],
    ["--fail-on", "latency=1us"],
], ids=["missed canary", "latency"])
def test_what_only_the_judge_saw_stands_in_the_console(program: Program, args: list[str]) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s", "--kernel-layout", *args)
    assert ended.status in (1, 3)
    assert ended.verdict("basic")["why"] in console_of(ended.dir)
    assert "FAILURE" in complaints(ended.dir)["basic"]


def test_skipped_scenario_is_not_looked_at(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s", "--set", "gp_exp=1", "--kernel-layout")
    assert ended.verdict()["verdict"] == "SKIPPED"
    assert complaints(ended.dir) == {}


def test_without_the_option_there_is_none_of_it(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s")
    names = {path.name for path in ended.dir.rglob("*")}
    assert not names & ({*FILES, "torture_suite"} - {"console.log"})
    assert "--trust-make" not in (ended.dir / "log").read_text()
