"""Files of runs that may have been killed at any byte, and numbers as people read them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def whole_lines(path: Path) -> list[str]:
    """The whole lines of a file, without a cut last one; none if the file is missing."""
    if not path.is_file():
        return []
    return [line.decode("utf-8", "replace") for line in path.read_bytes().split(b"\n")[:-1]]


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a .jsonl file; cut and foreign lines are skipped."""
    for line in whole_lines(path):
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict):
            yield value


def json_object(path: Path) -> dict[str, Any]:
    """One JSON object; empty if the file is missing or holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def number(value: Any, otherwise: float = 0.0) -> float:
    """A finite number from a file that may hold anything."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e300:
        return otherwise
    return float(value)


def member(parent: dict[str, Any], key: str) -> dict[str, Any]:
    """An object inside an object; empty if it is something else."""
    value = parent.get(key)
    return value if isinstance(value, dict) else {}


def scaled(value: float, units: list[tuple[float, str]]) -> str:
    """Three digits and the largest unit that fits; units ascending."""
    size, unit = next((u for u in reversed(units) if abs(value) >= 0.9995 * u[0]), units[0])
    digits = f"{value / size:.3g}"
    return f"{float(digits):.0f} {unit}".rstrip() if "e" in digits else f"{digits} {unit}".rstrip()


def latency(ns: float) -> str:
    return scaled(ns, [(1, "ns"), (1e3, "µs"), (1e6, "ms"), (1e9, "s")])


def span(seconds: float) -> str:
    """How long something lasted, or when it was."""
    return latency(seconds * 1e9) if abs(seconds) < 120 else scaled(seconds, [(60, "min"), (3600, "h")])


def count(value: float) -> str:
    """Exact up to 999,999; three digits beyond, and of fractions."""
    if 0 < abs(value) < 100 and value != round(value):
        return f"{value:.3g}"
    return f"{value:,.0f}" if abs(value) < 1e6 else scaled(value, [(1e6, "M"), (1e9, "G"), (1e12, "T")])


def size(n: float) -> str:
    return scaled(n, [(1, "B"), (2**10, "KiB"), (2**20, "MiB"), (2**30, "GiB")])
