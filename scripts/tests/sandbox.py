"""What a plain container withholds: seccomp filters, cgroup limits, capabilities."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT

SYSCALLS = {
    "x86_64": {"membarrier": 324, "ptrace": 101, "readlink": 89, "sched_setaffinity": 203},
    "aarch64": {"membarrier": 283, "ptrace": 117, "readlink": 78, "sched_setaffinity": 122},  # there it is readlinkat
}
# A user of whom nothing else runs, so that a limit on its processes counts ours alone.
NOBODY = 54321
AS_NOBODY = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
             "--no-new-privs"]

libc = ctypes.CDLL(None, use_errno=True)


class FilterProgram(ctypes.Structure):
    """struct sock_fprog"""

    _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_char_p)]


def bpf(refused: dict[int, int]) -> list[bytes]:
    """struct sock_filter: load the number of the call, and answer those of `refused` with their errno."""
    load, jump_if_equal, answer = 0x20, 0x15, 0x06
    errno, allow = 0x0005_0000, 0x7FFF_0000
    code = [struct.pack("HBBI", load, 0, 0, 0)]
    for number, error in refused.items():
        code += [struct.pack("HBBI", jump_if_equal, 0, 1, number), struct.pack("HBBI", answer, 0, 0, errno | error)]
    return [*code, struct.pack("HBBI", answer, 0, 0, allow)]


def refusing(**errors: int) -> Callable[[], None]:
    """For preexec_fn: the named system calls fail with these errno values from then on."""
    numbers = SYSCALLS.get(platform.machine())
    if numbers is None:
        pytest.skip(f"the numbers of system calls on {platform.machine()} are not known here")
    code = bpf({numbers[name]: error for name, error in errors.items()})
    program = FilterProgram(len(code), b"".join(code))

    def install() -> None:
        no_new_privileges, set_seccomp, filter_mode = 38, 22, 2
        if libc.prctl(no_new_privileges, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, ctypes.byref(program), 0, 0):
            raise OSError(ctypes.get_errno(), "no seccomp filter")

    return install


@contextmanager
def cgroup(controller: str, v1: dict[str, str], v2: dict[str, str]) -> Iterator[Path]:
    """A cgroup whose files are given these values; which, depends on the version at hand."""
    mount = Path("/sys/fs/cgroup")
    old = (mount / controller / "cgroup.procs").exists()
    group = (mount / controller if old else mount) / f"srcutorture-test-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        pytest.skip(f"no cgroup can be made here: {error}")
    try:
        try:
            for name, value in (v1 if old else v2).items():
                (group / name).write_text(value)
        except OSError as error:
            pytest.skip(f"this cgroup takes no limit: {error}")
        yield group
    finally:
        group.rmdir()


def entering(group: Path) -> Callable[[], None]:
    """For preexec_fn: into that cgroup."""

    def enter() -> None:
        (group / "cgroup.procs").write_text(str(os.getpid()))

    return enter


def installed(place: Path) -> Path:
    """The program with what it needs, in a place of its own. It makes no report there, which saves the most time."""
    (place / "bin").mkdir()
    shutil.copytree(ROOT / "torture" / "scenarios", place / "share" / "srcutorture")
    return Path(shutil.copy(PROGRAM, place / "bin"))
