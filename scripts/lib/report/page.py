"""The page itself: one file, no network, everything escaped that came from a run."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import jinja2

from . import text
from .canvas import Drawn
from .distributions import Distribution, compare, grace_periods
from .figures import draw_all
from .hlog import percentile
from .load import GOOD, NOT_STARTED, Run, Scenario
from .over_time import Worst, worst_of
from .recording import load_recording
from .stacks import threads
from .text import member, number

CONSOLE_TAIL = 40
MOST_WORKERS = 8
PERCENTS = {"p50": 50, "p99": 99, "max": 100}
SAMPLED = {"reads": "reads", "grace_periods": "gps", "callbacks_posted": "posted", "callbacks_invoked": "invoked"}
Item, Result = TypeVar("Item"), TypeVar("Result")


@dataclass
class Examined:
    """What a scenario's measurements give to the page."""

    figures: list[Drawn]
    distribution: Distribution
    worst: Worst | None
    counts: dict[str, float]  # the last that were written down
    end_s: float


def examine(scenario: Scenario) -> Examined:
    recording = load_recording(scenario.dir)
    counts = {name: number(recording.last[key]) for name, key in SAMPLED.items() if key in recording.last}
    return Examined(draw_all(scenario, recording), grace_periods(recording.series), worst_of(recording), counts, recording.end_s)


def spread(work: Callable[[Item], Result], items: list[Item]) -> list[Result]:
    """Over the CPUs that there are."""
    workers = min(len(items), len(os.sched_getaffinity(0)), MOST_WORKERS)
    if workers < 2:
        return [work(item) for item in items]
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(work, items))


def tone(word: str) -> str:
    """How a verdict is coloured."""
    return {"SUCCESS": "good", "SKIPPED": "none", "INTERRUPTED": "odd", "INCONCLUSIVE": "odd"}.get(word, "bad")


def entitlement(verdict: dict[str, Any]) -> str:
    """What a green run entitles one to say; empty for any other."""
    bound = number(verdict.get("bound_per_hour_95"))
    if bound <= 0:
        return ""
    return (f"No failure in {text.span(number(verdict.get('duration_s')))}. With 95 % confidence there are fewer than "
            f"{text.count(bound) if bound >= 1000 else f'{bound:.3g}'} failures an hour of this kind of torture on this machine "
            "(rule of three); it says nothing of other machines, other loads, or bugs that this torture cannot trigger.")


def drawing(svg: str) -> str:
    """The topology as an image: what stands in it cannot act, whatever it holds."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode("utf-8", "replace")).decode() if svg else ""


def machine_line(run: Run) -> str:
    machine = member(run.manifest, "machine")
    kernel, build = member(machine, "kernel"), member(machine, "build")
    words = [member(machine, "cpu").get("model"), run.plan.get("machine"),
             f"{kernel.get('sysname')} {kernel.get('release')}" if kernel else "",
             f"{build.get('type')} build, compiler {build.get('compiler')}, git {build.get('git')}" if build else "",
             f"started {str(run.manifest['started']).replace('T', ' ')}" if "started" in run.manifest else ""]
    return "; ".join(str(word) for word in words if word)


def facts(run: Run) -> list[tuple[str, str]]:
    rows = []
    for part, values in member(run.manifest, "machine").items():
        for key, value in values.items() if isinstance(values, dict) else [("", values)]:
            if value not in (None, ""):
                rows.append((f"{part} {key}".strip().replace("_", " "), str(value)))
    return rows


def trouble(scenario: Scenario) -> list[dict[str, str]]:
    """Failures in causal order, or why there is no good verdict without any."""
    if not scenario.failures:
        without = {"what": scenario.word, "message": scenario.why, "evidence": "", "when": "", "signature": ""}
        return [] if scenario.word in GOOD or scenario.why == NOT_STARTED else [without]
    signature = str(scenario.verdict.get("signature") or "")
    found = []
    for i, failure in enumerate(scenario.failures):
        times = number(failure.get("count"), 1)
        found.append({
            "what": str(failure.get("check")),
            "message": str(failure.get("message")),
            "evidence": str(failure.get("evidence") or ""),
            "when": f"{text.count(times)} times, first " * (times > 1) + f"{text.span(number(failure.get('first_s')))} after the start",
            "signature": signature if i == 0 else "",
        })
    return found


def latency_words(latency: dict[str, Any], key: str) -> str:
    return text.latency(number(latency.get(key))) if number(latency.get(key)) else ""


def scenario_view(scenario: Scenario, examined: Examined) -> dict[str, Any]:
    # What was cut short has no figures in its verdict, or no verdict, but samples.
    counts = {key: number(value) for key, value in member(scenario.verdict, "counts").items()} or examined.counts
    took_s = number(scenario.verdict.get("duration_s")) or examined.end_s
    latency = member(scenario.verdict, "gp_latency_ns") or {
        key: percentile(*examined.distribution, percent) for key, percent in PERCENTS.items()}
    return {
        "name": scenario.name,
        "flavor": scenario.flavor,
        "word": scenario.word,
        "why": "" if scenario.failures else scenario.why,
        "tone": tone(scenario.word),
        "seed": scenario.verdict.get("seed") or scenario.planned.get("seed"),
        "place": f"placed {scenario.planned.get('place', 'somehow')}" + (f" on CPUs {pus}" if (pus := scenario.planned.get("pus")) else ""),
        "canary": scenario.verdict.get("canary") or "",
        "duration": text.span(took_s) if took_s else "",
        "rate": counts.get("grace_periods", 0) / took_s if took_s else 0,
        "p50": latency_words(latency, "p50"),
        "p99": latency_words(latency, "p99"),
        "worst": "never ended" if any(f.get("check") == "stalled_gp" for f in scenario.failures) else latency_words(latency, "max"),
        "trouble": trouble(scenario),
        "counts": counts,
        "injectors": {key: number(value) for key, value in member(scenario.verdict, "injectors").items()},
        "figures": examined.figures,
        "distribution": examined.distribution,
        "console": "\n".join(scenario.console[-CONSOLE_TAIL:]),
        "threads": threads(scenario.stacks),
    }


def worst_line(examined: Iterable[tuple[Scenario, Examined]]) -> str:
    found = [(one.worst, scenario.name) for scenario, one in examined if one.worst]
    if not found:
        return ""
    worst, name = max(found, key=lambda pair: pair[0].ns)
    return f"The worst grace period that ended took {text.latency(worst.ns)}: {name}, {worst.where()}."


def run_view(run: Run, examined: list[Examined]) -> dict[str, Any]:
    return {
        "name": run.name,
        "word": run.word,
        "why": run.why,
        "tone": tone(run.word),
        "entitlement": entitlement(run.verdict) if run.word == "SUCCESS" else "",
        "rerun": run.rerun,
        "machine": machine_line(run),
        "facts": facts(run),
        "topology": drawing(run.topology_svg),
        "worst": worst_line(zip(run.scenarios, examined)),
        "scenarios": [scenario_view(s, one) for s, one in zip(run.scenarios, examined)],
    }


def render(runs: list[Run], template: Path, speed: list[Drawn] | None = None) -> str:
    """`speed`: pictures of speed tables."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(template.parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["count"] = text.count
    examined = iter(spread(examine, [scenario for run in runs for scenario in run.scenarios]))
    views = [run_view(run, [next(examined) for _ in run.scenarios]) for run in runs]
    # The same scenario of several runs stands together.
    names = list(dict.fromkeys(scenario.name for run in runs for scenario in run.scenarios))
    rows = [(view, s) for name in names for view in views for s in view["scenarios"] if s["name"] == name]
    for i, (_, s) in enumerate(rows):
        s["id"] = i
    side_by_side = None
    if len(rows) > 1:
        side_by_side = compare([(s["name"], view["name"] if len(runs) > 1 else "", s["distribution"]) for view, s in rows])
    return environment.get_template(template.name).render(runs=views, rows=rows, side_by_side=side_by_side,
                                                          speed=speed or [])
