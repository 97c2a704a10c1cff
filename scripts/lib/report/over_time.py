"""Figures along the run's time: latency with the injectors' windows, the heatmap, the backlog."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm

from . import text
from .canvas import CYCLE, GP_TAGS, RED, TAG_STYLES, Drawn, canvas, count_axis, finished, latency_axis, legend_above, time_axis
from .hlog import BINS_PER_OCTAVE, Series
from .load import Scenario
from .recording import Recording, Spans

MOST_POINTS = 1500
MOST_SHADES = 300
STALLS = ("stalled_gp", "no_forward_progress")
SHADES = {  # of an injector: what its windows are, colour, hatch
    "stutter": ("stutter", "#e9e9e9", ""),
    "pause": ("all paused", "#cfcfcf", ""),
    "shuffle": ("a CPU left idle", "#eef3d6", ""),
    "flood": ("flood", "none", "////"),
}


def cuts(length: int, most: int = MOST_POINTS) -> np.ndarray:
    """Where to cut a long row into stretches, one point of a figure each."""
    return np.arange(0, length, max(1, -(-length // most)))


def middles(series: Series) -> np.ndarray:
    return series.start_s + series.length_s / 2


def shown(spans: Spans) -> bool:
    return 0 < len(spans) <= MOST_SHADES


def shade_windows(axes: Axes, recording: Recording) -> None:
    for name, (label, color, hatch) in SHADES.items():
        spans = recording.windows.get(name, [])
        for i, (start, stop) in enumerate(spans if shown(spans) else []):
            axes.axvspan(start, stop, facecolor=color, hatch=hatch, edgecolor="#9a9a9a", lw=0, zorder=0,
                         label=label if i == 0 else None)


def name_phases(axes: Axes, recording: Recording) -> None:
    """Bars under the axes, one a phase; nothing where they would be a grey wall."""
    starts = recording.phase_starts
    if not 0 < len(starts) <= MOST_SHADES:
        return
    names = list(dict.fromkeys(recording.phase_names))
    for start, stop, name in zip(starts, [*starts[1:], recording.end_s], recording.phase_names):
        color = CYCLE[names.index(name) % len(CYCLE)][0]
        axes.axvspan(start, stop, ymax=0.055, facecolor=color, edgecolor="white", lw=0.5, zorder=3)
        if stop - start > 0.06 * recording.end_s:
            axes.text((start + stop) / 2, 0.027, name, transform=axes.get_xaxis_transform(), color="white", fontsize=7.5, ha="center",
                      va="center", zorder=4)


def plot_worst(axes: Axes, recording: Recording, series: Series) -> None:
    """By phase; of a long run the worst of each stretch, so that no peak is lost."""
    times = middles(series)
    phases = recording.phase_at(times)
    names = np.array([*recording.phase_names, "worst"])[phases]
    order = list(dict.fromkeys([*recording.phase_names, "worst"]))
    for i, name in enumerate(order):
        mine = np.flatnonzero(names == name)
        if len(mine) == 0 and name == "worst":
            continue
        parts = np.split(mine, cuts(len(mine), MOST_POINTS // len(order))[1:]) if len(mine) else []
        worst = np.array([part[series.worst[part].argmax()] for part in parts], dtype=int)
        color, marker = CYCLE[i % len(CYCLE)]
        axes.plot(times[worst], series.worst[worst], marker, ms=5 if len(times) < 400 else 2.5, color=color, zorder=4, mew=0)
        axes.plot([], [], marker, ms=5, color=color, mew=0, label=name if name not in axes.get_legend_handles_labels()[1] else None)


def plot_median(axes: Axes, series: Series, label: str, style: str) -> None:
    """The last interval is cut short and says little: left out of the line."""
    whole = np.flatnonzero(series.length_s > np.median(series.length_s) / 2)
    parts = np.split(whole, cuts(len(whole))[1:])
    axes.plot([middles(series)[part].mean() for part in parts], [np.median(series.median[part]) for part in parts], style, lw=1.3,
              marker="_" if len(parts) == 1 else None, color="#333333", label=label, zorder=3)


def mark_failures(axes: Axes, scenario: Scenario, recording: Recording) -> None:
    """Stalls as red triangles at the limit that they went beyond, other failures as red lines."""
    for i, failure in enumerate(scenario.failures[:8]):
        check, at_s = str(failure.get("check"))[:40], text.number(failure.get("first_s"))
        right = at_s > recording.end_s * 0.7
        height = 0.94 - 0.09 * i
        if check in STALLS and recording.stall_limit_s:
            axes.plot(at_s, recording.stall_limit_s * 1e9, "^", color=RED, ms=11, zorder=6, clip_on=False)
        else:
            axes.axvline(at_s, color=RED, lw=1.3, ls="--", zorder=5)
        axes.annotate(check, (at_s, height), xycoords=("data", "axes fraction"), xytext=(-9 if right else 9, 0),
                      textcoords="offset points", color=RED, va="top", ha="right" if right else "left", fontsize=9,
                      weight="bold", zorder=6, bbox={"facecolor": "white", "alpha": 0.75, "lw": 0, "pad": 1})


def windows_in_words(recording: Recording) -> str:
    if len(recording.phase_starts) > MOST_SHADES:
        return " Phases and injectors change too fast to be shaded here; the dots' shapes tell the phase."
    names = [label for name, (label, _, _) in SHADES.items() if shown(recording.windows.get(name, []))]
    return f" Shaded: {', '.join(names)}." if names else ""


@dataclass
class Worst:
    """The worst grace period that ended: to the interval in which it did."""

    ns: float
    at_s: float
    phase: str

    def where(self) -> str:
        return f"{text.span(self.at_s)} after the start" + (f", phase {self.phase}" if self.phase else "")


def worst_of(recording: Recording) -> Worst | None:
    parts = [recording.series[tag] for tag in GP_TAGS if tag in recording.series]
    if not parts:
        return None
    series = max(parts, key=lambda part: part.worst.max())
    at = series.worst.argmax()
    phase = int(recording.phase_at(middles(series)[at : at + 1])[0])
    return Worst(float(series.worst[at]), float(series.start_s[at] + series.length_s[at]),
                 recording.phase_names[phase] if phase >= 0 else "")


def timeline_caption(recording: Recording, series: Series, stalled: bool) -> str:
    worst = worst_of(recording)
    stall = " Red triangle: one did not end within the limit (dotted)." if stalled else ""
    return (f"The worst that ended took {text.latency(worst.ns)}, {worst.where()}.{stall} Dots: the worst of each "
            f"{interval_words(series)}; line: the median.{windows_in_words(recording)}")


def interval_words(series: Series) -> str:
    stretch = -(-len(series.start_s) // MOST_POINTS)
    length = float(np.median(series.length_s)) * stretch
    return "second" if round(length, 1) == 1 else f"{length:.2g} s"


def timeline(scenario: Scenario, recording: Recording) -> Drawn | None:
    parts = [(tag, recording.series[tag]) for tag in GP_TAGS if tag in recording.series]
    stalls = [f for f in scenario.failures if f.get("check") in STALLS]
    if not parts:
        return None
    figure, axes = canvas(wide=True, height=3.5)
    shade_windows(axes, recording)
    name_phases(axes, recording)
    low = high = parts[0][1].median[0]
    for tag, series in parts:
        plot_worst(axes, recording, series)
        plot_median(axes, series, "median" if tag == GP_TAGS[0] else "median, expedited", TAG_STYLES[tag][2])
        low, high = min(low, series.median.min()), max(high, series.worst.max())
    if stalls:
        high = max(high, recording.stall_limit_s * 1e9)
        axes.axhline(recording.stall_limit_s * 1e9, color=RED, lw=0.8, ls=":")
    latency_axis(axes.yaxis, low * (max(low, 1) / high) ** 0.08, high)  # room for the phases below
    time_axis(axes, recording.end_s)
    mark_failures(axes, scenario, recording)
    legend_above(axes)
    return finished(figure, "Grace-period latency over time", timeline_caption(recording, parts[0][1], bool(stalls)), wide=True)


def heatmap(_: Scenario, recording: Recording) -> Drawn | None:
    parts = [recording.series[tag] for tag in GP_TAGS if tag in recording.series]
    if not parts:
        return None
    grid = sum(one.grid for one in parts)
    used = np.flatnonzero(grid.sum(axis=0))
    grid = grid[:, used[0] : used[-1] + 1]
    edges = 2.0 ** (np.arange(used[0], used[-1] + 2) / BINS_PER_OCTAVE)
    times = parts[0].edges_s
    figure, axes = canvas(wide=True)
    axes.grid(False)
    mesh = axes.pcolormesh(times, edges, np.ma.masked_equal(grid.T, 0), norm=LogNorm(1, max(2, grid.max())), cmap="viridis_r")
    latency_axis(axes.yaxis, edges[0], edges[-1])
    time_axis(axes, recording.end_s)
    add_color_bar(figure, axes, mesh)
    share = grid.sum(axis=0)
    low, high = (edges[np.searchsorted(np.cumsum(share), share.sum() * p)] for p in (0.05, 0.95))
    return finished(figure, "Grace periods by time and latency",
                    f"Nine of ten grace periods lie between {text.latency(low)} and {text.latency(high)}; the darker a field, "
                    f"the more fell into it. A column is {text.span(float(np.median(np.diff(times))))}.", wide=True)


def add_color_bar(figure, axes: Axes, mesh) -> None:
    box = axes.get_position()
    bar = figure.add_axes([box.x1 + 0.012, box.y0, 0.012, box.height])
    figure.colorbar(mesh, cax=bar)
    bar.minorticks_off()
    bar.tick_params(labelsize=8)
    bar.yaxis.set_major_formatter(lambda value, _: text.count(value))
    bar.set_title("how many", fontsize=8)


def backlog(_: Scenario, recording: Recording) -> Drawn | None:
    samples = recording.backlog
    if not samples[:, 1].any():
        return None
    at = cuts(len(samples))
    times, most = samples[at, 0], np.maximum.reduceat(samples[:, 1:], at, axis=0)
    figure, axes = canvas(wide=True, height=2.6)
    shade_windows(axes, recording)
    name_phases(axes, recording)
    axes.plot(times, most[:, 0], lw=1.3, color="#1b4f8a", label="callbacks (left)")
    count_axis(axes.yaxis, "callbacks")
    axes.set_ylim(0, most[:, 0].max() * 1.1)
    second = axes.twinx()
    second.spines[["top"]].set_visible(False)
    scale, unit = next(((s, u) for s, u in ((2**20, "MiB"), (2**10, "KiB")) if most[:, 1].max() >= s), (1, "bytes"))
    second.plot(times, most[:, 1] / scale, lw=1.3, ls="--", color="#d1701c")
    axes.plot([], [], lw=1.3, ls="--", color="#d1701c", label="bytes (right)")
    second.set_ylim(0, max(most[:, 1].max() / scale * 1.1, 1e-9))
    second.tick_params(labelsize=9)
    second.set_ylabel(unit, fontsize=9)
    time_axis(axes, recording.end_s)
    legend_above(axes)
    return finished(figure, "Backlog", f"At most {text.count(samples[:, 1].max())} callbacks "
                    f"({text.size(samples[:, 2].max())}) waited when samples were taken.", wide=True)
