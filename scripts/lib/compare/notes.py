"""What a reader of a comparison has to know, in sentences."""

from __future__ import annotations

import json
from pathlib import Path

from ..report.judge import CONFIDENCE, LEAST_DIFFERENCE, LEAST_RUNS, LOUD
from .sides import Compared

MEASURED = Path(__file__).resolve().parents[3] / "results" / "reference" / "compare-false-alarms.json"


def how_measured(compared: Compared) -> str:
    if compared.kind in ("files", "runs"):
        return "The sides were measured before, perhaps not by turns: what drifted between them counts as a difference."
    return ("Each round runs every side once, as a process of its own, in random order, and the next round in the reverse of it; "
            "a benchmark gives one number a process, the median of its repetitions.")


def how_judged(with_again: bool) -> str:
    floor = ("how far A, run a second time among the others, came out from itself" if with_again
             else "how far two series of A could come to differ, by how its runs scatter, for no second one was given")
    return (f"B to A: medians over the runs; above 1, B takes longer. The interval is a bootstrap over runs ({100 * CONFIDENCE:g} %). "
            f"Floor: {floor}, at least {100 * (LEAST_DIFFERENCE - 1):.0f} %. Faster and slower are said if the interval lies wholly on one "
            f"side of 1 and the ratio beyond the floor. Below {LEAST_RUNS} runs a side, or where two series of A could come to differ by "
            f"more than {100 * (LOUD - 1):.0f} %, it cannot be told, unless the difference is larger than even that.")


def rate(found: dict[str, int]) -> str:
    return (f"{found['with_alarm']} of {found['comparisons']} comparisons ({found['alarms']} of {found['benchmarks']} benchmarks)")


def false_alarms(path: Path = MEASURED) -> str:
    """As they were counted; empty where they were not."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        parts = [f"{rate(found[kind])} {kind}" for kind in ("simulated", "real") if found.get(kind)]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return f"False alarms, of the same against the same: {'; '.join(parts)}." if parts else ""


def notes(compared: Compared) -> list[str]:
    found = [how_measured(compared), how_judged(len(compared.sides) > 2)]
    if compared.kind in ("binaries", "commits", "strategies"):
        found.append("The floor knows nothing of where a linker put things: between two builds, a few instructions can differ by more.")
    if compared.kind == "runs":
        found.append("A torture delays, pauses and disturbs on purpose: its figures mean something only beside those of equal scenarios.")
    found += [f"Only {label} has: {', '.join(names)}." for label, names in compared.only.items()]
    return [*found, *filter(None, [false_alarms()])]
