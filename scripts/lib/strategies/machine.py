"""What the figures hold for: the machine, its load, and the sources."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any


def load() -> float:
    return round(os.getloadavg()[0], 2)


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
        done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=root, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return done.stdout.strip() or "unknown"


def facts(root: Path, build: dict[str, Any]) -> dict[str, Any]:
    """As the manifests of other runs have them."""
    return {"cpu": {"model": model(), "count": cpus()},
            "kernel": {"sysname": platform.system(), "release": platform.release()},
            "build": {"type": build.get("srcu_build"), "compiler": build.get("compiler", ""), "git": git(root)},
            "libc": " ".join(platform.libc_ver()), "python": platform.python_version()}
