"""run --chaos: what is under test is made to wait at its atomic accesses, and the record says how often."""

from __future__ import annotations

import errno
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import PROGRAM, ROOT, Ended, Program, sanitizers
from sandbox import refusing

FOR_CHAOS = ["-O2", "-fPIC", "-fsanitize=thread", "-Wno-tsan"]
HANDMADE = ROOT / "torture" / "example_plugin" / "handmade.c"
pytestmark = pytest.mark.skipif(bool(sanitizers()), reason="a build with a sanitizer has no chaos")


def plugin(where: Path, *flags: str, link: tuple[str, ...] = (), source: Path = HANDMADE) -> str:
    """The example's scheme, compiled with these flags."""
    (where / "srcutorture").mkdir(exist_ok=True)
    shutil.copy(ROOT / "torture" / "ops.h", where / "srcutorture")
    subprocess.run(["cc", "-I", where, *flags, "-c", source, "-o", where / "scheme.o"], check=True)
    subprocess.run(["cc", "-shared", *link, where / "scheme.o", "-o", where / "libscheme.so"], check=True)
    return str(where / "libscheme.so")


def firings(ended: Ended, scenario: str) -> dict[str, Any]:
    verdict = ended.verdict(scenario)
    assert (ended.status, verdict["verdict"]) == (0, "SUCCESS"), ended.out + ended.err
    return verdict["injectors"]


def expect_chaos(injectors: dict[str, Any]) -> None:
    assert injectors["chaos_yield"] > 0 and injectors["chaos_epochs"] > 20
    assert injectors["chaos"] == sum(injectors[f"chaos_{action}"] for action in ("yield", "spin", "sleep"))


def test_builtin_flavor_is_disturbed_and_passes(program: Program) -> None:
    ended = program.run("--chaos", "--flavor", "srcu-fast", "--duration", "3s", "--seed", "0x5")
    expect_chaos(firings(ended, "basic"))
    plan = json.loads((ended.dir / "plan.json").read_text())
    assert plan["chaos"] is True and json.loads((ended.dir / "manifest.json").read_text())["chaos"] is True
    assert plan["rerun"].startswith(f"{PROGRAM} run ") and " --chaos " in plan["rerun"] and plan["rerun"].endswith("--seed 0x5")
    assert "-torture: chaos: " in (ended.dir / "basic" / "console.log").read_text()
    events = [json.loads(line) for line in (ended.dir / "basic" / "events.jsonl").read_text().splitlines()]
    (chaos,) = [event for event in events if event["event"] == "chaos"]
    assert min(chaos[kind] for kind in ("quiet", "uniform", "swarm", "focus")) > 0
    assert sum(one["yield"] > 0 for one in chaos["threads"]) > 2


def test_hazard_pointers_are_within_reach(program: Program) -> None:
    expect_chaos(firings(program.run("HAZPTR", "--chaos", "--duration", "2s"), "HAZPTR"))


def test_without_it_nothing_is_counted(program: Program) -> None:
    ended = program.run("--flavor", "srcu-fast", "--duration", "1s")
    assert not any(name.startswith("chaos") for name in firings(ended, "basic"))
    assert json.loads((ended.dir / "plan.json").read_text())["chaos"] is False


def test_broken_flavor_is_caught_all_the_same(program: Program) -> None:
    ended = program.run("--chaos", "--flavor", "busted_counter_mismatch", "--duration", "10s")
    assert ended.status == 1
    assert ended.verdict("basic")["failures"][0]["check"] == "counter_mismatch"


def test_plugin_that_is_compiled_for_it(program: Program, tmp_path: Path) -> None:
    expect_chaos(firings(program.run("--chaos", "--plugin", plugin(tmp_path, *FOR_CHAOS), "--duration", "2s"), "basic"))


def refused(ended: Ended, *words: str) -> None:
    assert (ended.status, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1 and not ended.dir.exists()
    for word in words:
        assert word in ended.err, ended.err


def test_plugin_that_is_not_compiled_for_it(program: Program, tmp_path: Path) -> None:
    ended = program.run("--chaos", "--plugin", plugin(tmp_path, "-O2", "-fPIC"), "--duration", "2s")
    refused(ended, "is not compiled for --chaos: compile it with -fsanitize=thread, and link it without")


def test_plugin_that_is_compiled_for_it_needs_it(program: Program, tmp_path: Path) -> None:
    ended = program.run("--plugin", plugin(tmp_path, *FOR_CHAOS), "--duration", "2s")
    refused(ended, "undefined symbol: __tsan_", "it is compiled for --chaos, so run it with that")


def test_plugin_that_is_linked_with_thread_sanitizer(program: Program, tmp_path: Path) -> None:
    lib = plugin(tmp_path, *FOR_CHAOS, link=("-fsanitize=thread",))
    refused(program.run("--chaos", "--plugin", lib, "--duration", "2s"), "link it without -fsanitize=thread")


def test_plugin_that_never_fires_judges_nothing(program: Program, tmp_path: Path) -> None:
    source = tmp_path / "locks.c"
    source.write_text("""#include <srcutorture/ops.h>
#include <pthread.h>
static pthread_rwlock_t lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static uint64_t read_lock(void *d, void *c) { (void)d, (void)c; pthread_rwlock_rdlock(&lock); return 0; }
static void read_unlock(void *d, void *c, uint64_t t) { (void)d, (void)c, (void)t; pthread_rwlock_unlock(&lock); }
static void synchronize(void *d, void *c) { (void)d, (void)c; pthread_rwlock_wrlock(&lock); pthread_rwlock_unlock(&lock); }
static void *create(void) { return &lock; }
const struct srcutorture_ops srcutorture_ops = {.version = SRCUTORTURE_OPS_VERSION, .size = sizeof(struct srcutorture_ops),
  .name = "locks", .create = create, .read_lock = read_lock, .read_unlock = read_unlock, .synchronize = synchronize};
""")
    lib = plugin(tmp_path, *FOR_CHAOS, "-D_GNU_SOURCE", source=source)
    ended = program.run("--chaos", "--plugin", lib, "--duration", "2s")
    verdict = ended.verdict("basic")
    assert (ended.status, verdict["verdict"]) == (4, "INCONCLUSIVE"), ended.out + ended.err
    assert verdict["why"] == "the injector 'chaos' never fired"


def test_flavor_of_another_library_is_refused(program: Program) -> None:
    refused(program.run("--chaos", "--flavor", "urcu-memb"), "no chaos for urcu-memb: its code is another library's", "leave it out")


def test_in_a_set_it_is_left_out(program: Program) -> None:
    ended = program.run("SRCU-N", "URCU-MEMB", "--chaos", "--duration", "4s")
    assert ended.status == 0, ended.out + ended.err
    assert ended.verdict("URCU-MEMB")["verdict"] == "SKIPPED"
    expect_chaos(ended.verdict("SRCU-N")["injectors"])


def test_single_steps_are_refused(program: Program) -> None:
    refused(program.run("NMI-STEP", "--chaos"), "goes by single instructions")


def test_program_beside_it_is_needed(tmp_path: Path) -> None:
    alone = shutil.copy(PROGRAM, tmp_path / "srcutorture")
    ended = Program(tmp_path, Path(alone)).run("--chaos", "--flavor", "srcu")
    refused(ended, f"--chaos needs {tmp_path}/srcutorture-chaos", "No such file or directory", "build that target")


@pytest.mark.parametrize("words", [["run", "--chaos", "--flavor", "srcu"], ["engine"]], ids=lambda words: words[0])
def test_where_nothing_tells_where_it_is_nothing_else_is_run(words: list[str], tmp_path: Path) -> None:
    for name in ("srcutorture-chaos", "srcutorture-engine"):
        (tmp_path / name).write_text("#!/bin/sh\necho a stranger")
        (tmp_path / name).chmod(0o755)
    ended = Program(tmp_path).call(*words, preexec_fn=refusing(readlink=errno.EACCES))
    assert (ended.status, ended.out) == (3, "")
    assert "where this program is cannot be told" in ended.err


@pytest.mark.parametrize("name", ["skip_second_scan", "locks_before_unlocks", "kick_under_lock"])
def test_mutants_are_killed_under_chaos(name: str, tmp_path: Path) -> None:
    command = [ROOT / "scripts" / "mutants.py", "--program", PROGRAM, name, "--chaos", "--seeds", "1", "--duration", "1m"]
    done = subprocess.run([*command, "--json", tmp_path / "out.json"], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads((tmp_path / "out.json").read_text())
    assert result["runs"][0]["chaos"] is not None
