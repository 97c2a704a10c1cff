"""What is written for one machine or another compiles for aarch64, too, where Debian's g++-aarch64-linux-gnu is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

COMPILER = shutil.which("aarch64-linux-gnu-g++")
# Behind the cross compiler's own: headers that are the same for all machines.
FLAGS = ["-std=c++20", "-O2", "-Wall", "-Wextra", "-Wno-missing-field-initializers", "-Werror", "-DSRCU_LOCKDEP", "-I", ROOT,
         "-I", ROOT / "srcu/include", "-idirafter", "/usr/include", "-idirafter", "/usr/include/x86_64-linux-gnu"]


def sources() -> list[Path]:
    """Those that name a machine, themselves or in a header of theirs."""
    files = [p.relative_to(ROOT) for room in ("srcu", "harness", "torture") for p in (ROOT / room).rglob("*.?pp")]
    named = {p for p in files if re.search(r"__(x86_64|aarch64)__", (ROOT / p).read_text())}
    headers = {str(p) for p in named if p.suffix == ".hpp"}
    including = {p for p in files if p.suffix == ".cpp" and headers & set(re.findall(r'#include "(.*)"', (ROOT / p).read_text()))}
    return sorted(p for p in {p for p in named if p.suffix == ".cpp"} | including if not p.stem.endswith(("_test", "_bench")))


def test_both_machines_are_named() -> None:
    assert Path("harness/engine/fiber.cpp") in sources()


@pytest.mark.skipif(COMPILER is None, reason="g++-aarch64-linux-gnu is not installed")
@pytest.mark.parametrize("source", sources(), ids=str)
def test_it_compiles(source: Path, tmp_path: Path) -> None:
    done = subprocess.run([COMPILER, *FLAGS, "-c", ROOT / source, "-o", tmp_path / "it.o"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
