"""scripts/nightly.py at a tiny share."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, sanitizers

sys.path.insert(0, str(ROOT / "scripts"))

import nightly
from nightly import engine_ways

pytestmark = pytest.mark.skipif(bool(sanitizers()), reason="builds with a sanitizer have no engine")


def call(*args: str) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "scripts" / "nightly.py", "--build", PROGRAM.parent, "--seed", "1", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def night(share: float) -> nightly.Night:
    return nightly.Night(PROGRAM.parent, share, 2, 1, [])


def test_each_part_says_what_it_did_and_how_long_it_took() -> None:
    done = call("--share", "0.00001", "--test", "normal_synchronize", "--test", "old_rank")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("seed 1, share 1e-05, ")
    for part in ("library: 1005 executions of 5 tests", "litmus: 10 executions of each", "orders: 2 of ", "wrong: ", "mutants: 2 of ", "replays: 1 of 1 replays",
                 "cells: 2 of the matrix's cells, 1 executions"):
        (line,) = [line for line in lines if line.startswith(part)]
        assert line.endswith(" s")
    assert lines[-1] == "found: nothing that is not as it must be"


def test_a_failure_of_the_library_is_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    found = nightly.engine_mutants.Found(1, "FAILURE", 7, 0.5, 9, "e2:token", "hash", "a race")
    monkeypatch.setattr(nightly, "tests_of", lambda night: [("narrow", "one"), ("", "wrong_one")])
    monkeypatch.setattr(nightly.engine_mutants, "campaign", lambda *words: found)
    one = night(1)
    assert nightly.correct_library(one) == "14 executions of 1 tests, 14 a CPU second"
    ways = [f"--model {model} --faults wake,eintr,early,migrate" for model in ("cpp", "tso")]
    assert one.complaints == [f"narrow one ({way}): FAILURE in execution 7: a race; replay e2:token" for way in ways]


def test_a_test_that_must_fail_and_does_otherwise_is_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    found = nightly.engine_mutants.Found(1, "FAILURE", 7, 0.5, 9, "e2:token", "hash", "a race")
    monkeypatch.setattr(nightly, "tests_of", lambda night: [("", "wrong_one"), ("", "no_memory_at_first_read")])
    monkeypatch.setattr(nightly.engine_mutants, "campaigns", lambda *words: [found])
    one = night(1)
    assert nightly.wrong_tests(one) == "3 campaigns of tests that must fail"
    (words,) = one.complaints
    assert words.startswith("no_memory_at_first_read (--model cpp --faults ") and words.endswith("no-memory): FAILURE with seed 1: a race")
    assert len(one.failures) == 2


def told(kind: str, test: str) -> list[str]:
    """What the ways have beside the first two."""
    return [" ".join(way.words()[3:]).rpartition(",")[2] for way in engine_ways.ways_of(kind, test)][2:]


def test_each_test_is_run_the_ways_that_it_is_for() -> None:
    for kind in ("plain", "narrow", "schemes"):
        for test in ("normal_call", "wrong_normal_no_grace_period"):
            assert [way.model for way in engine_ways.ways_of(kind, test)] == ["cpp", "tso"]
    assert told("plain", "fast_call") == ["no-membarrier"]
    assert told("narrow", "tasks_trace_synchronize") == ["no-membarrier"]
    assert told("plain", "fast_handlers_read") == ["no-membarrier", "handler --each-handler"]
    assert told("narrow", "handlers_post") == []
    assert told("plain", "no_memory") == ["no-membarrier", "no-memory"]
    assert told("plain", "no_memory_later") == ["no-memory"]
    assert engine_ways.ways_of("two-bit", "normal_call") == []
    assert engine_ways.ways_of("two-bit", "old_rank")
    assert engine_ways.ways_of("plain", "no_memory_at_first_read")[-1].says == "no memory for domain"
    assert engine_ways.ways_of("plain", "wrong_normal_no_grace_period")[0].says == ""


def test_a_tests_executions_are_divided_among_its_ways() -> None:
    campaigns = nightly.campaigns_of("", "fast_handlers_read", False)
    assert len(campaigns) == 4 and sum(one.share for one in campaigns) == pytest.approx(1)
    assert nightly.campaigns_of("", "fast_handlers_read", True) == []


@pytest.mark.parametrize(("status", "words", "says", "wrong"), [
    (0, "", None, False), (1, "a race", None, True), (0, "", "", True), (1, "a race", "", False),
    (1, "a race", "no memory", True), (1, "no memory for it", "no memory", False), (3, "", None, True),
])
def test_a_way_must_end_as_it_says(tmp_path: Path, status: int, words: str, says: str | None, wrong: bool) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\necho '{words}'\nexit {status}\n")
    program.chmod(0o755)
    assert bool(engine_ways.wrong(program, "some", engine_ways.Way(1, "cpp", "none", says=says))) == wrong


def test_a_replay_that_ends_otherwise_is_a_complaint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nightly.engine_mutants, "replay", lambda program, token: {"status": 1, "hash": "b" if token == "odd" else "a"})
    one = night(0.001)
    one.failures = [nightly.Failure(Path("p"), "even", "a"), nightly.Failure(Path("p"), "odd", "a")]
    assert nightly.replays(one).startswith("5 of 10 replays were the same, of 2 failures")
    assert one.complaints == ["exit 1, hash b where it was a: odd"] * 5


def test_nothing_to_replay_is_a_complaint() -> None:
    one = night(0.001)
    nightly.replays(one)
    assert one.complaints == ["there is no failure to replay"]


def test_some_are_from_all_over_the_list() -> None:
    names = [str(i) for i in range(10)]
    assert night(0.00001).some(names) == ["0", "5"]
    assert night(1).some(names) == names
    assert night(5).some(names) == names


def test_unknown_part_and_no_share_are_refused() -> None:
    done = call("libary")
    assert (done.returncode, done.stderr) == (2, "nightly.py: no part libary; there are: litmus library cells orders wrong mutants replays\n")
    assert call("--share", "0").returncode == 2
