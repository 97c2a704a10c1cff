"""The figures of a measurement of strategies. Each says in a sentence what is seen, from what it draws."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from . import text
from .canvas import CYCLE, WIDE, Drawn, decades, finished
from .judge import interval_of_median
from .strategies import PERCENTS, TOO_FEW, WORDS, Strategies, enough
from .strategies_ratios import At, compare

DASHES = ("-", "--", ":")
COLUMNS = 5
FEW = 32  # colours: there are many figures on the page
LONGEST = 22  # letters of a name in a figure
Point = tuple[float, float]


def named(name: str) -> str:
    """Text from a file; matplotlib would take dollars for mathematics."""
    return name[:LONGEST].replace("$", "\\$")


def style(number: int) -> dict[str, object]:
    """Told apart by marker and dashes, too."""
    colour, marker = CYCLE[number % len(CYCLE)]
    return {"color": colour, "marker": marker, "ls": DASHES[number // len(CYCLE) % len(DASHES)], "lw": 1.1, "ms": 3.8}


def panels(count: int, columns: int, *, height: float, right: float = 0.15) -> tuple[Figure, list[Axes]]:
    """Axes side by side that share both scales."""
    rows = -(-count // columns)
    figure = Figure(figsize=(WIDE, 0.62 + rows * height))
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    total = 0.62 + rows * height
    figure.subplots_adjust(left=0.74 / WIDE, right=1 - right / WIDE, bottom=0.5 / total, top=1 - 0.3 / total, wspace=0.1, hspace=0.32)
    axes = list(grid.flat)
    for spare in axes[count:]:
        spare.set_visible(False)
    for one in axes[:count]:
        one.grid(alpha=0.3, lw=0.6)
        one.spines[["top", "right"]].set_visible(False)
        one.tick_params(labelsize=8)
    for one in axes[max(0, count - columns) : count]:
        one.tick_params(labelbottom=True)
    return figure, axes[:count]


def latency_scale(axis, values: list[float]) -> None:
    low, high = max(min(values), 1.0) / 1.3, max(max(values), 1.0) * 1.3
    high = max(high, low * 11)
    decades(axis, low, high, text.latency)
    # A panel is narrow: no more than four marks.
    first, last = int(np.ceil(np.log10(low))), int(np.floor(np.log10(high)))
    axis.set_major_locator(FixedLocator([10.0**k for k in range(first, last + 1, max(1, -(-(last - first) // 3)))]))
    axis.axes.set(**{f"{axis.axis_name}lim": (low, high)})


def told(run: Strategies, family: str, kind: str, contexts: list[str]) -> list[float]:
    """The percentiles for which every process has samples enough, of every benchmark that is drawn."""
    names = [f"{family}/{one}/{context}" for context in contexts for one in run.subjects(family, context)]
    counts = [count for name in names if (count := run.median(name, f"{kind}_count")) is not None]
    return [percent for percent in PERCENTS if percent == 50 or all(enough(count, percent) for count in counts)]


def quantiles(run: Strategies, name: str, kind: str, percents: list[float]) -> np.ndarray:
    """A row a process; 1 ns is the least that the clock tells."""
    columns = [run.column(name, f"{kind}_p{percent:g}_ns") for percent in percents]
    if not all(columns):
        return np.empty((0, len(percents)))
    rows = np.array(columns, dtype=float).T
    return np.maximum(rows[~np.isnan(rows).any(axis=1)], 1.0)


def distributions(run: Strategies, family: str, context: str, kind: str, percents: list[float]) -> dict[str, np.ndarray]:
    found = {one: quantiles(run, f"{family}/{one}/{context}", kind, percents) for one in run.subjects(family, context)}
    return {one: rows for one, rows in found.items() if len(rows)}


def extremes(values: dict[str, float]) -> tuple[str, str]:
    return min(values, key=lambda one: values[one]), max(values, key=lambda one: values[one])


def ecdf(run: Strategies, family: str, context: str, kind: str, what: str) -> Drawn | None:
    percents = told(run, family, kind, [context])
    found = distributions(run, family, context, kind, percents)
    if not found:
        return None
    figure, axes = panels(len(found), COLUMNS, height=1.5)
    middle = {one: np.median(rows, axis=0) for one, rows in found.items()}
    for one, (strategy, rows) in zip(axes, found.items()):
        for row in rows:
            one.plot(row, percents, color="#9a9a9a", lw=0.6)
        if "direct" in middle and strategy != "direct":
            one.plot(middle["direct"], percents, color="#000000", lw=0.9, ls=":")
        one.plot(middle[strategy], percents, color=CYCLE[0][0], lw=1.6)
        one.set_title(named(strategy), fontsize=8.5, loc="left", pad=2)
    latency_scale(axes[0].xaxis, [value for rows in found.values() for value in rows.flat])
    axes[0].set_ylim(0, 101)
    axes[0].yaxis.set_major_locator(FixedLocator([0, 50, 100]))
    figure.supxlabel(what, fontsize=9, y=0.1 / figure.get_figheight())
    figure.supylabel("share, %", fontsize=9, x=0.08 / WIDE)
    least, most = extremes({one: float(row[percents.index(50)]) for one, row in middle.items()})
    half = [text.latency(middle[one][percents.index(50)]) for one in (least, most)]
    seen = f"half are over within {half[0]} with {least}" + (f", within {half[1]} with {most}" if least != most else "")
    return finished(figure, f"{what[0].upper()}{what[1:]}: {WORDS.get(context, context)}",
                    f"Of {len(found)} strategies, {seen}. Thin: one process each; thick: their median; dotted: direct's. "
                    f"From {percents[0]:g} % to {percents[-1]:g} %: there each process has samples enough.", wide=True, colours=FEW)


def percentile_axis(axes: Axes) -> None:
    """By how many are beyond, so that the tail has room."""
    marks = [50, 90, 99]
    axes.set_xscale("function", functions=(lambda p: -np.log10(np.maximum(100 - p, 1e-3)), lambda x: 100 - 10.0 ** -x))
    axes.set_xlim(30, 99.4)
    axes.xaxis.set_major_locator(FixedLocator(marks))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))


def percentile_plot(run: Strategies, family: str, kind: str, what: str) -> Drawn | None:
    shown = [percent for percent in told(run, family, kind, run.contexts(family)) if percent >= 50]
    found = {context: distributions(run, family, context, kind, shown) for context in run.contexts(family)}
    found = {context: rows for context, rows in found.items() if rows}
    if not found or len(shown) < 2:
        return None
    figure, axes = panels(len(found), 3, height=2.4, right=1.75)
    subjects = [one for one in run.subjects(family) if any(one in rows for rows in found.values())]
    middles = {(c, one): np.median(rows, axis=0) for c, of in found.items() for one, rows in of.items()}
    for one, context in zip(axes, found):
        for strategy, rows in found[context].items():
            how = style(subjects.index(strategy))
            one.plot(shown, middles[context, strategy], **how)
            ends = np.array([interval_of_median(column) for column in rows.T])
            one.vlines(shown, ends[:, 0], ends[:, 1], color=how["color"], lw=0.7, alpha=0.7)
        one.set_title(WORDS.get(context, context)[:40].replace("$", "\\$"), fontsize=8.5, loc="left", pad=2)
    percentile_axis(axes[0])
    latency_scale(axes[0].yaxis, [value for row in middles.values() for value in row])
    labels(figure, subjects, [style(i) for i in range(len(subjects))])
    figure.supxlabel("percentile", fontsize=9, y=0.1 / figure.get_figheight(), x=0.45)
    figure.supylabel(what, fontsize=9, x=0.06 / WIDE)
    tails = {at: float(row[-1]) for at, row in middles.items()}
    least, most = min(tails, key=lambda at: tails[at]), max(tails, key=lambda at: tails[at])
    words = [f"{text.latency(tails[at])} ({at[1]}, {WORDS.get(at[0], at[0])})" for at in (least, most)]
    return finished(figure, f"{what[0].upper()}{what[1:]}, by percentile",
                    f"At {shown[-1]:g} % from {words[0]} to {words[1]}; medians over the processes, with their intervals. Percentiles for "
                    "which a process has too few samples are not drawn.", wide=True, colours=FEW)


def labels(figure: Figure, names: list[str], styles: list[dict[str, object]]) -> None:
    """Beside the axes, where they hide nothing."""
    from matplotlib.lines import Line2D

    figure.legend([Line2D([], [], **one) for one in styles], [named(name) for name in names], fontsize=8, frameon=False,
                  loc="center right", bbox_to_anchor=(1, 0.5), handlelength=2.4, borderpad=0.1, labelspacing=0.7)


def lines(found: dict[str, dict[str, list[Point]]], titles: dict[str, str], across: str, up: str,
          scale: Callable[[Axes, list[float]], None]) -> Figure:
    """A panel each, a line a strategy; both axes logarithmic."""
    figure, axes = panels(len(found), len(found), height=3.2, right=1.75)
    subjects = list(dict.fromkeys(one for of in found.values() for one in of))
    for one, (panel, of) in zip(axes, found.items()):
        for strategy, points in of.items():
            one.plot(*zip(*points), **style(subjects.index(strategy)))
        one.set_title(titles[panel], fontsize=8.5, loc="left", pad=2)
    steps = sorted({x for of in found.values() for points in of.values() for x, _ in points})
    axes[0].set_xscale("log", base=2)
    for one in axes:
        one.xaxis.set_major_locator(FixedLocator(steps))
        one.xaxis.set_minor_locator(NullLocator())
        one.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    scale(axes[0], [y for of in found.values() for points in of.values() for _, y in points])
    figure.supxlabel(across, fontsize=9, y=0.1 / figure.get_figheight(), x=0.45)
    figure.supylabel(up, fontsize=9, x=0.06 / WIDE)
    labels(figure, subjects, [style(i) for i in range(len(subjects))])
    return figure


def scaling(run: Strategies, family: str, context: str, step: str, key: str) -> dict[str, list[Point]]:
    found = {}
    for one in run.subjects(family):
        names = {n: f"{family}/{one}/{context}/{step}:{n}" for n in run.steps(family, one, context, step)}
        points = [(float(n), run.median(name, key)) for n, name in names.items() if run.all_posted(name)]
        found[one] = [(x, max(y, 1.0)) for x, y in points if y is not None and x > 0]
    return {one: points for one, points in found.items() if points}


def rate_scale(axes: Axes, values: list[float]) -> None:
    decades(axes.yaxis, min(values) / 1.2, max(values) * 1.2, text.count)


def throughput(run: Strategies) -> Drawn | None:
    found = {c: of for c in run.contexts("throughput") if (of := scaling(run, "throughput", c, "posters", "callbacks_per_s"))}
    if not found:
        return None
    figure = lines(found, {c: WORDS.get(c, c)[:40].replace("$", "\\$") for c in found}, "posters", "callbacks a second", rate_scale)
    context = next(iter(found))
    last = max(points[-1][0] for points in found[context].values())
    ends = {one: points[-1] for one, points in found[context].items() if points[-1][0] == last}
    most, least = max(ends, key=lambda one: ends[one][1]), min(ends, key=lambda one: ends[one][1])
    return finished(figure, "Callbacks a second, by number of posters",
                    f"With {ends[most][0]:g} posters and {WORDS.get(context, context)}, {most} gets {text.count(ends[most][1])} "
                    f"a second through, {least} {text.count(ends[least][1])}.", wide=True, colours=FEW)


def by_cpus(run: Strategies) -> Drawn | None:
    kinds = {"time_ns": "a later post", "first_p50_ns": "the post that asks for a grace period"}
    found = {key: of for key in kinds if (of := scaling(run, "post", "none", "cpus", key))}
    if not found:
        return None
    figure = lines(found, kinds, "emulated CPUs", "cost of a post", lambda axes, values: latency_scale(axes.yaxis, values))
    seen = "; ".join(f"{kinds[key]}: {growth(run, key, of)}" for key, of in found.items())
    return finished(figure, "Cost of a post, by number of emulated CPUs",
                    f"With all CPUs, against a model of the fewest (no copies were measured of these: the floor is their own scatter): {seen}. One thread posts, from the first CPU, and no lock is held; the "
                    "others are idle, and are there to be looked through. Medians over the processes.", wide=True, colours=FEW)


def growth(run: Strategies, key: str, of: dict[str, list[Point]]) -> str:
    """Of whom it can be told that more CPUs cost, or that none can be seen to."""
    words: dict[str, list[str]] = {}
    for one, points in of.items():
        ends = [At(f"post/{one}/none/cpus:{points[at][0]:g}", key) for at in (-1, 0)]
        words.setdefault(compare(run, ends[0], ends[1]).word, []).append(one)
    return ", ".join(f"{word} with {' '.join(names)}" for word, names in sorted(words.items()))


def cell_words(run: Strategies, name: str, kind: str, value: float | str) -> str:
    """With the interval of the median over the processes, if it is one."""
    if isinstance(value, str):
        return value.replace(" ", "\n")
    values = run.values(name, f"{kind}_p99_ns")
    if len(values) < 2 or value != run.median(name, f"{kind}_p99_ns"):
        return text.latency(value)
    low, high = interval_of_median(values)
    return f"{text.latency(value)}\n{text.latency(low)}\nto {text.latency(high)}"


def heatmap(run: Strategies, family: str, kind: str, what: str) -> Drawn | None:
    subjects, contexts = run.subjects(family), run.contexts(family)
    found = {(c, one): value for c in contexts for one in subjects
             if (value := run.quantile(f"{family}/{one}/{c}", kind, 99)) is not None}
    values = {at: value for at, value in found.items() if not isinstance(value, str)}
    if not values:
        return None
    row = 0.52
    figure = Figure(figsize=(WIDE, 1.2 + row * len(contexts)))
    FigureCanvasAgg(figure)
    high = figure.get_figheight()
    axes = figure.add_axes([1.35 / WIDE, 0.12 / high, (WIDE - 2.05) / WIDE, row * len(contexts) / high])
    table = np.array([[np.log10(max(values.get((c, one), np.nan), 1.0)) for one in subjects] for c in contexts])
    shades = axes.imshow(np.ma.masked_invalid(table), cmap="Greys", aspect="auto", vmin=np.nanmin(table) - 0.5, vmax=np.nanmax(table) + 0.2)
    for y, context in enumerate(contexts):
        for x, one in enumerate(subjects):
            value = found.get((context, one), "-")
            words = cell_words(run, f"{family}/{one}/{context}", kind, value)
            dark = not isinstance(value, str) and shades.norm(table[y, x]) > 0.55
            axes.text(x, y, words, ha="center", va="center", fontsize=5.8, linespacing=1.05,
                      color="#ffffff" if dark else "#000000" if not isinstance(value, str) else "#777777")
    axes.set_yticks(range(len(contexts)), [WORDS.get(c, c)[:LONGEST].replace("$", "\\$") for c in contexts], fontsize=8.5)
    axes.set_xticks(range(len(subjects)), [named(one) for one in subjects], fontsize=8.5, rotation=35, ha="left")
    axes.tick_params(top=True, bottom=False, labeltop=True, labelbottom=False, length=0)
    axes.spines[:].set_visible(False)
    least, most = min(values, key=lambda at: values[at]), max(values, key=lambda at: values[at])
    ends = [f"{text.latency(values[at])} ({at[1]}, {WORDS.get(at[0], at[0])})" for at in (least, most)]
    return finished(figure, f"{what}, 99 %", f"From {ends[0]} to {ends[1]}; the darker, the longer. Below: the interval of the median over "
                    "the processes; without one it is of all processes' samples together, for each alone has too few. "
                    f"{TOO_FEW.capitalize()}: all together, too. -: would hang, or was not measured.", wide=True, colours=FEW)


def draw_all(run: Strategies) -> list[Drawn]:
    start, asks, later = "post to start of its grace period", "cost of a post that asks for a grace period", "cost of a later post"
    found = [heatmap(run, "post", "first", "Cost of a post that asks for a grace period, by context and strategy"),
             heatmap(run, "post", "later", "Cost of a later post, by context and strategy"),
             heatmap(run, "invoke", "start", "Post to start of its grace period, by context and strategy"),
             ecdf(run, "post", "none", "later", later),
             ecdf(run, "post", "none", "first", asks), ecdf(run, "post", "rq_lock", "first", asks),
             ecdf(run, "invoke", "none", "start", start), ecdf(run, "invoke", "rq_lock", "start_open", f"intended {start}"),
             ecdf(run, "invoke", "none", "invoke", "post to callback"),
             percentile_plot(run, "post", "later", later), percentile_plot(run, "invoke", "start", start),
             percentile_plot(run, "invoke", "start_open", f"intended {start}"), throughput(run), by_cpus(run)]
    return [one for one in found if one]
