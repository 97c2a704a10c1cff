"""The built program and the report, for tests that run them as a user would."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / "scripts" / "report.py"
STORED = ROOT / "scripts" / "tests" / "data" / "run"
PROGRAM = Path(os.environ.get("SRCUTORTURE", ROOT / "build" / "release" / "srcutorture"))


def sanitizers() -> set[str]:
    """Those that the program was built with: "address", "undefined", "thread"."""
    cache = PROGRAM.parent / "CMakeCache.txt"
    found = re.search(r"^SRCUTORTURE_SANITIZE:\w+=(.*)$", cache.read_text(), re.M) if cache.exists() else None
    return set(filter(None, found[1].split(","))) if found else set()


@dataclass
class Ended:
    """How a call of the program ended, and what it left."""

    status: int
    out: str
    err: str
    dir: Path

    def verdict(self, scenario: str | None = None) -> dict[str, Any]:
        where = self.dir / scenario if scenario else self.dir
        return json.loads((where / "verdict.json").read_text())


class Program:
    """Runs srcutorture in a directory of its own, perhaps by way of another program."""

    def __init__(self, cwd: Path, program: Path = PROGRAM, by_way_of: Sequence[str] = ()) -> None:
        self.cwd = cwd
        self.dir = cwd / "out"
        self.words = [*by_way_of, str(program)]

    def command(self, *args: str) -> list[str]:
        return [*self.words, *args]

    def call(self, *args: str, **kwargs: Any) -> Ended:
        done = subprocess.run(self.command(*args), cwd=self.cwd, capture_output=True, text=True, timeout=120, **kwargs)
        return Ended(done.returncode, done.stdout, done.stderr, self.dir)

    def run(self, *args: str, **kwargs: Any) -> Ended:
        return self.call("run", "--out", str(self.dir), *args, **kwargs)

    def start(self, *args: str, **kwargs: Any) -> subprocess.Popen[str]:
        return subprocess.Popen(self.command("run", "--out", str(self.dir), *args), cwd=self.cwd, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)


@pytest.fixture
def program(tmp_path: Path) -> Program:
    assert PROGRAM.exists(), f"{PROGRAM} is missing: run scripts/test.sh, which builds it"
    return Program(tmp_path)


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A copy of a stored run."""
    return Path(shutil.copytree(STORED, tmp_path / "run"))


def report(*args: str | Path, env: dict[str, str] | None = None, **kwargs: Any) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return subprocess.run([REPORT, *map(str, args)], capture_output=True, text=True, timeout=120,
                          env={**clean, **(env or {})}, **kwargs)


def fail(run_dir: Path, message: str, word: str = "FAILURE", check: str = "too_short_gp") -> None:
    """Makes a failed run of it."""
    for file in (run_dir / "verdict.json", run_dir / "basic" / "verdict.json"):
        verdict = json.loads(file.read_text())
        failure = {"check": check, "count": 3, "first_s": 1.25, "message": message, "evidence": "reader 0"}
        verdict |= {"verdict": word, "signature": f"{check}:frame", "why": message, "failures": [failure],
                    "bound_per_hour_95": None}
        file.write_text(json.dumps(verdict))
