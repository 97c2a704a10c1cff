"""Whatever is left of a run, `check` and the report say the same of it: a failure that was seen stays one, and what has no verdict
was cut short."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest
from conftest import ROOT, STORED, Program, report

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report.load import load_run

FAILED = {"event": "failure", "t_s": 2.5, "check": "lost_callback", "message": "one is missing", "evidence": "the accounts"}
ENDED = {"event": "child_ended", "words": "exited with 0", "exit_code": 0}


def agreed(program: Program, run_dir: Path) -> str:
    """The verdict that both give."""
    run = load_run(run_dir)
    ended = program.call("check", str(run_dir))
    lines = ended.out.splitlines()
    assert lines[-1] == run.word, ended.out + run.why
    for scenario in run.scenarios:
        found = next(line for line in lines if line.startswith(f"{scenario.name}: "))
        assert found.removeprefix(f"{scenario.name}: ").split(" ")[0] == scenario.word, ended.out
    cut = not (run_dir / "verdict.json").exists()
    assert ("no verdict.json" in ended.out) or not cut
    assert ("no verdict.json" in run.why) == cut, run.why
    return run.word


def events(run_dir: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (run_dir / "basic" / "events.jsonl").read_text().splitlines()]


def rewrite(run_dir: Path, lines: list[dict[str, object]]) -> None:
    (run_dir / "basic" / "events.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


@pytest.fixture
def killed(run_dir: Path) -> Path:
    for file in run_dir.rglob("verdict.json"):
        file.unlink()
    return run_dir


def test_killed_at_any_event(program: Program, killed: Path) -> None:
    whole = events(killed)
    for size in range(len(whole) + 1):
        rewrite(killed, whole[:size])
        assert agreed(program, killed) == "INTERRUPTED"
        rewrite(killed, [*whole[:size], FAILED])
        assert agreed(program, killed) == "FAILURE"


@pytest.mark.parametrize(("last", "verdict"), [
    ([{**ENDED, "exit_code": None, "signal": "SIGSEGV", "words": "ended by SIGSEGV"}], "CRASH"),
    ([{**ENDED, "exit_code": None, "signal": "SIGKILL", "words": "ended by SIGKILL", "by_supervisor": True}], "BROKEN"),
    ([{"event": "stopped", "signal": "SIGINT"},
      {**ENDED, "exit_code": None, "signal": "SIGKILL", "words": "ended by SIGKILL", "by_supervisor": True}], "INTERRUPTED"),
    ([{**ENDED, "exit_code": 3, "words": "exited with 3"}], "BROKEN"),
    ([ENDED], "BROKEN"),
    ([{"event": "broken", "message": "the disk is full"}], "BROKEN"),
    ([{"event": "canary", "flavor": "busted_no_wait", "result": "missed"}], "BROKEN"),
    ([{"event": "stopped", "signal": "SIGINT"}, {"event": "canary", "result": "missed"}], "INTERRUPTED"),
    ([{"event": "skipped", "reason": "no such thing"}], "INTERRUPTED"),
    ([FAILED, {**FAILED, "check": "stalled_gp"}], "FAILURE"),
    ([{**FAILED, "check": "stalled_gp"}, {**FAILED, "check": "crash"}], "HANG"),
    ([{**FAILED, "check": "self_deadlock"}], "DEADLOCK"),
])
def test_killed_with_these_last_words(program: Program, killed: Path, last: list[dict[str, object]], verdict: str) -> None:
    rewrite(killed, [*(e for e in events(killed) if e["event"] not in ("end", "child_ended")), *last])
    assert agreed(program, killed) == verdict


@pytest.mark.parametrize(("sample", "start", "verdict"), [
    ({"batch": [9, 9, 2]}, {"gp_seq_exact": True}, "FAILURE"),
    ({"batch": [9, 9, 1]}, {"fail_on_near_miss": True}, "FAILURE"),
    ({"batch": [9, 9, 1]}, {}, "INTERRUPTED"),
    ({"batch": [9, 9, 2]}, {}, "FAILURE"),
    ({"gp_max_ns": 7_000_000}, {"fail_on_latency_ns": 6e6}, "HANG"),
    ({"gp_max_ns": 7_000_000}, {"fail_on_latency_ns": 8e6}, "INTERRUPTED"),
])
def test_killed_with_these_samples(program: Program, killed: Path, sample: dict[str, object], start: dict[str, object],
                                   verdict: str) -> None:
    first, *rest = events(killed)
    rewrite(killed, [{**first, **start}, *(e for e in rest if e["event"] not in ("end", "child_ended"))])
    (killed / "basic" / "stats.jsonl").write_text(json.dumps({"t_s": 1, **sample}) + "\n" + '{"t_s": 2, "ba')
    assert agreed(program, killed) == verdict


@pytest.mark.parametrize(("words", "verdict"), [
    ("==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x60", "CRASH"),
    ("WARNING: ThreadSanitizer: data race (pid=7)", "FAILURE"),
    ("gp.cpp:3:1: runtime error: signed integer overflow", "CRASH"),
    ("WARNING: ThreadSanitizer: thread leak (pid=7)", "INTERRUPTED"),
])
def test_killed_with_a_sanitizer_report(program: Program, killed: Path, words: str, verdict: str) -> None:
    (killed / "basic" / "sanitizer.7").write_text(words + "\n")
    assert agreed(program, killed) == verdict


def test_verdict_of_the_run_or_of_a_scenario_alone_is_lost(program: Program, run_dir: Path, tmp_path: Path) -> None:
    assert agreed(program, run_dir) == "SUCCESS"
    for lost in ("verdict.json", "basic/verdict.json"):
        copy = Path(shutil.copytree(run_dir, tmp_path / lost.replace("/", "-")))
        (copy / lost).unlink()
        assert agreed(program, copy) == "INTERRUPTED", lost
        assert program.call("check", str(copy)).status == 4


def test_what_only_the_verdicts_know_stands(program: Program, run_dir: Path) -> None:
    file = run_dir / "verdict.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "verdict": "BROKEN", "why": "no room for the report"}))
    assert agreed(program, run_dir) == "BROKEN"
    ended = program.call("check", str(run_dir))
    assert ended.status == 3 and "its verdict.json says BROKEN: no room for the report" in ended.out
    file = run_dir / "basic" / "verdict.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "verdict": "FAILURE", "why": "lost"}))
    (run_dir / "basic" / "events.jsonl").unlink()
    assert agreed(program, run_dir) == "FAILURE"


def test_failure_of_a_killed_run_is_in_what_others_read(killed: Path) -> None:
    rewrite(killed, [*events(killed)[:5], FAILED])
    assert report(killed).returncode == 0
    for name in ("summary.md", "junit.xml", "report.html"):
        words = (killed / name).read_text()
        assert "FAILURE" in words and "lost_callback" in words.replace("\\", "") and "no verdict.json" in words, name


def test_scenario_that_was_never_started(program: Program, run_dir: Path) -> None:
    plan = json.loads((STORED / "plan.json").read_text())
    plan["scenarios"].append({**plan["scenarios"][0], "dir": "LATER"})
    (run_dir / "plan.json").write_text(json.dumps(plan))
    assert agreed(program, run_dir) == "INTERRUPTED"
