"""The picture of a speed table: each row's ratio as a part of its bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .load import NoRun
from .text import json_object


def load_speed(path: Path) -> dict[str, Any]:
    """Raises NoRun, with a line that names the cure."""
    found = json_object(path)
    if found is None or found.get("kind") != "srcu-speed" or not found.get("runs"):
        raise NoRun(f"{path} is no speed table; name the .json that bench_table.py wrote")
    return found


def around(axes: Axes, y: float, ratio: float, floor: dict[str, float] | None) -> None:
    """What the ratio could as well be, by what two copies of one benchmark differ."""
    if floor:
        off = max(floor["minima"], 1 / floor["minima"])
        axes.hlines(y, ratio / off, ratio * off, color="#cccccc", lw=5, zorder=1)


def draw(result: dict[str, Any]) -> Figure:
    """Left of the line: met. One mark a run, upon what noise could make of it; a thin line leads to the medians' ratio."""
    runs = result["runs"]
    labels = [f"{row['cost']}   (bar {row['bar']:g})" for row in runs[0]["rows"]]
    figure, axes = plt.subplots(figsize=(8.6, 0.8 + 0.32 * len(labels)), layout="constrained")
    for number, run in enumerate(runs):
        places = [y + 0.24 * (number - (len(runs) - 1) / 2) for y in range(len(labels))]
        minima = [row["ratio"]["minima"] / row["bar"] for row in run["rows"]]
        medians = [row["ratio"]["medians"] / row["bar"] for row in run["rows"]]
        for y, ratio, row in zip(places, minima, run["rows"]):
            around(axes, y, ratio, row["floor"])
        axes.hlines(places, minima, medians, color="#777777", lw=1)
        axes.plot(minima, places, "o", ms=5, color="#1f77b4", label="on minima" if number == 0 else None)
        axes.plot(medians, places, "|", ms=8, color="#000000", label="on medians" if number == 0 else None)
    axes.axvline(1, color="#c62828", lw=1.5)
    axes.set(xscale="log", xlabel="ratio, as a part of its bar", title=f"The library's speed, {len(runs)} run{'s' * (len(runs) > 1)}")
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, loc="upper left")
    return figure
