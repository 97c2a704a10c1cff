"""What the figures hold for: the machine, its load, and the sources."""

from __future__ import annotations

import os
import platform
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def load() -> float:
    return round(os.getloadavg()[0], 2)


@dataclass
class Used:
    """Seconds of CPU time: all that the machine's CPUs were busy (a hypervisor's other guests count), and those of our own."""

    busy: float
    own: float
    at: float

    @staticmethod
    def now() -> Used | None:
        """None where the kernel does not say."""
        try:
            fields = [int(word) for word in Path("/proc/stat").read_text(encoding="utf-8").splitlines()[0].split()[1:9]]
        except (OSError, ValueError, IndexError):
            return None
        own = os.times()
        busy = sum(fields) - fields[3] - fields[4]  # less idle and waiting for disks
        return Used(busy / os.sysconf("SC_CLK_TCK"), sum(own[:4]), time.monotonic())


def others(begin: Used | None, end: Used | None) -> float | None:
    """How many CPUs somebody else kept busy meanwhile. Of our children those count that have ended."""
    if not begin or not end or end.at <= begin.at:
        return None
    return max(0.0, (end.busy - begin.busy - (end.own - begin.own)) / (end.at - begin.at))


def cpus() -> int:
    return len(os.sched_getaffinity(0))


def model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def git(root: Path) -> str:
    """The commit, and whether the sources are those of it."""
    try:
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True, errors="replace")
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def facts(root: Path, build: dict[str, Any]) -> dict[str, Any]:
    """As the manifests of other runs have them."""
    return {"cpu": {"model": model(), "count": cpus()},
            "kernel": {"sysname": platform.system(), "release": platform.release()},
            "build": {"type": build.get("srcu_build"), "compiler": build.get("compiler", ""), "git": git(root)},
            "libc": " ".join(platform.libc_ver()), "python": platform.python_version()}
