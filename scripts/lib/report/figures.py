"""A scenario's figures, in the order in which they stand in the report."""

from __future__ import annotations

from collections.abc import Callable

from .canvas import Drawn
from .distributions import ccdf, percentiles, pipe_and_batch
from .load import Scenario
from .over_time import backlog, heatmap, timeline
from .recording import Recording

# Each returns None where there is nothing to draw.
FIGURES: list[Callable[[Scenario, Recording], Drawn | None]] = [timeline, percentiles, ccdf, heatmap, pipe_and_batch, backlog]


def draw_all(scenario: Scenario, recording: Recording) -> list[Drawn]:
    return [drawn for draw in FIGURES if (drawn := draw(scenario, recording)) is not None]
