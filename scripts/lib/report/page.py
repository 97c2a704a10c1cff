"""The page itself: one file, no network, everything escaped that came from a run."""

from __future__ import annotations

import base64
import re
from pathlib import Path
from typing import Any

import jinja2

from . import figures
from .load import GOOD, Run, Scenario
from .text import number

CONSOLE_TAIL = 40
STACK_LINES = 400


def tone(word: str) -> str:
    """How a verdict is coloured."""
    return "good" if word in GOOD else "odd" if word in ("INTERRUPTED", "INCONCLUSIVE") else "bad"


def duration(seconds: Any) -> str:
    s = number(seconds)
    for unit, size in (("h", 3600), ("min", 60)):
        if s >= size:
            return f"{s / size:.1f} {unit}"
    return f"{s:.1f} s"


def entitlement(verdict: dict[str, Any]) -> str:
    """What a green run entitles one to say; empty for any other."""
    bound = verdict.get("bound_per_hour_95")
    if not isinstance(bound, (int, float)) or isinstance(bound, bool):
        return ""
    return (f"No failure in {duration(verdict.get('duration_s'))}. With 95 % confidence there are fewer than {bound:.3g} "
            "failures an hour of this kind of torture on this machine (rule of three); it says nothing of other machines, "
            "other loads, or bugs that this torture cannot trigger.")


def drawing(svg: str) -> str:
    """The topology as an image: what stands in it cannot act, whatever it holds."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode() if svg else ""


def facts(run: Run) -> list[tuple[str, str]]:
    machine = run.manifest.get("machine") if isinstance(run.manifest.get("machine"), dict) else {}
    rows = [("started", str(run.manifest.get("started", "unknown"))), ("topology", str(run.plan.get("machine", "unknown")))]
    for part, values in machine.items():
        if isinstance(values, dict):
            rows += [(f"{part} {key}", str(value)) for key, value in values.items() if value is not None]
        elif values is not None:
            rows.append((part, str(values)))
    return rows


def scenario_view(scenario: Scenario) -> dict[str, Any]:
    counts = scenario.verdict.get("counts")
    return {
        "name": scenario.name,
        "flavor": scenario.flavor,
        "word": scenario.word,
        "why": scenario.why,
        "tone": tone(scenario.word),
        "signature": scenario.verdict.get("signature"),
        "seed": scenario.verdict.get("seed") or scenario.planned.get("seed"),
        "canary": scenario.verdict.get("canary"),
        "duration": duration(scenario.verdict.get("duration_s")),
        "worst_ms": number((scenario.verdict.get("gp_latency_ns") or {}).get("max")) / 1e6,
        "failures": scenario.failures,
        "counts": counts if isinstance(counts, dict) else {},
        "injectors": scenario.verdict.get("injectors") or {},
        "figures": figures.draw_all(scenario),
        "console": "\n".join(scenario.console[-CONSOLE_TAIL:]),
        "stacks": "\n".join(scenario.stacks[:STACK_LINES]),
    }


def run_view(run: Run) -> dict[str, Any]:
    return {
        "name": run.name,
        "word": run.word,
        "why": run.why,
        "tone": tone(run.word),
        "entitlement": entitlement(run.verdict),
        "rerun": str(run.plan.get("rerun", "")),
        "facts": facts(run),
        "topology": drawing(run.topology_svg),
        "scenarios": [scenario_view(s) for s in run.scenarios],
    }


def render(runs: list[Run], template: Path, speed: list[str] | None = None) -> str:
    """`speed`: pictures of speed tables, as data URIs."""
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(template.parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters["anchor"] = lambda text: re.sub(r"[^A-Za-z0-9.-]", "-", str(text))
    side_by_side = None
    if len(runs) > 1 or len(runs[0].scenarios) > 1:
        side_by_side = figures.compare([(f"{run.name if len(runs) > 1 else ''} {s.name}".strip(), s)
                                        for run in runs for s in run.scenarios])
    return environment.get_template(template.name).render(runs=[run_view(r) for r in runs], side_by_side=side_by_side,
                                                          speed=speed or [])
