"""The example is a project outside: it is built against an installation and tortured both ways."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, Program

EXAMPLE = ROOT / "torture" / "example_plugin"


def done(*command: str | Path) -> None:
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("prefix")
    done("cmake", "--install", PROGRAM.parent, "--prefix", where)
    return where


def built(prefix: Path, where: Path, *options: str) -> Path:
    done("cmake", "-S", EXAMPLE, "-B", where, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", *options)
    done("cmake", "--build", where)
    return where


@pytest.fixture(scope="module")
def sound(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(prefix, tmp_path_factory.mktemp("sound"))


def test_as_plugin(program: Program, sound: Path) -> None:
    ended = program.run("--plugin", str(sound / "libhandmade.so"), "--duration", "2s")
    assert ended.status == 0, ended.err
    assert ended.verdict("basic")["flavor"] == "handmade"


def test_as_program(program: Program, sound: Path) -> None:
    own = [sound / "torture_handmade", "run", "--duration", "2s", "--out", program.dir]
    ended = subprocess.run(own, cwd=program.cwd, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 0, ended.stderr
    listed = subprocess.run([sound / "torture_handmade", "list", "flavors"], capture_output=True, text=True, check=True)
    assert listed.stdout.startswith("handmade\t")


def test_broken_one_is_caught(program: Program, prefix: Path, tmp_path: Path) -> None:
    broken = built(prefix, tmp_path / "broken", "-DHANDMADE_FORGETS_TO_WAIT=ON")
    ended = program.run("--plugin", str(broken / "libhandmade.so"), "--duration", "10s")
    assert ended.status == 1
    assert ended.verdict("basic")["failures"][0]["check"] == "too_short_gp"


def test_installed_program_finds_its_scenarios(prefix: Path) -> None:
    listed = subprocess.run([prefix / "bin" / "srcutorture", "list", "scenarios"], capture_output=True, text=True, check=True)
    assert "basic\t" in listed.stdout
