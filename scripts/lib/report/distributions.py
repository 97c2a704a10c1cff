"""Figures of a whole run's distributions: percentiles, the tail, Reader Pipe and Batch."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.ticker import FixedLocator, NullLocator

from . import text
from .canvas import CYCLE, GP_TAGS, RED, TAG_STYLES, Drawn, canvas, decades, finished, latency_axis, legend_above
from .hlog import Series, percentile
from .load import Scenario
from .recording import Recording

Distribution = tuple[np.ndarray, np.ndarray]
ENOUGH_BEYOND = 10  # of a percentile with fewer values beyond nothing can be said
MARKS = ["0", "50", "90", "99", "99.9", "99.99", "99.999", "99.9999", "99.99999"]


def tagged(recording: Recording) -> list[tuple[str, Distribution]]:
    return [(tag, recording.series[tag].distribution()) for tag in TAG_STYLES if tag in recording.series]


def grace_periods(series: dict[str, Series]) -> Distribution:
    """Of both kinds together."""
    parts = [series[tag] for tag in GP_TAGS if tag in series]
    if not parts:
        return np.array([]), np.array([])
    counts = sum(part.counts for part in parts)
    return parts[0].values[counts > 0], counts[counts > 0]


def below(counts: np.ndarray) -> np.ndarray:
    return np.cumsum(counts) / counts.sum()


def percentile_axis(axes, reach: float) -> None:
    """1 / (1 - p), logarithmic, so that the tail has room; the marks say p."""
    marks = [1, 2, *(10.0**k for k in range(1, 8))]
    count = next((i for i, mark in enumerate(marks) if mark >= reach), len(marks) - 1) + 1
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(marks[:count]))
    axes.xaxis.set_ticklabels(MARKS[:count])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(1, max(marks[count - 1], 10) * 1.05)
    axes.set_xlabel("percentile", fontsize=9)


def plot_percentiles(axes, distribution: Distribution, **style) -> float:
    """Only where enough values lie beyond. Returns how far it reached."""
    values, counts = distribution
    share = below(counts)
    shown = (1 - share) * counts.sum() >= ENOUGH_BEYOND
    if not shown.any():
        return 1.0
    axes.plot(np.concatenate([[1.0], 1 / (1 - share[shown])]), np.concatenate([values[:1], values[shown]]), lw=1.5, **style)
    return float(1 / (1 - share[shown][-1]))


def limits(distributions: Iterable[Distribution]) -> tuple[float, float]:
    values = [values for values, _ in distributions]
    return float(min(v[0] for v in values)), float(max(v[-1] for v in values))


def percentiles(_: Scenario, recording: Recording) -> Drawn | None:
    lines = tagged(recording)
    if not lines:
        return None
    figure, axes = canvas(wide=False)
    reach = 1.0
    for tag, distribution in lines:
        label, color, style = TAG_STYLES[tag]
        reach = max(reach, plot_percentiles(axes, distribution, color=color, ls=style, label=label))
    percentile_axis(axes, reach)
    latency_axis(axes.yaxis, *limits(d for _, d in lines))
    legend_above(axes)
    label = TAG_STYLES[lines[0][0]][0]
    total = lines[0][1][1].sum()
    told = [p for p in (50, 90, 99, 99.9, 99.99) if total * (1 - p / 100) >= ENOUGH_BEYOND][-3:] or [50]
    words = ", ".join(f"{p} % of them within {text.latency(percentile(*lines[0][1], p))}" for p in told)
    return finished(figure, "Percentiles", f"{label.capitalize()}: {words}. A line ends where fewer than {ENOUGH_BEYOND} lie beyond.",
                    wide=False)


def ccdf(_: Scenario, recording: Recording) -> Drawn | None:
    lines = tagged(recording)
    if not lines:
        return None
    figure, axes = canvas(wide=False)
    least = 1.0
    for tag, (values, counts) in lines:
        label, color, style = TAG_STYLES[tag]
        beyond = np.concatenate([[1.0], 1 - below(counts)[:-1]])
        axes.step(np.concatenate([values[:1], values]), np.append(beyond, beyond[-1]), where="post", lw=1.5, color=color,
                  ls=style, label=label)
        least = min(least, beyond[-1])
    latency_axis(axes.xaxis, *limits(d for _, d in lines))
    decades(axes.yaxis, max(least, 1e-12), 1, lambda value: f"{value * 100:.10f}".rstrip("0").rstrip(".") + " %")
    axes.set_ylim(max(least, 1e-12) * 0.8, 1.3)
    axes.set_ylabel("that many take longer", fontsize=9)
    legend_above(axes)
    return finished(figure, "How many take longer (CCDF)", "A straight line is a heavy tail, a cliff a time-out or the "
                    "interval of a poll.", wide=False)


def pipe_and_batch(_: Scenario, recording: Recording) -> Drawn | None:
    """rcutorture's two tables."""
    rows = []
    for name, key in (("Reader Pipe", "pipe"), ("Reader Batch", "batch")):
        slots = recording.last.get(key)
        slots = [text.number(v) for v in slots[:11]] if isinstance(slots, list) else []
        if any(slots):
            rows.append((name, slots))
    if not rows:
        return None
    figure, axes = canvas(wide=False)
    axes.axvspan(1.5, 10.5, color="#fbe4e4", lw=0, zorder=0)
    axes.text(6, 0.93, "what stands here was too short", transform=axes.get_xaxis_transform(), ha="center", fontsize=9, color=RED)
    for i, (name, slots) in enumerate(rows):
        axes.bar(np.arange(len(slots)) + (i - (len(rows) - 1) / 2) * 0.42, slots, width=0.4, label=name, color=CYCLE[i][0])
    decades(axes.yaxis, 1, max(10, *(max(slots) for _, slots in rows)), text.count)
    axes.set_ylim(0.5, max(10, *(max(slots) for _, slots in rows)) * 10)
    axes.set_xticks(range(11))
    axes.set_xlim(-0.6, 10.6)
    axes.set_xlabel("grace periods that a section saw", fontsize=9)
    axes.set_ylabel("sections", fontsize=9)
    legend_above(axes)
    late = sum(sum(slots[2:]) for name, slots in rows if name == "Reader Pipe")
    caption = (f"{text.count(late)} sections held an element for more than one whole grace period: those were too short." if late
               else "No section held an element for more than one whole grace period.")
    return finished(figure, "Reader Pipe and Batch", caption, wide=False)


def compare(labelled: list[tuple[str, str, Distribution]]) -> Drawn | None:
    """Grace-period percentiles of scenarios in one picture: a colour and mark a scenario, a line style a run."""
    lines = [(scenario, run, d) for scenario, run, d in labelled if len(d[0])]
    if not lines:
        return None
    scenarios, runs = (list(dict.fromkeys(line[i] for line in lines)) for i in (0, 1))
    figure, axes = canvas(wide=True, height=max(3.2, 0.6 + 0.19 * len(lines)), right=2.9)
    reach = 1.0
    for scenario, run, distribution in lines:
        round_, place = divmod(scenarios.index(scenario), len(CYCLE))
        color, marker = CYCLE[place]
        style = ("-", "--", ":", "-.")[runs.index(run) % 4]
        reach = max(reach, plot_percentiles(axes, distribution, color=color, ls=style, marker=marker, ms=5,
                                            fillstyle="none" if round_ else "full", markevery=0.12,
                                            label=f"{scenario} {run}".strip()))
    percentile_axis(axes, reach)
    latency_axis(axes.yaxis, *limits(d for _, _, d in lines))
    if axes.get_legend_handles_labels()[0]:  # near-empty scenarios have too few grace periods for a line
        axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.01, 1.02), handlelength=3.2)
    return finished(figure, "Side by side", f"Grace-period percentiles; a line ends where fewer than {ENOUGH_BEYOND} grace periods lie "
                    "beyond.", wide=True)
