"""What a comparison leaves for people and for other programs: Markdown, JSON, and each side's runs as Google Benchmark writes them."""

from __future__ import annotations

import math
import statistics
from collections import Counter
from dataclasses import asdict
from typing import Any

from ..bench import TIMES
from ..report.text import count, latency
from ..report.judge import CANNOT_TELL, CONFIDENCE, WORSE, Series, Verdict
from .sides import Compared, Side
from .stored import PROCESS_RUNS

Judged = list[tuple[Series, Verdict]]


def status(judged: Judged) -> int:
    """1 if anything is slower, 3 if anything cannot be told, otherwise 0."""
    words = {verdict.word for _, verdict in judged}
    return 1 if words & set(WORSE) else 3 if CANNOT_TELL in words or not words else 0


def amount(series: Series, value: float) -> str:
    if not math.isfinite(value):
        return "?"
    return latency(value) if series.is_time else count(value)


def named(series: Series) -> str:
    return f"{series.name} ({series.metric})" if series.metric else series.name


def percent(factor: float) -> str:
    return f"{100 * (factor - 1):.1f} %"


def row(series: Series, verdict: Verdict) -> dict[str, str]:
    """In words, for the page and for Markdown."""
    told = verdict.ratio is not None and verdict.interval is not None
    return {
        "name": named(series),
        "a": amount(series, statistics.median(series.a)),
        "b": amount(series, statistics.median(series.b)),
        "ratio": f"{verdict.ratio:.3f}" if told else "",
        "interval": "{:.3f} to {:.3f}".format(*verdict.interval) if told else "",
        "floor": percent(verdict.floor) if verdict.floor else "",
        "runs": " / ".join(str(len(side)) for side in (series.a, series.b, series.again) if side is not None),
        "word": verdict.word,
        "why": verdict.why,
    }


def headline(judged: Judged) -> str:
    found = Counter(verdict.word for _, verdict in judged)
    return ", ".join(f"{number} {word}" for word, number in sorted(found.items(), key=lambda item: -item[1]))


def rounded(values: list[float] | None) -> list[float] | None:
    return None if values is None else [float(f"{value:.5g}") for value in values]


def as_json(compared: Compared, judged: Judged) -> dict[str, Any]:
    rows = [{"name": series.name, "metric": series.metric or "its own time", "is_time": series.is_time, "a": rounded(series.a),
             "b": rounded(series.b), "again": rounded(series.again), **asdict(verdict)} for series, verdict in judged]
    return {"schema": 1, "kind": "compare", "compared": compared.kind, "sides": {side.label: side.what for side in compared.sides},
            "seed": compared.seed, "confidence": CONFIDENCE, **compared.facts, "only": compared.only, "status": status(judged),
            "rows": rows}


def cell(words: str) -> str:
    return words.replace("|", "\\|")


def as_markdown(compared: Compared, judged: Judged, notes: list[str]) -> str:
    lines = [f"# {headline(judged)}", "", *(f"- {side.label}: {cell(side.what)}" for side in compared.sides), "",
             f"| benchmark | A | B | B to A | {100 * CONFIDENCE:g} % interval | floor | runs | |", "|---|---|---|---|---|---|---|---|"]
    for one in (row(series, verdict) for series, verdict in judged):
        word = f"**{one['word']}**" + (f": {one['why']}" if one["why"] else "")
        lines.append(f"| {' | '.join(cell(one[key]) for key in ('name', 'a', 'b', 'ratio', 'interval', 'floor', 'runs'))} | {cell(word)} |")
    return "\n".join([*lines, "", *(f"- {note}" for note in notes), ""])


def entry(side: Side, name: str, number: int) -> dict[str, Any]:
    """One process run of one benchmark: its median, as a repetition."""
    run = side.runs[number]
    counters = {key: statistics.median(values) for key, values in run.counters[name].items() if values and key not in TIMES}
    full = run.full_names[name]
    return {**counters, "name": full, "run_name": full, "run_type": "iteration", "repetitions": len(side.runs), "repetition_index": number,
            "threads": 1, "iterations": 1, **{key: statistics.median(run.counters[name][key]) for key in TIMES}, "time_unit": "ns"}


def google_benchmark(side: Side) -> dict[str, Any]:
    """Each process run is a repetition: what Google Benchmark's own compare.py reads, and `compare.py files`."""
    context = {**side.runs[0].context, PROCESS_RUNS: len(side.runs)}
    if busy := [run.context["others"] for run in side.runs if "others" in run.context]:
        context["others"] = max(busy)
    entries = [entry(side, name, number) for name in side.names().values() for number in range(len(side.runs))]
    return {"context": context, "benchmarks": entries}
