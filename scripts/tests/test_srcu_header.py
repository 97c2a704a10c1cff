"""srcu.h beside liburcu's headers, and what its inline functions compile to."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT

INCLUDE = ["-I", str(ROOT / "srcu" / "include")]
STRICT = ["-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]
LANGUAGES = [(compiler, standard) for compiler in ("gcc", "clang") for standard in ("c11", "c++17")]


def compiled(language: tuple[str, str], source: str, where: Path, *options: str,
             include: Sequence[str] = INCLUDE) -> subprocess.CompletedProcess[str]:
    """`source`, as the language that is named, to an object."""
    compiler, standard = language
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    suffix = ".cpp" if "++" in standard else ".c"
    (where / f"user{suffix}").write_text(source)
    return subprocess.run([compiler, f"-std={standard}", *STRICT, *include, *options, "-c", f"user{suffix}", "-o", "user.o"],
                          cwd=where, capture_output=True, text=True, timeout=120)


# ---- liburcu ----

BOTH = """
#include <urcu/{header}.h>
#include <srcu/srcu.h>
DEFINE_STATIC_SRCU(domain);
static int ended;
static void end(struct rcu_head *head) {{ ended = head->func == end; }}
int main(void) {{
  static struct rcu_head head;
  static struct cds_wfcq_node *next;
  next = &head.next;                      /* it is liburcu's struct */
  void (*theirs)(struct rcu_head *, void (*)(struct rcu_head *)) = {post};
  (void)theirs;
  (void)next;
  call_srcu(&domain, &head, end);
  srcu_barrier(&domain);
  return !ended;
}}
"""


@pytest.mark.parametrize(("header", "post"), [("call-rcu", "call_rcu"), ("urcu-memb", "urcu_memb_call_rcu")])
@pytest.mark.parametrize("language", LANGUAGES, ids="-".join)
def test_after_liburcu_its_rcu_head_is_used(language: tuple[str, str], header: str, post: str, tmp_path: Path) -> None:
    done = compiled(language, BOTH.format(header=header, post=post), tmp_path)
    assert done.returncode == 0, done.stderr
    # Linked by the C++ compiler in any case, for a library built with a sanitizer.
    library = PROGRAM.parent / "srcu" / "libsrcu.a"
    urcu = ["-lurcu-memb"] if header == "urcu-memb" else ["-lurcu"]
    subprocess.run(["gcc", "user.o", library, "-o", "user", *urcu], cwd=tmp_path, check=True, timeout=60)
    subprocess.run([tmp_path / "user"], check=True, timeout=60)


@pytest.mark.parametrize("header", ["call-rcu", "urcu-memb"])
@pytest.mark.parametrize("language", LANGUAGES, ids="-".join)
def test_before_liburcu_is_one_clear_error(language: tuple[str, str], header: str, tmp_path: Path) -> None:
    done = compiled(language, f"#include <srcu/srcu.h>\n#include <urcu/{header}.h>\nint unused;\n", tmp_path)
    assert done.returncode != 0
    errors = [line for line in done.stderr.splitlines() if re.search(r"\berror:", line)]
    assert len(errors) == 1, done.stderr
    assert "Include <urcu/call-rcu.h> before <srcu/srcu.h>" in done.stderr


# ---- Publishing a pointer ----

ASSIGNED = """
#include <srcu/srcu.h>
struct a {{ int x; }};
struct b {{ double x; }};
struct c;
void assigned(struct a **to, const struct a *volatile *const_to, struct c **opaque_to, void **any_to, struct a *a,
              struct b *b, struct c *c);
void assigned(struct a **to, const struct a *volatile *const_to, struct c **opaque_to, void **any_to, struct a *a,
              struct b *b, struct c *c) {{
  (void)to, (void)const_to, (void)opaque_to, (void)any_to, (void)a, (void)b, (void)c;
  {statement}
}}
"""
LIKE_AN_ASSIGNMENT = ["*to, a", "*to, NULL", "*to, 0", "*const_to, a", "*opaque_to, c", "*any_to, b", "to[1], &to[0][1]"]
NOT_ASSIGNABLE = ["*to, b", "*to, 5", "*to, c", "*to, *const_to", "*opaque_to, a", "*to, &a", "*to, 1.0"]


@pytest.mark.parametrize("include", ["-I", "-isystem"])
@pytest.mark.parametrize("language", LANGUAGES, ids="-".join)
def test_assign_pointer_takes_what_an_assignment_takes(language: tuple[str, str], include: str, tmp_path: Path) -> None:
    """Warnings that are errors here: also where the header counts as the system's, inside of which warnings are off."""

    def takes(what: str) -> bool:
        source = ASSIGNED.format(statement=what)
        return compiled(language, source, tmp_path, "-Wconversion", "-Wshadow", include=(include, INCLUDE[1])).returncode == 0

    for pair in LIKE_AN_ASSIGNMENT:
        assert takes(f"rcu_assign_pointer({pair});"), pair
    if "++" in language[1]:
        assert takes("rcu_assign_pointer(*to, nullptr);")
    for pair in NOT_ASSIGNABLE:
        assert not takes(pair.replace(",", " =", 1) + ";"), f"that assignment is right: {pair}"
        assert not takes(f"rcu_assign_pointer({pair});"), pair


SECOND_BASE = """
#include <srcu/srcu.h>
struct first { int a = 1; };
struct second { int b = 2; };
struct both : first, second {};
static second *current;
int main() {
  both object;
  rcu_assign_pointer(current, &object);
  return current == static_cast<second *>(&object) && current->b == 2 ? 0 : 1;
}
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_assign_pointer_to_a_second_base_points_to_that(compiler: str, tmp_path: Path) -> None:
    done = compiled((compiler, "c++17"), SECOND_BASE, tmp_path)
    assert done.returncode == 0, done.stderr
    subprocess.run(["gcc", "user.o", "-o", "user"], cwd=tmp_path, check=True, timeout=60)
    subprocess.run([tmp_path / "user"], check=True, timeout=60)


# ---- The readers' fast path ----

READERS = """
#include <srcu/srcu.h>
int lock(struct srcu_struct *ssp) { return srcu_read_lock(ssp); }
void unlock(struct srcu_struct *ssp, int idx) { srcu_read_unlock(ssp, idx); }
struct srcu_ctr *lock_fast(struct srcu_struct *ssp) { return srcu_read_lock_fast(ssp); }
void unlock_fast(struct srcu_struct *ssp, struct srcu_ctr *scp) { srcu_read_unlock_fast(ssp, scp); }
struct srcu_ctr *lock_fast_updown(struct srcu_struct *ssp) { return srcu_read_lock_fast_updown(ssp); }
void unlock_fast_updown(struct srcu_struct *ssp, struct srcu_ctr *scp) { srcu_read_unlock_fast_updown(ssp, scp); }
"""


def disassembled(where: Path) -> str:
    return subprocess.run(["objdump", "-d", "--no-show-raw-insn", "user.o"], cwd=where, capture_output=True, text=True,
                          check=True).stdout


def hot_path(listing: str, function: str) -> list[str]:
    """The instructions from a function's entry to its return, no conditional jump taken."""
    body = re.search(rf"<{function}>:\n(.*?)(?=\n\n|\Z)", listing, re.S)
    assert body, listing
    path = []
    for line in body[1].splitlines():
        if not (code := re.match(r"\s*[0-9a-f]+:\t(.*)", line)):
            continue
        path.append(code[1].strip())
        if path[-1].startswith(("ret", "jmp", "call")):
            return path
    raise AssertionError(f"{function} has no end:\n{listing}")


@pytest.mark.parametrize("position", ["-fPIC", "-fno-pie"])
@pytest.mark.parametrize("language", LANGUAGES, ids="-".join)
def test_readers_call_nothing_and_fast_ones_lock_nothing(language: tuple[str, str], position: str, tmp_path: Path) -> None:
    source = READERS if "++" not in language[1] else f'extern "C" {{{READERS}}}'
    done = compiled(language, source, tmp_path, position)
    assert done.returncode == 0, done.stderr
    listing = disassembled(tmp_path)
    if "file format elf64-x86-64" not in listing:
        pytest.skip("the instructions are x86-64's")
    for function in ("lock", "unlock", "lock_fast", "unlock_fast", "lock_fast_updown", "unlock_fast_updown"):
        path = hot_path(listing, function)
        locked = [code for code in path if re.match(r"lock|xchg .*\(|mfence", code)]
        counted = [code for code in path if re.search(r"\baddq +\$0x1,.*\(", code)]
        assert path[-1].startswith("ret"), f"{function} goes elsewhere: {path}"
        assert len(locked) == (function == "lock"), f"{function}: {path}"
        assert len(counted) == 1, f"{function} counts in one instruction: {path}"
        assert len(path) <= 18, f"{function}: {path}"


def test_debug_readers_go_the_checked_way(tmp_path: Path) -> None:
    """That the test above looks at the right thing."""
    done = compiled(("gcc", "c11"), READERS, tmp_path, "-DSRCU_DEBUG")
    assert done.returncode == 0, done.stderr
    listing = disassembled(tmp_path)
    assert not hot_path(listing, "lock_fast")[-1].startswith("ret")


@pytest.mark.parametrize("header", sorted((ROOT / "srcu/include/srcu").iterdir()), ids=lambda path: path.name)
def test_headers_name_nothing_that_users_do_not_have(header: Path) -> None:
    assert not re.search(r"tortur|laborator|harness|mutant", header.read_text(), re.I)


# ---- The library's objects ----


def test_objects_need_no_cxx_run_time_and_no_tls_call() -> None:
    undefined = subprocess.run(["nm", "--undefined-only", PROGRAM.parent / "srcu" / "libsrcu.a"], capture_output=True, text=True,
                               check=True).stdout
    symbols = {line.split()[-1] for line in undefined.splitlines() if " U " in line}
    assert {"pthread_create", "mmap", "syscall"} <= symbols
    assert "__tls_get_addr" not in symbols
    cxx = {name for name in symbols if name.startswith(("__cxa", "__gxx", "_Zn", "_Zd", "_ZSt", "_ZNSt", "_ZNKSt", "_ZTI", "_ZTV"))}
    assert not cxx
