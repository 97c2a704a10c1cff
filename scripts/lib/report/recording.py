"""What a scenario measured, reduced to what the figures show: however long the run, this stays small."""

from __future__ import annotations

import itertools
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .hlog import Series, read_hlog
from .text import json_lines, number

Spans = list[tuple[float, float]]


class Windows:
    """Spans of time by name, from switches on and off."""

    def __init__(self) -> None:
        self.spans: dict[str, Spans] = {}
        self.open: dict[str, float] = {}

    def switch(self, name: str, at_s: float, on: bool) -> None:
        if on:
            self.spans.setdefault(name, [])
            self.open.setdefault(name, at_s)
        elif name in self.open:
            self.spans[name].append((self.open.pop(name), at_s))

    def closed(self, end_s: float) -> dict[str, Spans]:
        for name in list(self.open):
            self.switch(name, end_s, False)
        # A pause is obeyed only in phases that want it.
        if "pause" in self.spans:
            self.spans["pause"] = common(self.spans["pause"], self.spans.get("stutter", []))
        return self.spans


def common(some: Spans, others: Spans) -> Spans:
    """What lies in both; each ascending and without overlaps."""
    found, i, k = [], 0, 0
    while i < len(some) and k < len(others):
        start, stop = max(some[i][0], others[k][0]), min(some[i][1], others[k][1])
        if start < stop:
            found.append((start, stop))
        if some[i][1] < others[k][1]:
            i += 1
        else:
            k += 1
    return found


@dataclass
class Recording:
    """One scenario's measurements. Times in seconds since its start."""

    series: dict[str, Series]
    phase_starts: np.ndarray
    phase_names: list[str]
    windows: dict[str, Spans]  # injectors, not phases
    backlog: np.ndarray  # rows of time, callbacks, bytes
    last: dict[str, Any]  # the last line of stats.jsonl
    stall_limit_s: float
    end_s: float

    def phase_at(self, times: np.ndarray) -> np.ndarray:
        """The index of the phase at each time, -1 before the first."""
        return np.searchsorted(self.phase_starts, times, side="right") - 1


def read_events(events: Iterable[dict[str, Any]]) -> tuple[list[tuple[float, str]], Windows, float]:
    phases, windows, end_s = [], Windows(), 0.0
    for event in events:
        at_s, kind = number(event.get("t_s")), event.get("event")
        end_s = max(end_s, at_s)
        if kind == "phase":
            phases.append((at_s, str(event.get("name"))[:20]))
            windows.switch("stutter", at_s, event.get("stutter") is True)
        elif kind == "stutter":
            windows.switch("pause", at_s, event.get("on") is True)
        elif kind == "flood":
            windows.switch("flood", at_s, event.get("on") is True)
        elif kind == "shuffle":
            windows.switch("shuffle", at_s, event.get("idle_pu") is not None)
        elif kind == "end":  # what comes after is the supervisor's; at a hang, its work on the stacks
            break
    return phases, windows, end_s


def read_stats(stats: Iterable[dict[str, Any]]) -> tuple[np.ndarray, dict[str, Any]]:
    samples, last = [], {}
    for last in stats:
        samples.append((number(last.get("t_s")), number(last.get("pending")), number(last.get("pending_bytes"))))
    return np.array(samples).reshape(-1, 3), last


def stall_limit_s(start: dict[str, Any], path: Path) -> float:
    """--stop-latency, which stands in the first event, or the merged parameter: a whole number of us, ms or (bare) seconds."""
    if (stop_ns := number(start.get("stop_latency_ns"))) > 0:
        return stop_ns / 1e9
    try:
        text = tomllib.loads(path.read_text(encoding="utf-8", errors="replace")).get("stall_limit")
    except (OSError, tomllib.TOMLDecodeError):
        return 0.0
    found = re.fullmatch(r"(\d{1,9})(ms|us|)", str(text))
    return int(found[1]) * {"": 1, "ms": 1e-3, "us": 1e-6}[found[2]] if found else 0.0


def load_recording(path: Path) -> Recording:
    events = json_lines(path / "events.jsonl")
    start = next(events, {})
    phases, windows, end_s = read_events(itertools.chain([start], events))
    backlog, last = read_stats(json_lines(path / "stats.jsonl"))
    series = read_hlog(path / "gp.hlog")
    end_s = max([end_s, *(one.edges_s[-1] for one in series.values()), *backlog[-1:, 0]])
    return Recording(series, np.array([start for start, _ in phases]), [name for _, name in phases],
                     windows.closed(end_s), backlog, last, stall_limit_s(start, path / "scenario.toml"), end_s)
