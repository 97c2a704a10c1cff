"""srcutorture engine, list tests and replay, which go on as the program with the controlled tests."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import PROGRAM, Ended, Program, sanitizers

pytestmark = pytest.mark.skipif(bool(sanitizers()), reason="a build with a sanitizer has no controlled engine")
NARROW = PROGRAM.parent / "srcutorture-engine-narrow"


def names(program: Program) -> list[str]:
    ended = program.call("list", "tests")
    assert ended.status == 0, ended.err
    return [line.split("\t")[0] for line in ended.out.splitlines()]


def found(ended: Ended) -> dict[str, Any]:
    """What the one test of a call with --json came to."""
    (test,) = json.loads(ended.out)["tests"]
    return test


def fails(program: Program, test: str, *words: str) -> dict[str, Any]:
    ended = program.call("engine", test, "--seed", "1", "--json", *words)
    assert ended.status == 1, ended.out + ended.err
    return found(ended)


def refused(ended: Ended, *words: str) -> None:
    assert (ended.status, ended.out) == (2, ""), ended.out + ended.err
    assert len(ended.err.splitlines()) == 1
    for word in words:
        assert word in ended.err, ended.err


def test_lists_its_tests(program: Program) -> None:
    listed = names(program)
    assert {"normal_synchronize", "handmade_synchronize", "epochs_barrier"} <= set(listed) and len(listed) == len(set(listed))
    with_sentences = json.loads(program.call("list", "tests", "--json").out)
    assert [one["name"] for one in with_sentences] == listed and all(one["sentence"] for one in with_sentences)


def test_runs_the_tests_that_are_named(program: Program) -> None:
    ended = program.call("engine", "nested", "fast_nested", "--executions", "200", "--seed", "0x5")
    assert ended.status == 0, ended.out + ended.err
    assert "seed 0x5" in ended.out and "\nnested: 200 executions, none failed" in ended.out and "\nfast_nested: 200" in ended.out


@pytest.mark.parametrize("binary", [[], ["--binary", str(NARROW)]], ids=["wide", "narrow"])
def test_a_run_of_all_is_good_where_each_does_as_it_must(program: Program, binary: list[str]) -> None:
    ended = program.call("engine", "--executions", "3000", "--seed", "1", "--on-x86", "0", "--json", *binary)
    assert ended.status == 0, ended.out + ended.err
    tests = json.loads(ended.out)["tests"]
    assert {test["test"] for test in tests if test["must_fail"]} == {test["test"] for test in tests if test["verdict"] == "FAILURE"}
    assert any(test["must_fail"] for test in tests)


def test_the_narrow_build_has_no_handlers_by_itself(program: Program) -> None:
    wide, narrow = (program.call("engine", "--help", "--binary", str(binary)).out for binary in (PROGRAM.parent / "srcutorture-engine", NARROW))
    assert re.search(r"=wake,eintr,early,migrate,handler\s", wide) and re.search(r"=wake,eintr,early,migrate\s", narrow)


def test_a_failure_is_told_and_replayed(program: Program) -> None:
    failure = fails(program, "wrong_normal_no_grace_period")
    assert failure["verdict"] == "FAILURE" and 0 < len(failure["story"]) <= 30
    again = program.call("replay", failure["token"], "--json")
    assert again.status == 1 and json.loads(again.out)["hash"] == failure["hash"]
    assert re.search(r"FAILURE in execution 1: .*elements.hpp:\d+", program.call("replay", failure["token"]).out)


def test_token_of_another_build(program: Program) -> None:
    token = fails(program, "wrong_normal_no_grace_period", "--binary", str(NARROW))["token"]
    refused(program.call("replay", token), "only the same binary repeats an execution")
    assert program.call("replay", token, "--binary", str(NARROW)).status == 1


def test_token_of_another_version(program: Program) -> None:
    token = fails(program, "wrong_normal_no_grace_period")["token"]
    refused(program.call("replay", re.sub(r"^e\d+:", "e0:", token)), "the token's version is e0")


@pytest.mark.parametrize("token", ["nonsense", "e2:", "e2:::::::::::::", "0", "e2:no:such:token"])
def test_token_that_is_none(program: Program, token: str) -> None:
    refused(program.call("replay", token), "token")


def test_replay_of_nothing(program: Program) -> None:
    refused(program.call("replay"), "TOKEN")


def test_unknown_test(program: Program) -> None:
    refused(program.call("engine", "normal_synchronise"), "no test 'normal_synchronise'", "normal_synchronize")


def test_unknown_option(program: Program) -> None:
    refused(program.call("engine", "--exections", "5"), "--exections")


def test_help_says_what_it_cannot_see(program: Program) -> None:
    ended = program.call("engine", "--help")
    assert ended.status == 0 and "--executions" in ended.out and "values from the future" in ended.out


def test_program_beside_it_is_needed(tmp_path: Path) -> None:
    alone = Program(tmp_path, Path(shutil.copy(PROGRAM, tmp_path / "srcutorture")))
    refused(alone.call("engine"), f"{tmp_path}/srcutorture-engine cannot be run: No such file or directory", "--binary")


# ---- Schemes of the torture's table ----


@pytest.mark.parametrize("model", ["cpp", "tso"])
@pytest.mark.parametrize("scheme", ["handmade", "epochs"])
def test_schemes_run_unchanged(program: Program, scheme: str, model: str) -> None:
    tests = [name for name in names(program) if name.startswith(scheme)]
    assert len(tests) >= 4
    ended = program.call("engine", *tests, "--executions", "1500", "--seed", "1", "--model", model)
    assert ended.status == 0, ended.out + ended.err


@pytest.mark.parametrize("model", ["cpp", "tso"])
@pytest.mark.parametrize("test", ["wrong_handmade_no_grace_period", "wrong_epochs_no_grace_period", "wrong_handmade_forgets_to_wait",
                                  "wrong_epochs_one_is_enough", "wrong_epochs_without_fence"])
def test_wrong_variants_are_found(program: Program, test: str, model: str) -> None:
    assert fails(program, test, "--model", model, "--executions", "200000")["story"]
