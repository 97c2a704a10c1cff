"""The picture of a speed table: each row's ratio as a part of its bar."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .canvas import BOTTOM, CYCLE, RED, TOP, WIDE, Drawn, canvas, decades, finished, legend_above
from .load import NoRun
from .text import json_object

LABELS = 4.6  # inches


def load_speed(path: Path) -> dict[str, Any]:
    """Raises NoRun, with a line that names the cure."""
    found = json_object(path)
    if found.get("kind") != "srcu-speed" or not found.get("runs"):
        raise NoRun(f"{path} is no speed table; name the .json that bench_table.py wrote")
    return found


def around(axes: Axes, y: float, ratio: float, floor: dict[str, float] | None) -> None:
    """What the ratio could as well be, by what two copies of one benchmark differ."""
    if floor:
        off = max(floor["minima"], 1 / floor["minima"])
        axes.hlines(y, ratio / off, ratio * off, color="#cccccc", lw=5, zorder=1)


def plot(axes: Axes, rows: list[dict[str, Any]], shift: float, named: bool) -> None:
    """One run's marks."""
    places = [y + shift for y in range(len(rows))]
    minima, medians = ([row["ratio"][which] / row["bar"] for row in rows] for which in ("minima", "medians"))
    for y, ratio, row in zip(places, minima, rows):
        around(axes, y, ratio, row["floor"])
    axes.hlines(places, minima, medians, color="#777777", lw=1)
    axes.plot(minima, places, "o", ms=5, color=CYCLE[0][0], label="on minima" if named else None)
    axes.plot(medians, places, "|", ms=8, color="#000000", label="on medians" if named else None)


def draw(result: dict[str, Any]) -> Figure:
    """Left of the line: met. One mark a run, upon what noise could make of it; a thin line leads to the medians' ratio."""
    runs = result["runs"]
    labels = [f"{row['cost']}   (bar {row['bar']:g})" for row in runs[0]["rows"]]
    height = BOTTOM + TOP + 0.3 * len(labels)
    figure, axes = canvas(wide=True, height=height)
    axes.set_position([LABELS / WIDE, BOTTOM / height, 1 - (LABELS + 0.2) / WIDE, 1 - (BOTTOM + TOP) / height])
    for number, run in enumerate(runs):
        plot(axes, run["rows"], 0.24 * (number - (len(runs) - 1) / 2), number == 0)
    axes.axvline(1, color=RED, lw=1.5)
    decades(axes.xaxis, 0.01, 1, lambda value: f"{value:g}")
    axes.set_xlabel("ratio, as a part of its bar", fontsize=9)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.invert_yaxis()
    legend_above(axes)
    return figure


def drawn(result: dict[str, Any]) -> Drawn:
    met = sum(max(row["ratio"].values()) <= row["bar"] for run in result["runs"] for row in run["rows"])
    of = sum(len(run["rows"]) for run in result["runs"])
    return finished(draw(result), "The library's speed", f"{met} of {of} ratios meet their bars, left of the line. Grey: what two copies of "
                    "one benchmark differ by.", wide=True)
