"""A run directory as the report sees it. Any file may be missing, cut or foreign."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .hlog import Interval, read_hlog
from .text import json_lines, json_object, whole_lines

CUT_SHORT = "INTERRUPTED"
GOOD = ("SUCCESS", "SKIPPED")


class NoRun(Exception):
    """What was named is no run directory; the message is one line that says so."""


@dataclass
class Scenario:
    """One scenario's files."""

    dir: Path
    planned: dict[str, Any]
    verdict: dict[str, Any] = field(default_factory=dict)
    stats: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    intervals: list[Interval] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    stacks: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.dir.name

    @property
    def flavor(self) -> str:
        return str(self.planned.get("flavor", self.verdict.get("flavor", "?")))

    @property
    def word(self) -> str:
        return str(self.verdict.get("verdict", CUT_SHORT))

    @property
    def why(self) -> str:
        return str(self.verdict.get("why") or ("" if self.verdict else "it was cut short, or still runs: no verdict.json"))

    @property
    def failures(self) -> list[dict[str, Any]]:
        """From the verdict; from the events while there is none."""
        if self.verdict:
            found = self.verdict.get("failures")
            return [f for f in found if isinstance(f, dict)] if isinstance(found, list) else []
        return [{**e, "first_s": e.get("t_s")} for e in self.events if e.get("event") == "failure"]

    def tagged(self, *tags: str) -> list[Interval]:
        return [i for i in self.intervals if i.tag in tags]


@dataclass
class Run:
    """A whole run directory."""

    dir: Path
    plan: dict[str, Any]
    manifest: dict[str, Any]
    verdict: dict[str, Any]
    scenarios: list[Scenario]
    topology_svg: str

    @property
    def name(self) -> str:
        return self.dir.resolve().name

    @property
    def word(self) -> str:
        return str(self.verdict.get("verdict", CUT_SHORT))

    @property
    def why(self) -> str:
        return str(self.verdict.get("why") or ("" if self.verdict else "it was cut short, or still runs: no verdict.json"))


def load_scenario(path: Path, planned: dict[str, Any]) -> Scenario:
    return Scenario(
        dir=path,
        planned=planned,
        verdict=json_object(path / "verdict.json") or {},
        stats=json_lines(path / "stats.jsonl"),
        events=json_lines(path / "events.jsonl"),
        intervals=list(read_hlog(path / "gp.hlog")),
        console=whole_lines(path / "console.log"),
        stacks=whole_lines(path / "stacks.txt"),
    )


def load_run(path: Path) -> Run:
    """Raises NoRun, with a line that names the cure."""
    if not path.is_dir():
        raise NoRun(f"{path} is no directory; name a run directory, such as results/latest")
    plan = json_object(path / "plan.json")
    if plan is None or not isinstance(plan.get("scenarios"), list):
        raise NoRun(f"{path} is no run directory: its plan.json is missing or is not the plan of a run")
    planned = [s for s in plan["scenarios"] if isinstance(s, dict) and "/" not in str(s.get("dir", "/"))]
    svg = path / "topology.svg"
    return Run(
        dir=path,
        plan=plan,
        manifest=json_object(path / "manifest.json") or {},
        verdict=json_object(path / "verdict.json") or {},
        scenarios=[load_scenario(path / str(s["dir"]), s) for s in planned],
        topology_svg=svg.read_text(encoding="utf-8", errors="replace") if svg.is_file() else "",
    )
