"""A comparison as a picture: each benchmark's interval, upon what noise alone makes of it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ..report.canvas import BOTTOM, CYCLE, RED, TOP, WIDE, Drawn, canvas, finished, legend_above
from ..report.judge import CONFIDENCE, FASTER, LARGER, NONE, SLOWER, SMALLER
from .outputs import Judged, named

LABELS = 3.9  # inches
ROW = 0.3
# A colour and a shape each, so that it can be read in grey.
MARKS = {SLOWER: (RED, ">"), LARGER: (RED, ">"), FASTER: (CYCLE[2][0], "<"), SMALLER: (CYCLE[2][0], "<"), NONE: ("#555555", "o")}
# Marks of the axis, from the outside in.
ABOVE = (1e5, 1e4, 1e3, 300, 100, 50, 20, 10, 5, 3, 2, 1.5, 1.3, 1.2, 1.1, 1.05, 1.02, 1.01)
BELOW = (1e-5, 1e-4, 1e-3, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99)
APART = 0.09  # of the axis


def spaced(values: Sequence[float], far: float) -> list[float]:
    """As many as are readable beside each other, and beside the 1."""
    kept: list[float] = []
    for value in values:
        place = np.log(value) / (2 * np.log(far))
        if abs(place) <= 0.5 and all(abs(place - np.log(other) / (2 * np.log(far))) >= APART for other in [1, *kept]):
            kept.append(value)
    return kept


def ticks(axes: Axes, extremes: Sequence[float]) -> None:
    """As far to the left as to the right of 1, on a logarithmic axis."""
    far = max(*extremes, *(1 / value for value in extremes), 1.02) ** 1.1
    axes.set_xscale("log")
    axes.set_xlim(1 / far, far)
    axes.xaxis.set_major_locator(FixedLocator([*spaced(BELOW, far), 1, *spaced(ABOVE, far)]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())


def draw(judged: Judged) -> Figure:
    """What cannot be told keeps its line, empty but for the word."""
    height = BOTTOM + TOP + ROW * max(len(judged), 2)
    figure, axes = canvas(wide=True, height=height)
    axes.set_position([LABELS / WIDE, BOTTOM / height, 1 - (LABELS + 0.25) / WIDE, 1 - (BOTTOM + TOP) / height])
    extremes, seen = [1.0], set()
    for y, (_, verdict) in enumerate(judged):
        if verdict.ratio is None or verdict.interval is None or verdict.floor is None:
            axes.text(1, y, f" {verdict.word}", fontsize=8, va="center", style="italic")
            continue
        colour, marker = MARKS[verdict.word]
        axes.barh(y, verdict.floor - 1 / verdict.floor, left=1 / verdict.floor, height=0.72, color="#d9d9d9", zorder=1)
        axes.hlines(y, *verdict.interval, color=colour, lw=1.6, zorder=2)
        axes.plot(verdict.ratio, y, marker, color=colour, ms=6, zorder=3, label=None if verdict.word in seen else verdict.word)
        seen.add(verdict.word)
        extremes += [*verdict.interval, verdict.floor]
    axes.axvline(1, color="#000000", lw=1, zorder=1.5)
    ticks(axes, extremes)
    axes.set_xlabel("B to A, times as long (logarithmic): B is slower to the right of 1, faster to the left", fontsize=9)
    axes.set_yticks(range(len(judged)), [named(series) for series, _ in judged], fontsize=8)
    axes.set_ylim(max(len(judged), 2) - 0.5, -0.5)
    legend_above(axes)
    return figure


def drawn(judged: Judged) -> Drawn:
    return finished(draw(judged), "B against A", f"Mark: ratio of medians; line: its {100 * CONFIDENCE:g} % interval; "
                    "grey: the noise floor, within which nothing is a difference.", wide=True)
