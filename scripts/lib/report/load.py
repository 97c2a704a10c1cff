"""A run directory as the report sees it, but for what was measured. Any file may be missing, cut or foreign."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .text import json_lines, json_object, whole_lines

CUT_SHORT = "INTERRUPTED"
NO_VERDICT = "it was cut short, or still runs: no verdict.json"
NOT_STARTED = "it was not started"
GOOD = ("SUCCESS", "SKIPPED")


class NoRun(Exception):
    """What was named is no run directory; the message is one line that says so."""


class Judged:
    """What scenarios and whole runs have in common: a folder with a verdict in it."""

    dir: Path
    verdict: dict[str, Any]

    @property
    def word(self) -> str:
        return str(self.verdict.get("verdict", CUT_SHORT))

    @property
    def why(self) -> str:
        if self.verdict:
            return str(self.verdict.get("why") or "")
        return NO_VERDICT if self.dir.is_dir() else NOT_STARTED


@dataclass
class Scenario(Judged):
    """One scenario's verdict and texts."""

    dir: Path
    planned: dict[str, Any]
    verdict: dict[str, Any] = field(default_factory=dict)
    failures: list[dict[str, Any]] = field(default_factory=list)
    console: list[str] = field(default_factory=list)
    stacks: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.dir.name

    @property
    def flavor(self) -> str:
        return str(self.planned.get("flavor", self.verdict.get("flavor", "?")))


@dataclass
class RunDir(Judged):
    """A whole run directory, of whatever kind."""

    dir: Path
    plan: dict[str, Any]
    manifest: dict[str, Any]
    verdict: dict[str, Any]

    @property
    def name(self) -> str:
        return self.dir.resolve().name

    @property
    def rerun(self) -> str:
        """The command that does the same again."""
        return str(self.plan.get("rerun", ""))


@dataclass
class Run(RunDir):
    """Of a torture."""

    scenarios: list[Scenario]
    topology_svg: str


def failures_of(path: Path, verdict: dict[str, Any]) -> list[dict[str, Any]]:
    """From the verdict; from the events while there is none."""
    if not verdict:
        return [{**e, "first_s": e.get("t_s")} for e in json_lines(path / "events.jsonl") if e.get("event") == "failure"]
    found = verdict.get("failures")
    return [f for f in found if isinstance(f, dict)] if isinstance(found, list) else []


def load_scenario(path: Path, planned: dict[str, Any]) -> Scenario:
    verdict = json_object(path / "verdict.json")
    return Scenario(path, planned, verdict, failures_of(path, verdict), whole_lines(path / "console.log"),
                    whole_lines(path / "stacks.txt"))


def load_run(path: Path) -> Run:
    """Raises NoRun, with a line that names the cure."""
    if not path.is_dir():
        raise NoRun(f"{path} is no directory; name a run directory, such as results/latest")
    plan = json_object(path / "plan.json")
    if not isinstance(plan.get("scenarios"), list):
        raise NoRun(f"{path} is no run directory: its plan.json is missing or is not the plan of a run")
    planned = [s for s in plan["scenarios"] if isinstance(s, dict) and "/" not in str(s.get("dir", "/"))]
    svg = path / "topology.svg"
    return Run(
        dir=path,
        plan=plan,
        manifest=json_object(path / "manifest.json"),
        verdict=json_object(path / "verdict.json"),
        scenarios=[load_scenario(path / str(s["dir"]), s) for s in planned],
        topology_svg=svg.read_text(encoding="utf-8", errors="replace") if svg.is_file() else "",
    )
