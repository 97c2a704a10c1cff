"""The library alone: built from srcu/, installed, moved, and used by projects outside, through CMake and pkg-config."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT

SRCU = ROOT / "srcu"
EXAMPLES = sorted((SRCU / "examples").glob("*.c*"))
INSTALLED = SRCU / "tests" / "installed"
STRICT = ["-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def done(*command: str | Path, status: int = 0, timeout: int = 120, **environment: str) -> str:
    ended = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=timeout, env=os.environ | environment)
    assert ended.returncode == status, f"{command}: {ended.returncode}\n{ended.stdout}{ended.stderr}"
    return ended.stdout + ended.stderr


@dataclass
class Installation:
    """Where the library is, and how an outsider finds it."""

    prefix: Path

    @property
    def shared(self) -> Path:
        return self.prefix / "lib" / "libsrcu.so.0"

    @property
    def archive(self) -> Path:
        return self.prefix / "lib" / "libsrcu.a"

    def pkg_config(self, *options: str) -> list[str]:
        return done("pkg-config", *options, "srcu", PKG_CONFIG_PATH=str(self.prefix / "lib" / "pkgconfig")).split()

    def flags(self, linked: str) -> list[str | Path]:
        """How to link: against the shared library, its archive, or without any shared library."""
        if linked == "shared":
            return [*self.pkg_config("--cflags", "--libs"), f"-Wl,-rpath,{self.prefix}/lib"]
        if linked == "archive":
            return [*self.pkg_config("--cflags"), self.archive]
        return ["-static", *self.pkg_config("--static", "--cflags", "--libs")]

    def compile(self, where: Path, source: Path, linked: str, *options: str) -> Path:
        """With cc alone where it is C; the program."""
        language = ["c++", "-std=c++17"] if source.suffix == ".cpp" else ["cc", "-std=c11"]
        done(*language, *STRICT, *options, source, "-o", where / "program", *self.flags(linked))
        return where / "program"

    def files(self) -> set[str]:
        return {str(path.relative_to(self.prefix)) for path in self.prefix.rglob("*") if not path.is_dir()}


def install(where: Path, build_type: str, *options: str) -> Installation:
    done("cmake", "-S", SRCU, "-B", where / "build", "-G", "Ninja", f"-DCMAKE_BUILD_TYPE={build_type}",
         f"-DCMAKE_INSTALL_PREFIX={where}/first", *options)
    done("cmake", "--build", where / "build", timeout=300)
    done("cmake", "--install", where / "build")
    return Installation((where / "first").rename(where / "moved"))  # nothing in it may know where it was


@pytest.fixture(scope="module")
def release(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("release"), "")  # none named: release it is


@pytest.fixture(scope="module")
def lockdep(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("lockdep"), "", "-DSRCU_LOCKDEP=ON")


@pytest.fixture(scope="module")
def debug(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    return install(tmp_path_factory.mktemp("debug"), "Debug")


def cmake_project(where: Path, source: Path, installed: Installation, *options: str) -> Path:
    done("cmake", "-S", source, "-B", where, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={installed.prefix}", *options)
    done("cmake", "--build", where)
    return where


def needed(binary: Path) -> set[str]:
    return set(re.findall(r"\(NEEDED\).*\[(.*)\]", done("readelf", "-d", binary)))


# ---- What is installed ----


def test_what_is_installed(release: Installation) -> None:
    assert release.files() == {
        "include/srcu/defer.h", "include/srcu/env.h", "include/srcu/fastpath.h", "include/srcu/lockdep.h", "include/srcu/srcu.h", "include/srcu/srcu.hpp",
        "lib/libsrcu.a",
        "lib/libsrcu.so", "lib/libsrcu.so.0", f"lib/libsrcu.so.{version()}", "lib/pkgconfig/srcu.pc", "lib/cmake/srcu/srcuConfig.cmake",
        "lib/cmake/srcu/srcuConfigVersion.cmake", "lib/cmake/srcu/srcuTargets.cmake",
        "lib/cmake/srcu/srcuTargets-release.cmake"}


def test_the_torture_installs_it_too(release: Installation, tmp_path: Path) -> None:
    alone, everything = Installation(tmp_path / "alone"), Installation(tmp_path / "everything")
    done("cmake", "--install", PROGRAM.parent, "--component", "srcu", "--prefix", alone.prefix)
    done("cmake", "--install", PROGRAM.parent, "--prefix", everything.prefix)
    assert alone.files() == release.files()
    assert everything.files() > release.files() | {"bin/srcutorture"}


def version() -> str:
    header = (SRCU / "include/srcu/srcu.h").read_text()
    return ".".join(re.search(rf"#define SRCU_VERSION_{part} (\d+)", header)[1] for part in ("MAJOR", "MINOR", "PATCH"))


def test_one_version(release: Installation) -> None:
    assert release.pkg_config("--modversion") == [version()]
    assert version() in (release.prefix / "lib/cmake/srcu/srcuConfigVersion.cmake").read_text()
    assert f"VERSION {version()} " in (ROOT / "CMakeLists.txt").read_text()


def test_exports_what_the_headers_declare(release: Installation) -> None:
    declared: set[str] = set()
    for header in ("srcu.h", "fastpath.h", "env.h", "defer.h"):
        text = re.sub(r"(?s:/\*.*?\*/)|(?m:^#.*)", "", (SRCU / "include/srcu" / header).read_text())
        declared |= set(re.findall(r"(?m)^(?!static|typedef|extern)\w[\w *]*?\b(\w+)\(", text))  # functions
        declared |= set(re.findall(r"(?m)^extern SRCU_API [\w ]*?\b(\w+)(?: __attribute__|;)", text))  # variables
    exported = {line.split()[-1] for line in done("nm", "-D", "--defined-only", release.shared).splitlines()}
    assert exported == declared and len(declared) > 35


def test_thread_local_storage_takes_no_call(release: Installation) -> None:
    """Such a call may allocate, which a signal handler must not."""
    for library in (release.shared, release.archive):
        symbols = done("nm", library) + done("nm", "-D", release.shared)
        assert "srcu_slot_offset" in symbols and "__tls_get_addr" not in symbols


def test_needs_libc_alone(release: Installation) -> None:
    assert needed(release.shared) == {"libc.so.6"}
    assert "[libsrcu.so.0]" in done("readelf", "-d", release.shared)


UNLOADED = """
import ctypes, _ctypes, sys, threading
library = ctypes.CDLL(sys.argv[1])
has_read, unloaded = threading.Event(), threading.Event()
def read():
    library.rcu_read_lock_trace()
    library.rcu_read_unlock_trace()
    has_read.set()
    unloaded.wait()
assert library.srcu_start_helper() == 0
reader = threading.Thread(target=read)
reader.start()
has_read.wait()
_ctypes.dlclose(library._handle)
unloaded.set()
reader.join()
"""


def test_survives_dlclose(release: Installation) -> None:
    """A thread that has read runs the library's code when it exits, and the helper always does."""
    done(sys.executable, "-c", UNLOADED, release.shared)


def test_archive_in_a_plugin_survives_dlclose(release: Installation, tmp_path: Path) -> None:
    plugin = cmake_project(tmp_path, INSTALLED / "plugin", release)
    done(sys.executable, "-c", UNLOADED, plugin / "libplugin.so")


# ---- Projects outside ----


def test_examples_with_cmake(release: Installation, tmp_path: Path) -> None:
    built = cmake_project(tmp_path, SRCU / "examples", release)
    assert "100% tests passed" in done("ctest", "--test-dir", built, "--no-tests=error", "--timeout", "60")
    rules = (built / "build.ninja").read_text()
    for example in EXAMPLES:
        program = example.name.replace(".", "_")
        linker = "CXX" if example.suffix == ".cpp" else "C"  # also with the archive, which is made of C++
        assert f": {linker}_EXECUTABLE_LINKER__{program}_with_srcu_static" in rules
        run_time = {"libc.so.6"} if example.suffix == ".c" else needed(built / f"{program}_with_srcu_static")
        assert needed(built / f"{program}_with_srcu_static") == run_time
        assert needed(built / f"{program}_with_srcu") == run_time | {"libsrcu.so.0"}


@pytest.mark.parametrize("linked", ["shared", "archive", "static"])
@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_example_with_pkg_config(release: Installation, tmp_path: Path, example: Path, linked: str) -> None:
    program = release.compile(tmp_path, example, linked)
    done(program)
    assert ("libsrcu.so.0" in needed(program)) == (linked == "shared")


ONLY_C = """
cmake_minimum_required(VERSION 3.25)
project(only_c LANGUAGES C)
find_package(srcu {version} REQUIRED)
foreach(LIBRARY srcu srcu_static)
  add_executable(with_${{LIBRARY}} {source})
  target_link_libraries(with_${{LIBRARY}} PRIVATE srcu::${{LIBRARY}})
endforeach()
"""


def test_project_without_cxx(release: Installation, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(ONLY_C.format(version="0.1", source=SRCU / "examples/plugin_list.c"))
    built = cmake_project(tmp_path / "build", tmp_path, release)
    done(built / "with_srcu")
    done(built / "with_srcu_static")
    assert needed(built / "with_srcu_static") == {"libc.so.6"}


def test_another_version_is_refused(release: Installation, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(ONLY_C.format(version="0.0", source="none.c"))
    refused = done("cmake", "-S", tmp_path, "-B", tmp_path / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={release.prefix}", status=1)
    assert re.search(r'requested\s+version "0.0"', refused)


README_LOCKS_MAIN = """
int main(void) {
  srcu_lockdep_start();
  int idx = srcu_read_lock(&domain);
  list_lock();
  list_unlock();
  srcu_read_unlock(&domain, idx);
  list_lock();
  synchronize_srcu(&domain);
  list_unlock();
  return 0;
}
"""


def test_locks_of_the_readme(lockdep: Installation, release: Installation, tmp_path: Path) -> None:
    """With the prover in it, the program is told of its deadlock; without, it compiles and says nothing."""
    example = re.findall(r"```c\n(.*?)```", (SRCU / "README.md").read_text(), re.S)[1]
    includes = "#include <srcu/lockdep.h>\n#include <srcu/srcu.h>\n#include <pthread.h>\nDEFINE_STATIC_SRCU(domain);\n"
    (tmp_path / "locks.c").write_text(includes + example + README_LOCKS_MAIN)
    told = done(lockdep.compile(tmp_path, tmp_path / "locks.c", "archive"))
    assert "possible circular locking dependency detected" in told and "list.lock" in told and "locks.c:" in told
    assert done(release.compile(tmp_path, tmp_path / "locks.c", "archive")) == ""


README_MAIN = """
int main(void) {
  current = calloc(1, sizeof *current);
  struct config *fresh = calloc(1, sizeof *fresh);
  if (!current || !fresh || timeout() != 0) return 1;
  fresh->timeout = 1;
  replace(fresh);
  srcu_barrier(&config_srcu);
  return timeout() != 1;
}
"""


def test_example_of_the_readme(release: Installation, tmp_path: Path) -> None:
    example = re.search(r"```c\n(.*?)```", (SRCU / "README.md").read_text(), re.S)
    (tmp_path / "readme.c").write_text(example[1] + README_MAIN)
    done(release.compile(tmp_path, tmp_path / "readme.c", "shared"))


# ---- The headers ----


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@pytest.mark.parametrize("standard", ["c11", "c17", "c++17", "c++20"])
@pytest.mark.parametrize("header", ["srcu/srcu.h", "srcu/env.h", "srcu/defer.h", "srcu/srcu.hpp"])
def test_header_is_strict(release: Installation, tmp_path: Path, header: str, standard: str, compiler: str) -> None:
    language = "c++" if "++" in standard else "c"
    if not shutil.which(compiler) or (language == "c" and header.endswith(".hpp")):
        pytest.skip("no such compiler, or no such pair")
    (tmp_path / "user").write_text(f"#include <{header}>\nDEFINE_SRCU(domain);\nDEFINE_SRCU_FAST(fast);\n")
    for checked in ([], ["-DSRCU_DEBUG"]):
        done(compiler, "-x", language, f"-std={standard}", *STRICT, "-Wconversion", "-Wshadow", *checked, "-fsyntax-only",
             *release.pkg_config("--cflags"), tmp_path / "user")


def instructions(objects: Path) -> dict[str, list[str]]:
    """By function, in a relocatable file; without padding."""
    listing = done("objdump", "-d", "--no-show-raw-insn", objects)
    functions = re.findall(r"<(\w+)>:\n(.*?)(?=\n\n|\Z)", listing, re.S)
    return {name: [line.split("\t")[1].split()[0] for line in body.splitlines() if "\t" in line and "nop" not in line
                   and "xchg   %ax,%ax" not in line] for name, body in functions}


def test_guards_cost_nothing(release: Installation, tmp_path: Path) -> None:
    done("c++", "-std=c++17", *STRICT, "-c", INSTALLED / "guards.cpp", "-o", tmp_path / "guards.o", *release.pkg_config("--cflags"))
    code = instructions(tmp_path / "guards.o")
    assert len(code["plain"]) > 10
    assert len(code["guarded"]) <= len(code["plain"])
    assert len(code["guarded_fast"]) <= len(code["plain_fast"])


# ---- Promises of srcu.h ----


@pytest.fixture(params=["release", "debug"])
def either(request: pytest.FixtureRequest) -> Installation:
    return request.getfixturevalue(request.param)


def test_who_may_call_what(either: Installation, tmp_path: Path) -> None:
    done(either.compile(tmp_path, INSTALLED / "who_may_call.c", "shared"))


def test_cpp_face(either: Installation, tmp_path: Path) -> None:
    program = either.compile(tmp_path, INSTALLED / "cpp_face.cpp", "shared")
    done(program)
    assert "srcu: cleanup_srcu_struct" in done(program, "destroy-while-read", status=-6)


GUARDED = """
#include <srcu/srcu.hpp>
void guarded(srcu::fast_updown_domain &domain);
void guarded(srcu::fast_updown_domain &domain) {{ {statement} }}
"""


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
def test_guards_that_guard_nothing_draw_a_warning(release: Installation, tmp_path: Path, compiler: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")

    def warnings(statement: str, status: int) -> str:
        (tmp_path / "user.cpp").write_text(GUARDED.format(statement=statement))
        return done(compiler, "-std=c++17", *STRICT, "-fsyntax-only", *release.pkg_config("--cflags"), tmp_path / "user.cpp",
                    status=status)

    for guard in ("read_guard", "down_guard"):
        assert warnings(f"const srcu::{guard} reading(domain);", 0) == ""
        assert "nodiscard" in warnings(f"srcu::{guard}{{domain}};", 1)
        assert "nodiscard" in warnings(f"(srcu::{guard}(domain));", 1)


@pytest.mark.parametrize("compiler", ["g++", "clang++"])
@pytest.mark.parametrize("standard", ["c++17", "c++20"])
def test_cpp_without_exceptions(release: Installation, tmp_path: Path, standard: str, compiler: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    (tmp_path / "user.cpp").write_text("#include <srcu/srcu.hpp>\nint main() { srcu::domain one; srcu::read_guard reading(one); }\n")
    done(compiler, f"-std={standard}", *STRICT, "-fno-exceptions", tmp_path / "user.cpp", "-o", tmp_path / "program",
         *release.flags("archive"))
    done(tmp_path / "program")


def test_memory_of_a_domain(release: Installation, tmp_path: Path) -> None:
    done(release.compile(tmp_path, INSTALLED / "footprint.c", "shared"))


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_domain_in_any_memory(either: Installation, tmp_path: Path, compiler: str) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    program = tmp_path / "program"
    done(compiler, "-std=c11", *STRICT, "-fsanitize=undefined", "-fno-sanitize-recover=all", INSTALLED / "any_memory.c",
         "-o", program, *either.flags("archive"))
    done(program)


@pytest.mark.parametrize("what", ["cancelled", "forked_while_driven", "forked_together"])
def test_cancelling_and_forking(either: Installation, tmp_path: Path, what: str) -> None:
    done(either.compile(tmp_path, INSTALLED / "rough_company.c", "shared"), what)


MISUSE = """
#include <srcu/srcu.h>
DEFINE_STATIC_SRCU(domain);
int main(void) {
  int idx = srcu_read_lock(&domain);
  srcu_read_unlock(&domain, idx);
  srcu_read_unlock(&domain, idx);
  return 0;
}
"""


def test_debug_library_has_its_users_checked(debug: Installation, tmp_path: Path) -> None:
    """Also in a release build of theirs: half of the checks stand in the inline functions."""
    (tmp_path / "misuse.c").write_text(MISUSE)
    (tmp_path / "CMakeLists.txt").write_text(ONLY_C.format(version="0.1", source="misuse.c"))
    built = cmake_project(tmp_path / "build", tmp_path, debug, "-DCMAKE_BUILD_TYPE=Release")
    for program in (built / "with_srcu", built / "with_srcu_static", debug.compile(tmp_path, tmp_path / "misuse.c", "shared")):
        assert "unlock in domain domain without a lock" in done(program, status=-6)


def test_release_library_checks_nothing(release: Installation, tmp_path: Path) -> None:
    (tmp_path / "misuse.c").write_text(MISUSE)
    done(release.compile(tmp_path, tmp_path / "misuse.c", "shared"))
