"""The report's pictures. Each function draws one figure, or returns None where there is nothing to draw."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Iterable

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from .hlog import Interval, merge, percentile
from .load import Scenario
from .text import number

GP_TAGS = ("gp.normal", "gp.expedited")
LINE_COLORS = {"gp.normal": "#1f77b4", "gp.expedited": "#ff7f0e", "cb.delay": "#2ca02c", "barrier": "#9467bd"}
PHASE_COLORS = {"ordering": "#dce9f7", "races": "#fbe3d6", "liveness": "#e2f2df", "control": "#efe6f7"}
MOST_POINTS = 4000
MOST_SHADES = 400


def as_data_uri(figure: Figure) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    plt.close(figure)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def new(title: str, xlabel: str, ylabel: str) -> tuple[Figure, Axes]:
    figure, axes = plt.subplots(figsize=(8.6, 3.4), layout="constrained")
    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)
    axes.grid(alpha=0.3)
    return figure, axes


def shade_phases(axes: Axes, scenario: Scenario, end_s: float) -> None:
    """Windows of the phases, unless there are so many that they would be a grey wall."""
    phases = [(number(e.get("t_s")), str(e.get("name"))) for e in scenario.events if e.get("event") == "phase"]
    if len(phases) > MOST_SHADES:
        return
    named = set()
    for (start, name), (stop, _) in zip(phases, [*phases[1:], (end_s, "")]):
        label = name if name not in named else None
        named.add(name)
        axes.axvspan(start, stop, color=PHASE_COLORS.get(name, "#eeeeee"), label=label, lw=0, zorder=0)


def mark_failures(axes: Axes, scenario: Scenario) -> None:
    for failure in scenario.failures:
        axes.axvline(number(failure.get("first_s")), color="red", lw=1)
        axes.annotate(str(failure.get("check"))[:40], (number(failure.get("first_s")), 1), xycoords=("data", "axes fraction"),
                      color="red", rotation=90, va="top", ha="right", fontsize=8)


def thinned(points: list[Interval]) -> list[Interval]:
    """The worst of each stretch, so that no peak is lost."""
    if len(points) <= MOST_POINTS:
        return points
    stretch = -(-len(points) // MOST_POINTS)
    return [max(points[i : i + stretch], key=lambda p: p.values[-1]) for i in range(0, len(points), stretch)]


def timeline(scenario: Scenario) -> Figure | None:
    """Median and worst of each interval over time: phases shaded, failures and stalls marked."""
    figure, axes = new("Grace-period latency over time", "seconds", "milliseconds")
    end_s = 0.0
    for tag in GP_TAGS:
        points = thinned([i for i in scenario.tagged(tag) if len(i.values)])
        if not points:
            continue
        times = [p.start_s + p.length_s / 2 for p in points]
        end_s = max(end_s, points[-1].start_s + points[-1].length_s)
        axes.plot(times, [p.values[-1] / 1e6 for p in points], ".", ms=4, color=LINE_COLORS[tag], label=f"{tag} worst")
        axes.plot(times, [percentile(p.values, p.counts, 50) / 1e6 for p in points], "-", lw=1, alpha=0.7,
                  color=LINE_COLORS[tag], label=f"{tag} median")
    if end_s == 0:
        plt.close(figure)
        return None
    axes.set_yscale("log")
    shade_phases(axes, scenario, max([end_s, *(number(e.get("t_s")) for e in scenario.events)]))
    mark_failures(axes, scenario)
    axes.legend(fontsize=7, ncols=6, loc="upper center", bbox_to_anchor=(0.5, -0.17))
    return figure


def curves(scenarios: Iterable[tuple[str, list[Interval]]]) -> list[tuple[str, np.ndarray, np.ndarray]]:
    """Label, values, and the fraction of the counts that is greater than each value."""
    found = []
    for label, intervals in scenarios:
        values, counts = merge(intervals)
        if len(values) > 1:  # nothing is greater than the only one
            found.append((label, values, 1 - np.cumsum(counts) / counts.sum()))
    return found


def draw_percentiles(named: Iterable[tuple[str, list[Interval]]]) -> Figure | None:
    """Latency over percentile, the tail stretched; only where ten values lie beyond."""
    figure, axes = new("Percentiles", "percentile", "milliseconds")
    drawn = False
    for label, intervals in named:
        values, counts = merge(intervals)
        if len(values) == 0:
            continue
        total = counts.sum()
        below = np.cumsum(counts) / total
        enough = (1 - below) * total >= 10
        if not enough.any():
            continue
        axes.plot(1 / (1 - below[enough]), values[enough] / 1e6, label=f"{label} (worst {values[-1] / 1e6:.3g} ms)")
        drawn = True
    if not drawn:
        plt.close(figure)
        return None
    axes.set(xscale="log", yscale="log")
    ticks = [1, 2, 10, 100, 1000, 10_000, 100_000]
    axes.set_xticks(ticks, ["0", "50", "90", "99", "99.9", "99.99", "99.999"])
    axes.legend(fontsize=8)
    return figure


def percentiles(scenario: Scenario) -> Figure | None:
    return draw_percentiles((tag, scenario.tagged(tag)) for tag in LINE_COLORS)


def ccdf(scenario: Scenario) -> Figure | None:
    """A straight line is a heavy tail, a cliff a time-out or a poll's interval."""
    lines = curves((tag, scenario.tagged(tag)) for tag in LINE_COLORS)
    if not lines:
        return None
    figure, axes = new("How many take longer (CCDF)", "milliseconds", "fraction that takes longer")
    for tag, values, beyond in lines:
        axes.step(values[:-1] / 1e6, beyond[:-1], where="post", label=tag, color=LINE_COLORS[tag])
    axes.set(xscale="log", yscale="log")
    axes.legend(fontsize=8)
    return figure


def heatmap(scenario: Scenario) -> Figure | None:
    """Time by latency, from the intervals of gp.hlog."""
    intervals = [i for i in scenario.tagged(*GP_TAGS) if len(i.values)]
    if not intervals:
        return None
    end_s = max(i.start_s + i.length_s for i in intervals)
    columns = int(min(300, max(1, len({i.start_s for i in intervals}))))
    low = min(i.values[0] for i in intervals)
    high = max(i.values[-1] for i in intervals)
    edges = np.geomspace(max(low, 1), max(high, low + 1) * 1.01, 61)
    grid = np.zeros((60, columns))
    for i in intervals:
        column = min(columns - 1, int(i.start_s / end_s * columns))
        grid[:, column] += np.histogram(i.values, edges, weights=i.counts)[0]
    figure, axes = new("Grace periods by time and latency", "seconds", "milliseconds")
    axes.grid(False)
    mesh = axes.pcolormesh(np.linspace(0, end_s, columns + 1), edges / 1e6, np.ma.masked_equal(grid, 0),
                           norm=LogNorm(1, max(2, grid.max())), cmap="viridis")
    axes.set_yscale("log")
    figure.colorbar(mesh, ax=axes, label="grace periods")
    return figure


def pipe_and_batch(scenario: Scenario) -> Figure | None:
    """rcutorture's two tables: anything beyond 1 in Reader Pipe is a grace period that was too short."""
    last = scenario.stats[-1] if scenario.stats else {}
    rows = [(name, last.get(key)) for name, key in (("Reader Pipe", "pipe"), ("Reader Batch", "batch"))]
    rows = [(name, [number(v) for v in values]) for name, values in rows if isinstance(values, list) and any(values)]
    if not rows:
        return None
    figure, axes = new("Reader Pipe and Batch", "grace periods outlived", "sections")
    for i, (name, values) in enumerate(rows):
        places = np.arange(len(values)) + (i - (len(rows) - 1) / 2) * 0.4
        axes.bar(places, values, width=0.38, label=name)
    axes.axvspan(1.5, 10.5, color="#fde0e0", zorder=0, label="too short" if rows[0][0] == "Reader Pipe" else None)
    axes.set_yscale("symlog")
    axes.set_xticks(range(11))
    axes.legend(fontsize=8)
    return figure


def backlog(scenario: Scenario) -> Figure | None:
    """Callbacks that wait, over time; the worst of each stretch of a long run."""
    samples = [(number(s.get("t_s")), number(s.get("pending")), number(s.get("pending_bytes"))) for s in scenario.stats]
    if not any(pending for _, pending, _ in samples):
        return None
    stretch = -(-len(samples) // MOST_POINTS)
    parts = [samples[i : i + stretch] for i in range(0, len(samples), stretch)]
    times = [part[0][0] for part in parts]
    figure, axes = new("Backlog", "seconds", "callbacks that wait")
    axes.plot(times, [max(p[1] for p in part) for part in parts], lw=1)
    second = axes.twinx()
    second.plot(times, [max(p[2] for p in part) / 2**20 for part in parts], lw=1, color="#d62728", alpha=0.5)
    second.set_ylabel("MiB", color="#d62728")
    shade_phases(axes, scenario, times[-1])
    return figure


FIGURES: list[Callable[[Scenario], Figure | None]] = [timeline, percentiles, ccdf, heatmap, pipe_and_batch, backlog]


def draw_all(scenario: Scenario) -> list[dict[str, str]]:
    """Every figure of a scenario as {"uri", "alt"}."""
    found = []
    for draw in FIGURES:
        figure = draw(scenario)
        if figure is not None:
            title = figure.axes[0].get_title()
            found.append({"uri": as_data_uri(figure), "alt": title})
    return found


def compare(labelled: list[tuple[str, Scenario]]) -> str | None:
    """Grace-period percentiles of several scenarios in one picture."""
    figure = draw_percentiles((label, s.tagged(*GP_TAGS)) for label, s in labelled)
    return as_data_uri(figure) if figure is not None else None
