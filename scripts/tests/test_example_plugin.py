"""The example is a project outside: it is built against an installation and tortured both ways."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, Ended, Program

EXAMPLE = ROOT / "torture" / "example_plugin"


def done(*command: str | Path) -> None:
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("prefix")
    done("cmake", "--install", PROGRAM.parent, "--prefix", where)
    # In the source tree there is none of this name: who lists it looks into the installation, and did not fall back.
    (where / "share" / "srcutorture" / "INSTALLED.toml").write_text('description = "here alone"\n')
    return where


def built(prefix: Path, where: Path, *options: str) -> Path:
    done("cmake", "-S", EXAMPLE, "-B", where, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", *options)
    done("cmake", "--build", where)
    return where


@pytest.fixture(scope="module")
def sound(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(prefix, tmp_path_factory.mktemp("sound"))


@pytest.fixture(scope="module")
def broken(prefix: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return built(prefix, tmp_path_factory.mktemp("broken"), "-DHANDMADE_FORGETS_TO_WAIT=ON")


def listed(program: Path, what: str) -> set[str]:
    """The names that `list` prints."""
    ended = subprocess.run([program, "list", what], capture_output=True, text=True, check=True, timeout=60)
    return {line.split("\t")[0] for line in ended.stdout.splitlines()}


def run_own(where: Path, program: Program, duration: str) -> Ended:
    """Runs the example's own program as `program.run` does srcutorture."""
    own = [where / "torture_handmade", "run", "--duration", duration, "--out", program.dir]
    ended = subprocess.run(own, cwd=program.cwd, capture_output=True, text=True, timeout=120)
    return Ended(ended.returncode, ended.stdout, ended.stderr, program.dir)


def expect(ended: Ended, status: int, verdict: str, check: str | None) -> None:
    assert ended.status == status, ended.out + ended.err
    found = ended.verdict("basic")
    assert (found["flavor"], found["verdict"]) == ("handmade", verdict)
    assert [failure["check"] for failure in found["failures"]][:1] == ([check] if check else [])


def test_installed_program_makes_its_report(program: Program, prefix: Path) -> None:
    ended = Program(program.cwd, prefix / "bin" / "srcutorture").run("--flavor", "trivial", "--duration", "1s")
    assert ended.status == 0, ended.err
    assert (ended.dir / "report.html").exists() and "no report" not in ended.err


def test_as_plugin(program: Program, sound: Path) -> None:
    expect(program.run("--plugin", str(sound / "libhandmade.so"), "--duration", "2s"), 0, "SUCCESS", None)


def test_as_program(program: Program, sound: Path) -> None:
    expect(run_own(sound, program, "2s"), 0, "SUCCESS", None)


def test_broken_plugin_is_caught(program: Program, broken: Path) -> None:
    ended = program.run("--plugin", str(broken / "libhandmade.so"), "--duration", "10s")
    expect(ended, 1, "FAILURE", "too_short_gp")


def test_broken_program_is_caught(program: Program, broken: Path) -> None:
    expect(run_own(broken, program, "10s"), 1, "FAILURE", "too_short_gp")


def test_own_program_offers_its_flavour(sound: Path) -> None:
    assert "handmade" in listed(sound / "torture_handmade", "flavors")


def test_own_program_is_not_compiled_for_chaos(program: Program, sound: Path) -> None:
    ended = subprocess.run([sound / "torture_handmade", "run", "--chaos"], cwd=program.cwd, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "this program's own scheme is not compiled for it: make it a plugin" in ended.stderr


def test_scenarios_are_the_installed_ones(prefix: Path, sound: Path) -> None:
    for program in (prefix / "bin" / "srcutorture", sound / "torture_handmade"):
        assert {"basic", "INSTALLED"} <= listed(program, "scenarios"), program
