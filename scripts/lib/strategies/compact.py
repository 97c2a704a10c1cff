"""What several processes of srcu_bench measured, in one small file: a number a process, four digits of it."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

from ..bench import BATCH, TIMES, Measured
from ..report.strategies import enough

SCHEMA = 1
FAMILIES = ("post", "invoke", "throughput", "deferral")
EDGES = ("p50_ns", "p99_ns", "p99.9_ns", "count")  # of what stands in tables, but in no figure
LONGEST = re.compile(r"(.+)_longest\d+_ns")
POOLED = (99.0, 99.9)  # percentiles for which a process has too few samples
DRAWN = re.compile(r"(?:first|later|start|start_open|invoke)_(?:p[\d.]+_ns|count)")
Number = float | int | None


def is_kept(name: str, counter: str) -> bool:
    """Whole distributions of what is posted on two CPUs with warm caches; of variants the middle and the tail."""
    if counter in (*TIMES, BATCH):
        return False  # the one that counts stands as time_ns
    if LONGEST.fullmatch(counter):
        return False  # of all processes together: pooled()
    if counter.startswith("clock_"):
        return True
    if not counter.endswith(("_ns", "_count")):
        return True
    if name.count("/") > 2:
        return counter.endswith((*EDGES[:2], "count")) and "_with_context" not in counter
    return bool(DRAWN.fullmatch(counter)) or counter.endswith(EDGES)


def short(value: float) -> Number:
    if not math.isfinite(value):
        return None
    rounded = float(f"{value:.4g}")
    return int(rounded) if rounded == int(rounded) else rounded


def columns(measured: list[Measured]) -> dict[str, dict[str, list[Number]]]:
    """Name and counter, and then an entry a process; none where one did not say."""
    found: dict[str, dict[str, list[Number]]] = {}
    for at, run in enumerate(measured):
        for name, times in run.times.items():
            kept = {key: values for key, values in run.counters[name].items() if is_kept(name, key)}
            times = run.counters[name].get(BATCH, times)  # the median batch says more than the mean of all
            for key, values in {"time_ns": times, **kept}.items():
                column = found.setdefault(name, {}).setdefault(key, [None] * len(measured))
                column[at] = short(values[0])
    return found


def together(counters: list[dict[str, list[float]]], kind: str, percent: float) -> float | None:
    """The percentile of all processes' samples, from the longest of each; none if there are too few samples, or too few known."""
    told = [values for values in counters if f"{kind}_count" in values]
    counts = [values[f"{kind}_count"][0] for values in told]
    longest = [[values[0] for key, values in of.items() if (found := LONGEST.fullmatch(key)) and found[1] == kind] for of in told]
    every = sorted((value for known in longest for value in known), reverse=True)
    beyond = int(sum(counts)) - int(percent / 100 * sum(counts))
    if not enough(sum(counts), percent) or len(every) < beyond:
        return None
    found = every[beyond - 1]
    # What a process did not tell is no longer than the least that it told.
    hidden = any(len(known) < count and (not known or found < min(known)) for known, count in zip(longest, counts))
    return None if hidden else found


def pooled(measured: list[Measured], name: str) -> dict[str, Number]:
    counters = [run.counters[name] for run in measured if name in run.times]
    kinds = sorted({found[1] for of in counters for key in of if (found := LONGEST.fullmatch(key))})
    found = {f"{kind}_all_p{percent:g}_ns": together(counters, kind, percent) for kind in kinds for percent in POOLED}
    return {key: short(value) for key, value in found.items() if value is not None}


def folded(column: list[Number]) -> list[Number] | Number:
    """One number instead of a list where all processes say the same."""
    return column[0] if len(set(column)) == 1 and column[0] is not None else column


def result(measured: list[Measured], counted: dict[str, Any]) -> dict[str, Any]:
    runs = [{"date": run.context.get("date"), "load": (run.context.get("load_avg") or [None])[0],
             **({"others": round(run.context["others"], 3)} if "others" in run.context else {})} for run in measured]
    return {"schema": SCHEMA, "kind": "strategies", "runs": runs, "counted": counted,
            "benchmarks": {name: {**{key: folded(column) for key, column in of.items()}, **pooled(measured, name)}
                           for name, of in columns(measured).items()}}


def text_of(found: dict[str, Any]) -> str:
    """One benchmark a line, so that two results can be compared."""
    benchmarks = found["benchmarks"]
    head = {key: value for key, value in found.items() if key != "benchmarks"}
    lines = [f"{json.dumps(name)}:{json.dumps(benchmarks[name], separators=(',', ':'))}" for name in sorted(benchmarks)]
    return json.dumps(head, separators=(",", ":"))[:-1] + ',"benchmarks":{\n' + ",\n".join(lines) + "\n}}\n"


def write(path: Path, text: str) -> None:
    """In one step, so that who stops the script finds the old file or the new one."""
    temporary = path.with_name(path.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
