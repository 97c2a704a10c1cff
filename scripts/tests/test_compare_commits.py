"""compare.py builds commits in worktrees of their own, and clears them away, whatever happens."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from lib.bench import CannotCompare, CouldNotMeasure, call
from lib.compare import commits

FAKE = ROOT / "scripts" / "tests" / "data" / "fake_bench.py"
PRESETS = {"version": 6, "configurePresets": [{"name": "release", "generator": "Ninja", "binaryDir": "${sourceDir}/build/release"}],
           "buildPresets": [{"name": "release", "configurePreset": "release"}]}
# "Builds" a program: copies the one that stands in for it.
CMAKE = """cmake_minimum_required(VERSION 3.25)
project(fake LANGUAGES NONE)
add_custom_target(srcu_bench COMMAND cp ${CMAKE_SOURCE_DIR}/bench.py srcu/bench/srcu_bench
                  COMMAND cp ${CMAKE_SOURCE_DIR}/bench.json srcu/bench/srcu_bench.json)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/srcu/bench)
"""


def git(place: Path, *words: str) -> str:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    return subprocess.run(["git", "-C", place, "-c", "user.name=n", "-c", "user.email=e@example.org", *words], check=True, text=True,
                          capture_output=True, env={**os.environ, **own}).stdout


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three commits: one, another benchmark, and one that does not build."""
    place = tmp_path / "repository"
    place.mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    git(place, "init", "-q", "-b", "main")
    (place / "CMakePresets.json").write_text(json.dumps(PRESETS))
    shutil.copy(FAKE, place / "bench.py")
    for tag, cmake in (("one", CMAKE), ("two", CMAKE), ("broken", "project(fake LANGUAGES NONE)\nmessage(FATAL_ERROR oh)\n")):
        (place / "bench.json").write_text(json.dumps({"times": {f"read/{tag}": 5.0}, "log": str(tmp_path / "log")}))
        (place / "CMakeLists.txt").write_text(cmake)
        git(place, "add", "-A")
        git(place, "commit", "-qm", tag)
        git(place, "tag", tag)
    return place


def left(repository: Path) -> list[str]:
    """Worktrees that git still knows, and files."""
    known = git(repository, "worktree", "list", "--porcelain").count("worktree ") - 1
    return [str(path) for path in (repository.parent / "temporary").rglob("*")] + ["known"] * known


def test_each_commit_is_built_at_a_path_of_equal_length(repository: Path) -> None:
    with commits.built(repository, ["one", "two"]) as programs:
        assert [call(program, "--benchmark_list_tests").strip() for program in programs] == ["read/one", "read/two"]
        assert len({len(str(program)) for program in programs}) == 1
        assert left(repository)
    assert left(repository) == [] and git(repository, "status", "--porcelain") == ""


def test_a_commit_that_does_not_build_is_named_and_nothing_is_left(repository: Path) -> None:
    with pytest.raises(CouldNotMeasure, match="broken does not build: .*rror"), commits.built(repository, ["one", "broken"]):
        pass
    assert left(repository) == []


def test_an_interrupt_leaves_nothing(repository: Path) -> None:
    with pytest.raises(KeyboardInterrupt), commits.built(repository, ["one"]):
        raise KeyboardInterrupt
    assert left(repository) == []


@pytest.mark.parametrize("name", ["nowhere", "--help", ""])
def test_what_is_no_commit_is_said_before_anything_is_built(repository: Path, name: str) -> None:
    with pytest.raises(CannotCompare, match="is no commit of"), commits.built(repository, ["one", name]):
        pass
    assert left(repository) == []


def test_only_the_benchmarks_are_built_as_releases() -> None:
    configure, build = commits.build_commands(2)
    assert configure == ["cmake", "--preset", "release"] and build[build.index("--target") + 1] == "srcu_bench"


def test_the_command(tmp_path: Path) -> None:
    done = subprocess.run([ROOT / "scripts" / "compare.py", "commits", "HEAD", "nowhere", "--out", tmp_path / "out"],
                          capture_output=True, text=True)
    assert done.returncode in (2, 3) and done.stderr.startswith("compare.py: ") and len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []
