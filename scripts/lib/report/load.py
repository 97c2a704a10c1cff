"""A run directory as the report sees it, but for what was measured. Any file may be missing, cut or foreign."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cut_short import INTERRUPTED, NO_VERDICT, judge, worst
from .text import json_object, whole_lines

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
        return str(self.verdict.get("verdict", INTERRUPTED))

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
    judged: tuple[str, str] = ("", "")  # word and why, where there is no verdict

    @property
    def word(self) -> str:
        return super().word if self.verdict else self.judged[0] or INTERRUPTED

    @property
    def why(self) -> str:
        return super().why if self.verdict else self.judged[1] or super().why

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

    @property
    def word(self) -> str:
        """No better than its scenarios', one of which may have lost its verdict."""
        return worst([super().word, *(s.word for s in self.scenarios)])

    @property
    def why(self) -> str:
        if self.word == super().word and self.verdict:
            return super().why
        first = next((f"{s.name}: {s.why}" for s in self.scenarios if s.word == self.word and s.why and self.word != INTERRUPTED), "")
        return "; ".join(dict.fromkeys(filter(None, (first, "" if self.verdict else NO_VERDICT))))


def load_scenario(path: Path, planned: dict[str, Any]) -> Scenario:
    verdict = json_object(path / "verdict.json")
    scenario = Scenario(path, planned, verdict, console=whole_lines(path / "console.log"), stacks=whole_lines(path / "stacks.txt"))
    if verdict:
        found = verdict.get("failures")
        scenario.failures = [f for f in found if isinstance(f, dict)] if isinstance(found, list) else []
    elif (path / "events.jsonl").is_file():
        word, why, scenario.failures = judge(path)
        scenario.judged = (word, why)
    return scenario


def load_run(path: Path) -> Run:
    """Raises NoRun, with a line that names the cure."""
    if not path.is_dir():
        raise NoRun(f"{path} is no directory; name a run directory, such as results/latest")
    plan = json_object(path / "plan.json")
    if plan.get("schema") != 1 or not isinstance(plan.get("scenarios"), list):
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
