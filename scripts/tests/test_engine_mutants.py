"""Mutants in the controlled engine: scripts/mutants.py --engine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, sanitizers

sys.path.insert(0, str(ROOT / "scripts"))

from lib import engine_mutants, mutant_program
from lib.mutant import MUTANTS, CannotBuild, Mutant, chosen

with_engine = pytest.mark.skipif(bool(sanitizers()), reason="builds with a sanitizer have no engine")


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "scripts" / "mutants.py", "--engine", "--program", PROGRAM, *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def mutant(engine: str) -> Mutant:
    return Mutant("some", Path("some.patch"), {"engine": engine})


def found(seed: int, verdict: str = "FAILURE", cpu_s: float = 0.5, lines: int = 9) -> engine_mutants.Found:
    return engine_mutants.Found(seed, verdict, 7, cpu_s, lines, "e2:token", "hash", "a race")


@with_engine
def test_each_patch_names_tests_that_there_are_or_says_why_none_can() -> None:
    known = {program: engine_mutants.engine_ways.tests_of(program.path(PROGRAM.parent)) for program in engine_mutants.PROGRAMS.values()}
    for one in chosen([]):
        found_by = engine_mutants.targets(one)
        assert all(target.test in known[target.program] for target in found_by), one.name
        assert found_by or len(one.header["engine"].split()) > 5, f"{one.name}: no argument"
        assert found_by or one.on_real_cores(), f"{one.name} is for nothing"


@pytest.mark.parametrize("patch", sorted(MUTANTS.glob("*.patch")), ids=lambda patch: patch.stem)
def test_each_patch_fits(patch: Path) -> None:
    done = subprocess.run(["git", "apply", "--check", patch], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_targets_are_names_in_programs() -> None:
    plain, narrow, kernel = engine_mutants.targets(mutant("a, narrow b, kernel rq_lock/direct/own/normal"))
    assert (plain.program.name, plain.test) == ("srcu_engine", "a")
    assert (narrow.program.name, narrow.test) == ("srcu_engine_narrow", "b")
    assert (kernel.program.path(Path("build")), kernel.test) == (Path("build/torture/kernel/tests/engine/srcu_kernel_engine"),
                                                                "rq_lock/direct/own/normal")
    assert engine_mutants.targets(mutant("none, for a reason")) == []


def test_header_without_a_reason_or_with_an_unknown_build_is_refused() -> None:
    for words in ("wide a", "none such"):
        with pytest.raises(CannotBuild, match="some: 'engine: .*' names neither tests nor 'none, ' and why"):
            engine_mutants.targets(mutant(words))


@pytest.mark.parametrize(("last", "words"), [
    (found(2), []),
    (found(2, cpu_s=5.0, lines=30), []),
    (found(2, "SUCCESS"), ["MISSED"]),
    (found(2, lines=31), ["OVER 30 LINES"]),
    (found(2, cpu_s=5.1), ["OVER 5 CPU SECONDS"]),
    (found(2, "SUCCESS", 5.1), ["MISSED", "OVER 5 CPU SECONDS"]),
])
def test_a_row_is_good_where_each_seed_is_within_the_bar(last: engine_mutants.Found, words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    target = engine_mutants.Target(engine_mutants.PROGRAMS[""], "some")
    assert engine_mutants.flaws([found(1), last]) == words
    assert engine_mutants.row("name", target, [found(1), last]) == (not words)
    assert capsys.readouterr().out.rstrip().endswith(", ".join(words))


def test_headers_come_from_the_copy() -> None:
    where = Path("/where")
    assert mutant_program.in_copy(f"-I{ROOT}", where) == ["-I/where", f"-I{ROOT}"]
    assert mutant_program.in_copy(f"-I{ROOT}/srcu/include", where) == ["-I/where/srcu/include"]
    assert mutant_program.in_copy(f"{ROOT}/srcu/core/gp.cpp", where) == ["/where/srcu/core/gp.cpp"]
    assert mutant_program.in_copy(f"{ROOT}/harness/engine/env.cpp", where) == [f"{ROOT}/harness/engine/env.cpp"]


@with_engine
def test_some_are_killed_with_each_seed(tmp_path: Path) -> None:
    done = call("word_read_late", "barrier_forgets_running", "kick_under_lock", "sleeping_lock", "--seeds", "2", "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stdout + done.stderr
    for one in json.loads((tmp_path / "out.json").read_text()):
        (test,) = one["tests"]
        assert [run["verdict"] for run in test["runs"]] == ["FAILURE", "FAILURE"]
        assert [run["seed"] for run in test["runs"]] == [1, 2]


def test_one_that_no_test_can_find_has_its_reason_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert engine_mutants.run(mutant("none, for a reason"), tmp_path, tmp_path, 1, 1) == (True, [])
    assert capsys.readouterr().out.split(maxsplit=1)[1] == "not run: for a reason\n"


@with_engine
def test_one_that_lives_is_said() -> None:
    done = call("callbacks_one_early", "--seeds", "1", "--executions", "1")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].split()[:3] == ["callbacks_one_early", "normal_call", "0/1"]
    assert done.stdout.rstrip().endswith("MISSED")
