"""The example is a project outside: it is built against an installation and tortured both ways."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, Ended, Program, sanitizers

EXAMPLE = ROOT / "torture" / "example_plugin"
needs_engine = pytest.mark.skipif(bool(sanitizers()), reason="a build with a sanitizer has no controlled engine")


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


def test_the_other_scheme_as_plugin(program: Program, sound: Path) -> None:
    ended = program.run("--plugin", str(sound / "libepochs.so"), "--duration", "3s")
    assert (ended.status, ended.verdict("basic")["verdict"]) == (0, "SUCCESS"), ended.out + ended.err


def test_as_program(program: Program, sound: Path) -> None:
    expect(run_own(sound, program, "2s"), 0, "SUCCESS", None)


def test_broken_plugin_is_caught(program: Program, broken: Path) -> None:
    ended = program.run("--plugin", str(broken / "libhandmade.so"), "--duration", "10s")
    expect(ended, 1, "FAILURE", "too_short_gp")


def test_broken_program_is_caught(program: Program, broken: Path) -> None:
    expect(run_own(broken, program, "10s"), 1, "FAILURE", "too_short_gp")


def controlled(program: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program, *words], capture_output=True, text=True, timeout=300)


@needs_engine
@pytest.mark.parametrize("name", ["engine_handmade", "engine_epochs"])
def test_in_the_controlled_engine(sound: Path, name: str) -> None:
    done = controlled(sound / name, "run", "--executions", "500", "--seed", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{name.removeprefix('engine_')}_synchronize: 500 executions, none failed" in done.stdout


@needs_engine
def test_broken_one_in_the_controlled_engine(broken: Path) -> None:
    done = controlled(broken / "engine_handmade", "run", "handmade_synchronize", "--seed", "1")
    assert done.returncode == 1 and "FAILURE" in done.stdout, done.stdout + done.stderr
    token = re.search(r"replay (e\d+:\S+)", done.stdout)
    assert token and controlled(broken / "engine_handmade", "replay", token[1]).returncode == 1


PUBLISH = """
#include <atomic>
#include <srcutorture/engine/test.hpp>
static int payload;
static std::atomic<bool> ready;
ENGINE_TEST(publish, "Who sees the flag sees the payload.") {
  test.thread([] { payload = 42; ready.store(true, ORDER); });
  test.thread([] { if (ready.load(std::memory_order_acquire)) engine::check(payload == 42, "an unfinished payload"); });
}
"""
OF_ONE_CALL = """
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES C CXX)
find_package(srcutorture REQUIRED)
foreach(ORDER relaxed release)
  srcutorture_engine_test(publish_${ORDER} SOURCES publish.cpp)
  target_compile_definitions(publish_${ORDER} PRIVATE ORDER=std::memory_order_${ORDER})
endforeach()
"""


@needs_engine
@pytest.mark.parametrize("build_type", ["", "Debug", "Release"])
def test_engine_tests_of_an_outside_project(prefix: Path, tmp_path: Path, build_type: str) -> None:
    (tmp_path / "publish.cpp").write_text(PUBLISH)
    (tmp_path / "CMakeLists.txt").write_text(OF_ONE_CALL)
    build = tmp_path / "build"
    done("cmake", "-S", tmp_path, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}", f"-DCMAKE_BUILD_TYPE={build_type}")
    done("cmake", "--build", build)
    wrong = controlled(build / "publish_relaxed", "run", "--seed", "1")
    assert wrong.returncode == 1 and "a data race, publish.cpp:8, against publish.cpp:7" in wrong.stdout, wrong.stdout + wrong.stderr
    right = controlled(build / "publish_release", "run", "--seed", "1", "--executions", "2000")
    assert right.returncode == 0 and "publish: 2000 executions, none failed" in right.stdout, right.stdout + right.stderr


COUNTED = """
#include <srcu/env.h>
#include <srcutorture/ops.h>
#include <stddef.h>
static uint32_t readers;
static void *create(void) { return &readers; }
static void destroy(void *domain) { (void)domain; }
static uint64_t read_lock(void *domain, void *ctx) {
  (void)domain, (void)ctx;
  __atomic_fetch_add(&readers, 1, __ATOMIC_RELAXED);
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return 0;
}
static void read_unlock(void *domain, void *ctx, uint64_t token) {
  (void)domain, (void)ctx, (void)token;
  if (__atomic_fetch_sub(&readers, 1, __ATOMIC_RELEASE) == 1) srcu_env_futex_wake(&readers);
}
static void synchronize(void *domain, void *ctx) {
  (void)domain, (void)ctx;
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  for (uint32_t seen; (seen = __atomic_load_n(&readers, __ATOMIC_ACQUIRE)) != 0;) {
    srcu_env_futex_wait(&readers, seen, 0);
    if (FORGETS) break;
  }
}
const struct srcutorture_ops srcutorture_ops = {
    .version = SRCUTORTURE_OPS_VERSION, .size = sizeof(struct srcutorture_ops), .name = "counted",
    .facts = SRCUTORTURE_SLEEPING_READER | SRCUTORTURE_NESTS,
    .create = create, .destroy = destroy, .read_lock = read_lock, .read_unlock = read_unlock, .synchronize = synchronize};
"""
OF_THE_SYSTEM = """
cmake_minimum_required(VERSION 3.25)
project(outside LANGUAGES C CXX)
find_package(srcutorture REQUIRED)
foreach(FORGETS 0 1)
  srcutorture_engine_plugin(counted_${FORGETS} SOURCES counted.c USES srcu::srcu)
  target_compile_definitions(counted_${FORGETS} PRIVATE FORGETS=${FORGETS})
endforeach()
"""


@needs_engine
def test_a_scheme_in_c_that_blocks_by_the_librarys_calls(prefix: Path, tmp_path: Path) -> None:
    (tmp_path / "counted.c").write_text(COUNTED)
    (tmp_path / "CMakeLists.txt").write_text(OF_THE_SYSTEM)
    build = tmp_path / "build"
    done("cmake", "-S", tmp_path, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}")
    done("cmake", "--build", build)
    right = controlled(build / "counted_0", "run", "--seed", "1", "--executions", "1000")
    assert right.returncode == 0 and "counted_synchronize: 1000 executions, none failed" in right.stdout, right.stdout + right.stderr
    wrong = controlled(build / "counted_1", "run", "counted_synchronize", "--seed", "1")
    assert wrong.returncode == 1 and "replay e2:" in wrong.stdout, wrong.stdout + wrong.stderr
    assert re.search(r"counted\.c:\d+", wrong.stdout), "the scheme's own lines, not those of the calls"


@needs_engine
def test_installed_gate_lets_the_engine_pass(prefix: Path) -> None:
    passed = controlled(prefix / "bin" / "engine_litmus", "--executions", "200")
    assert passed.returncode == 0 and "0 complaints" in passed.stdout, passed.stdout + passed.stderr


@needs_engine
def test_installed_engine_is_found_beside_the_installed_program(prefix: Path) -> None:
    assert {"normal_synchronize", "handmade_synchronize", "epochs_call"} <= listed(prefix / "bin" / "srcutorture", "tests")


def test_own_program_offers_its_flavour(sound: Path) -> None:
    assert "handmade" in listed(sound / "torture_handmade", "flavors")


def test_own_program_is_not_compiled_for_chaos(program: Program, sound: Path) -> None:
    ended = subprocess.run([sound / "torture_handmade", "run", "--chaos"], cwd=program.cwd, capture_output=True, text=True, timeout=60)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert "this program's own scheme is not compiled for it: make it a plugin" in ended.stderr


def test_scenarios_are_the_installed_ones(prefix: Path, sound: Path) -> None:
    for program in (prefix / "bin" / "srcutorture", sound / "torture_handmade"):
        assert {"basic", "INSTALLED"} <= listed(program, "scenarios"), program
