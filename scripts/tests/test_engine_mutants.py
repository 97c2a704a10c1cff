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

ENGINE = PROGRAM.parent / engine_mutants.ROOM
with_engine = pytest.mark.skipif(bool(sanitizers()), reason="builds with a sanitizer have no engine")


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    command = [ROOT / "scripts" / "mutants.py", "--engine", "--program", PROGRAM, *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


def mutant(engine: str) -> Mutant:
    return Mutant("some", Path("some.patch"), {"engine": engine})


def names_in(program: str) -> set[str]:
    listed = subprocess.run([ENGINE / program, "list"], check=True, capture_output=True, text=True).stdout
    return {line.split("\t")[0] for line in listed.splitlines()}


@with_engine
def test_each_patch_names_tests_that_there_are_or_says_why_none_can() -> None:
    known = {program: names_in(program) for program, _ in engine_mutants.PROGRAMS.values()}
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
    plain, narrow = engine_mutants.targets(mutant("a, narrow b"))
    assert (plain.program, plain.test) == ("srcu_engine", "a")
    assert (narrow.program, narrow.test) == ("srcu_engine_narrow", "b")
    assert engine_mutants.targets(mutant("none, for a reason")) == []


def test_header_without_a_reason_or_with_an_unknown_build_is_refused() -> None:
    for words in ("wide a", "none such"):
        with pytest.raises(CannotBuild, match="some: 'engine: .*' names neither tests nor 'none, ' and why"):
            engine_mutants.targets(mutant(words))


def test_headers_come_from_the_copy() -> None:
    where = Path("/where")
    assert mutant_program.in_copy(f"-I{ROOT}", where) == ["-I/where", f"-I{ROOT}"]
    assert mutant_program.in_copy(f"-I{ROOT}/srcu/include", where) == ["-I/where/srcu/include"]
    assert mutant_program.in_copy(f"{ROOT}/srcu/core/gp.cpp", where) == ["/where/srcu/core/gp.cpp"]
    assert mutant_program.in_copy(f"{ROOT}/harness/engine/env.cpp", where) == [f"{ROOT}/harness/engine/env.cpp"]


@with_engine
def test_some_are_killed_with_each_seed_and_the_rest_has_its_reason_told(tmp_path: Path) -> None:
    done = call("word_read_late", "barrier_forgets_running", "sleeping_lock", "--seeds", "2", "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stdout + done.stderr
    late, running, lock = json.loads((tmp_path / "out.json").read_text())
    for found in (late, running):
        (test,) = found["tests"]
        assert [run["verdict"] for run in test["runs"]] == ["FAILURE", "FAILURE"]
        assert [run["seed"] for run in test["runs"]] == [1, 2]
    assert lock["tests"] == []
    assert "sleeping_lock                not run: out of reach: the class of a lock is the prover's" in done.stdout


@with_engine
def test_one_that_lives_is_said() -> None:
    done = call("callbacks_one_early", "--seeds", "1", "--executions", "1")
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].split()[:3] == ["callbacks_one_early", "normal_call", "0/1"]
    assert done.stdout.rstrip().endswith("MISSED")
