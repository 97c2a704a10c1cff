"""The picture of a speed table: each row's ratio as a part of its bar."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from .canvas import BOTTOM, CYCLE, RED, TOP, WIDE, Drawn, canvas, decades, finished, legend_above
from .judge import CANNOT_TELL, CONFIDENCE
from .load import NoRun
from .text import json_object, number

LABELS = 4.6  # inches
LEAST_RANGE = (0.01, 2.0)  # of the axis
OF_ONE_PROCESS = f"{CANNOT_TELL}: repetitions of one process, by an older bench_table.py; measure again"


@dataclass
class Mark:
    """All but the verdict as a part of the bar; no ratio where it would say nothing."""

    label: str
    ratio: float
    interval: tuple[float, float]
    floor: float  # the same against itself, as a factor
    verdict: str

    @property
    def ends(self) -> tuple[float, float]:
        return min(self.interval[0], self.ratio / self.floor), max(self.interval[1], self.ratio * self.floor)


def mark_of(row: dict[str, Any]) -> Mark:
    bar = number(row.get("bar"), 1.0)
    interval = row.get("interval")
    low, high = (number(end) / bar for end in interval) if isinstance(interval, list | tuple) and len(interval) == 2 else (0.0, 0.0)
    ratio = number(row.get("ratio")) / bar if 0 < low <= high else 0.0
    return Mark(f"{row.get('cost')}   (bar {bar:g})", ratio, (low, high), max(1.0, number(row.get("floor"))), str(row.get("verdict")))


def rows_of(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Of the first form of such files only what was measured: what they said of it rests on single processes."""
    rows = found.get("rows")
    if found.get("schema") == 1:
        runs = found.get("runs")
        first = runs[0] if isinstance(runs, list) and runs and isinstance(runs[0], dict) else {}
        rows = [{"cost": row.get("cost"), "bar": row.get("bar"), "verdict": OF_ONE_PROCESS}
                for row in first.get("rows") or [] if isinstance(row, dict)]
    return [row for row in rows if isinstance(row, dict) and number(row.get("bar")) > 0] if isinstance(rows, list) else []


def load_speed(path: Path) -> dict[str, Any]:
    """Raises NoRun, with a line that names the cure."""
    found = json_object(path)
    if found.get("kind") != "srcu-speed" or not rows_of(found):
        raise NoRun(f"{path} is no speed table; name the .json that bench_table.py wrote")
    return found


def plot(axes: Axes, marks: list[Mark]) -> None:
    told = [(y, mark) for y, mark in enumerate(marks) if mark.ratio > 0]
    if told:
        places = [y for y, _ in told]
        axes.hlines(places, [m.ratio / m.floor for _, m in told], [m.ratio * m.floor for _, m in told], color="#cccccc", lw=7, zorder=1,
                    label="what the same differs by from itself")
        axes.hlines(places, [m.interval[0] for _, m in told], [m.interval[1] for _, m in told], color="#000000", lw=1.2,
                    label=f"{100 * CONFIDENCE:g} % interval")
        axes.plot([m.ratio for _, m in told], places, "o", ms=5, color=CYCLE[0][0], label="ratio")
    for y, mark in enumerate(marks):
        if mark.verdict.startswith(CANNOT_TELL):
            axes.text(0.01, y, CANNOT_TELL, fontsize=8, color="#777777", va="center", transform=axes.get_yaxis_transform())


def draw(result: dict[str, Any]) -> Figure:
    """Left of the line: met."""
    marks = [mark_of(row) for row in rows_of(result)]
    height = BOTTOM + TOP + 0.3 * len(marks)
    figure, axes = canvas(wide=True, height=height)
    axes.set_position([LABELS / WIDE, BOTTOM / height, 1 - (LABELS + 0.2) / WIDE, 1 - (BOTTOM + TOP) / height])
    plot(axes, marks)
    axes.axvline(1, color=RED, lw=1.5)
    ends = [end for mark in marks if mark.ratio > 0 for end in mark.ends] + list(LEAST_RANGE)
    decades(axes.xaxis, min(ends), max(ends), lambda value: f"{value:g}")
    axes.set_xlim(min(ends) / 1.2, max(ends) * 1.2)
    axes.set_xlabel("ratio, as a part of its bar", fontsize=9)
    axes.set_yticks(range(len(marks)), [mark.label for mark in marks], fontsize=8)
    axes.set_ylim(len(marks) - 0.5, -0.5)
    legend_above(axes)
    return figure


def caption(marks: list[Mark]) -> str:
    """What is seen; the reason once, where nothing can be told for the same one."""
    def count(word: str) -> int:
        return sum(mark.verdict.startswith(word) for mark in marks)

    words = f"{count('met')} of {len(marks)} ratios meet their bars, left of the line; {count('missed')} miss them"
    reasons = {mark.verdict for mark in marks if mark.verdict.startswith(CANNOT_TELL)}
    if not reasons:
        return f"{words}."
    why = reasons.pop().removeprefix(CANNOT_TELL) if len(reasons) == 1 else ""
    return f"{words}; of {count(CANNOT_TELL)} it cannot be told{why}."


def drawn(result: dict[str, Any]) -> Drawn:
    return finished(draw(result), "The library's speed", caption([mark_of(row) for row in rows_of(result)]), wide=True)
