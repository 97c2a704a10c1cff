"""What a sanitizer says about the tortured process becomes a failure."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, Ended, Program, sanitizers

PLUGINS = PROGRAM.parent / "torture" / "flavors"
needs_freed_memory_watched = pytest.mark.skipif(
    not {"address", "thread"} & sanitizers(), reason="no sanitizer in this build sees that freed memory is read: preset asan-ubsan")
needs_races_watched = pytest.mark.skipif("thread" not in sanitizers(), reason="no sanitizer in this build sees races: preset tsan")
needs_no_sanitizer = pytest.mark.skipif(bool(sanitizers()), reason="the program of this build has a sanitizer of its own")


def expect(ended: Ended, verdict: str, check: str, function: str) -> None:
    assert ended.status == 1, ended.out + ended.err
    found = ended.verdict("basic")
    first = found["failures"][0]
    assert (found["verdict"], first["check"]) == (verdict, check)
    assert found["signature"].startswith(f"{check}:{function}")
    assert "Sanitizer: " in (ended.dir / "basic" / first["evidence"]).read_text()


@needs_freed_memory_watched
def test_scheme_that_frees_early_is_a_crash(program: Program) -> None:
    ended = program.run("--plugin", str(PLUGINS / "libplugin_frees_early.so"), "--duration", "20s")
    expect(ended, "CRASH", "use_after_free", "wait_for_readers")
    assert program.call("check", str(ended.dir)).status == 1


@needs_races_watched
def test_race_in_the_scheme_is_memory_order(program: Program) -> None:
    ended = program.run("--plugin", str(PLUGINS / "libplugin_races.so"), "--duration", "3s")
    expect(ended, "FAILURE", "memory_order", "enter")


@needs_no_sanitizer
def test_plugin_alone_has_the_sanitizer(program: Program, tmp_path: Path) -> None:
    """Its runtime must then be the first library in the process."""
    plugin = tmp_path / "libmine.so"
    subprocess.run(["gcc", "-g", "-shared", "-fPIC", "-fsanitize=address", "-DFREES_EARLY", "-I", ROOT,
                    ROOT / "torture" / "flavors" / "unsound_for_test.c", "-o", plugin], check=True)
    runtime = subprocess.run(["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    # Not asked for leaks: the report's Python, which inherits the runtime, has some.
    env = os.environ | {"LD_PRELOAD": runtime, "ASAN_OPTIONS": "detect_leaks=0"}
    ended = program.run("--plugin", str(plugin), "--duration", "20s", env=env)
    expect(ended, "CRASH", "use_after_free", "wait_for_readers")


@pytest.mark.skipif(not sanitizers(), reason="no sanitizer in this build: presets asan-ubsan and tsan")
def test_sound_run_has_no_report(program: Program) -> None:
    ended = program.run("2*basic", "--flavor", "urcu-memb", "--duration", "8s")
    assert ended.status == 0, ended.out + ended.err
    assert "Sanitizer" not in ended.err
    assert not list(ended.dir.rglob("sanitizer.*"))
