"""The look of the report's figures: sizes, axes, ticks and colours that also tell apart in grey."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator
from PIL import Image

from . import text

WIDE, HALF, HEIGHT = 9.6, 4.7, 2.9  # inches
LEFT, RIGHT, BOTTOM, TOP = 0.86, 0.82, 0.5, 0.34  # margins, inches; all wide figures share them, so that times line up
RED = "#c62828"
TAG_STYLES = {
    "gp.normal": ("grace periods", "#1b4f8a", "-"),
    "gp.expedited": ("expedited", "#d1701c", "--"),
    "cb.delay": ("callback delay", "#3a8f4f", "-."),
    "barrier": ("barrier", "#8a63b8", ":"),
    "sched.jitter": ("scheduler lateness", "#7f7f7f", (0, (1, 3))),
}
GP_TAGS = ("gp.normal", "gp.expedited")
CYCLE = list(zip(("#1b4f8a", "#d1701c", "#2f9e77", "#8a63b8", "#6b6b6b", "#c2a100"), "o^sDvP"))


@dataclass
class Drawn:
    """A finished figure for the page."""

    title: str
    uri: str
    caption: str
    wide: bool = True


def canvas(*, wide: bool, height: float = HEIGHT, right: float = RIGHT) -> tuple[Figure, Axes]:
    """A figure with one pair of axes. Fixed margins: to search for good ones costs more than to draw."""
    width = WIDE if wide else HALF
    figure = Figure(figsize=(width, height))
    FigureCanvasAgg(figure)
    right, top = (right, TOP) if wide else (0.28, 0.5)
    axes = figure.add_axes([LEFT / width, BOTTOM / height, (width - LEFT - right) / width, (height - BOTTOM - top) / height])
    axes.grid(alpha=0.3, lw=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    return figure, axes


def finished(figure: Figure, title: str, caption: str, *, wide: bool, colours: int = 128) -> Drawn:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, pil_kwargs={"compress_level": 0})
    few_colours = Image.open(buffer).convert("RGB").quantize(colours, dither=Image.Dither.NONE)  # a third of the size
    buffer = io.BytesIO()
    few_colours.save(buffer, format="png", compress_level=9)
    return Drawn(title, "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), caption, wide)


def is_wide(axes: Axes) -> bool:
    return axes.figure.get_figwidth() == WIDE


def decades(axis, low: float, high: float, words: Callable[[float], str]) -> None:
    """A logarithmic axis with a mark at each power of ten: at fewer where they would touch, at more where there are few."""
    first, last = int(np.floor(np.log10(low) + 1e-9)), int(np.ceil(np.log10(high) - 1e-9))
    room = 9 if axis.axis_name == "y" or is_wide(axis.axes) else 6
    step = max(1, -(-(last - first) // room))
    between = (1, 2, 5) if last - first <= 2 else (1,)
    axis.axes.set(**{f"{axis.axis_name}scale": "log"})
    axis.set_major_locator(FixedLocator([m * 10.0**k for k in range(first, last + 1, step) for m in between]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: words(value)))
    axis.set_minor_locator(NullLocator())


def latency_axis(axis, low_ns: float, high_ns: float) -> None:
    """With a power of ten on either side of a narrow range; the marks carry the unit."""
    low_ns = max(low_ns, 1.0) / 1.7
    high_ns = max(high_ns * 1.7, low_ns * 11)
    decades(axis, low_ns, high_ns, text.latency)
    axis.axes.set(**{f"{axis.axis_name}lim": (low_ns, high_ns)})
    axis.set_label_text("latency", fontsize=9)


def count_axis(axis, label: str) -> None:
    """Whole numbers, large ones shortened."""
    axis.set_major_locator(MaxNLocator(5, integer=True))
    axis.set_major_formatter(FuncFormatter(lambda value, _: text.count(value)))
    axis.set_label_text(label, fontsize=9)


def time_axis(axes: Axes, end_s: float) -> None:
    """Seconds, minutes or hours, whichever reads best."""
    unit, words = (1, "seconds") if end_s <= 300 else (60, "minutes") if end_s <= 7200 else (3600, "hours")
    end_s = max(end_s, 1e-3)
    axes.set_xlim(0, end_s)
    least = end_s / unit / 12
    step = next(k for k in 10.0 ** np.floor(np.log10(least)) * np.array([1, 2, 5, 10]) if k >= least * 0.999)
    axes.xaxis.set_major_locator(FixedLocator(np.arange(0, end_s * 1.0001, step * unit)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:g}"))
    axes.set_xlabel(f"time since the start, {words}", fontsize=9)


def legend_above(axes: Axes) -> None:
    """In the margin over the axes, where it hides nothing; in two rows over narrow ones."""
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=8, ncols=9 if is_wide(axes) else 3, frameon=False, loc="lower left", bbox_to_anchor=(-0.01, 0.99),
                    borderpad=0.1, handletextpad=0.4, columnspacing=1.2, handlelength=1.6)
