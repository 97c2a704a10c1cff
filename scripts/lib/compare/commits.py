"""Builds the benchmarks of a commit, in a worktree that is gone afterwards."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ..bench import CannotCompare, CouldNotMeasure

PRESET = "release"
TARGET = "srcu_bench"


def git(repository: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", "-C", repository, *arguments], capture_output=True, text=True)
    except OSError as error:
        raise CouldNotMeasure(f"cannot run git: {error.strerror}; install it") from error
    if done.returncode:
        raise CouldNotMeasure(f"git {arguments[0]} failed: {(done.stderr.strip().splitlines() or ['no word'])[-1]}")
    return done.stdout.strip()


def commit_of(repository: Path, name: str) -> str:
    """Its full id."""
    try:
        return git(repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    except CouldNotMeasure as error:
        raise CannotCompare(f"{name} is no commit of {repository}; name one that git log shows") from error


def build_commands(jobs: int) -> list[list[str]]:
    return [["cmake", "--preset", PRESET], ["cmake", "--build", "--preset", PRESET, "--target", TARGET, "--parallel", str(jobs)]]


def complaint(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[-1] if lines else "no word")


def ended(command: list[str], tree: Path) -> tuple[int, str]:
    """Its status and what it said. If this is interrupted, so is all that the command started."""
    try:
        process = subprocess.Popen(command, cwd=tree, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True)
    except OSError as error:
        raise CouldNotMeasure(f"cannot run {command[0]}: {error.strerror}; scripts/run.sh installs what is missing") from error
    try:
        output, _ = process.communicate()
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        raise
    return process.returncode, output


def build(tree: Path, name: str) -> Path:
    """The program."""
    for command in build_commands(os.cpu_count() or 1):
        status, output = ended(command, tree)
        if status:
            raise CouldNotMeasure(f"{name} does not build: {complaint(output)}")
    program = tree / "build" / PRESET / "srcu" / "bench" / TARGET
    if not program.exists():
        raise CouldNotMeasure(f"{name} builds no {program.relative_to(tree)}")
    return program


@contextmanager
def built(repository: Path, names: list[str]) -> Iterator[list[Path]]:
    """The programs of these commits. Their worktrees' paths are equally long, since paths end up in programs and move things."""
    ids = [commit_of(repository, name) for name in names]
    with tempfile.TemporaryDirectory(prefix="srcutorture-compare-") as place:
        trees = [Path(place) / chr(ord("a") + i) for i in range(len(ids))]
        try:
            for tree, commit in zip(trees, ids):
                git(repository, "worktree", "add", "--detach", "--quiet", str(tree), commit)
            yield [build(tree, name) for tree, name in zip(trees, names)]
        finally:
            for tree in trees:
                subprocess.run(["git", "-C", repository, "worktree", "remove", "--force", tree], capture_output=True)
            subprocess.run(["git", "-C", repository, "worktree", "prune"], capture_output=True)
