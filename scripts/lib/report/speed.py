"""The picture of a speed table: each row's ratio as a part of its bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from .load import NoRun
from .text import json_object


def load_speed(path: Path) -> dict[str, Any]:
    """Raises NoRun, with a line that names the cure."""
    found = json_object(path)
    if found is None or found.get("kind") != "srcu-speed" or not found.get("runs"):
        raise NoRun(f"{path} is no speed table; name the .json that bench_table.py wrote")
    return found


def draw(result: dict[str, Any]) -> Figure:
    """Left of the line: met. One mark a run; the thin line goes from the minima's ratio to the medians'."""
    labels = [f"{row['cost']}   (bar {row['bar']:g})" for row in result["runs"][0]["rows"]]
    figure, axes = plt.subplots(figsize=(8.6, 0.8 + 0.32 * len(labels)), layout="constrained")
    for number, run in enumerate(result["runs"]):
        places = [y + 0.24 * (number - (len(result["runs"]) - 1) / 2) for y in range(len(labels))]
        minima = [row["ratio"]["minima"] / row["bar"] for row in run["rows"]]
        medians = [row["ratio"]["medians"] / row["bar"] for row in run["rows"]]
        axes.hlines(places, minima, medians, color="#777777", lw=1)
        axes.plot(minima, places, "o", ms=5, color="#1f77b4", label="ratio on minima" if number == 0 else None)
        axes.plot(medians, places, "|", ms=8, color="#000000", label="on medians" if number == 0 else None)
    axes.axvline(1, color="#c62828", lw=1.5)
    axes.set(xscale="log", xlabel="ratio to the yardstick, as a part of its bar (1: just met; further left is faster)",
             title=f"Speed, {len(result['runs'])} run(s)")
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left")
    return figure
