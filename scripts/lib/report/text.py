"""Files of runs that may have been killed at any byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def whole_lines(path: Path) -> list[str]:
    """The whole lines of a file, without a cut last one; none if the file is missing."""
    if not path.is_file():
        return []
    lines = path.read_bytes().split(b"\n")
    return [line.decode("utf-8", "replace") for line in lines[:-1]]


def json_lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a .jsonl file; cut and foreign lines are skipped."""
    found = []
    for line in whole_lines(path):
        try:
            value = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found


def json_object(path: Path) -> dict[str, Any] | None:
    """One JSON object; None if the file is missing or holds something else."""
    try:
        value = json.loads(path.read_text(encoding="utf-8", errors="replace"))
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


def number(value: Any, otherwise: float = 0.0) -> float:
    """A number from a file that may hold anything."""
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else otherwise
