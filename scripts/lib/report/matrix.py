"""A run directory of `srcutorture matrix`: caller's contexts against deferral strategies. Any file may be missing, cut or foreign."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .cut_short import VERDICTS, worst
from .load import RunDir
from .text import json_object, number

# The program's own table says the same words.
WORDS = {
    "ok": ("good", "ran, and the prover has nothing to say"),
    "AA": ("bad", "really hung: a lock taken again by its own holder"),
    "ABBA": ("bad", "really hung: a cycle of waiters"),
    "hang": ("bad", "really hung, no lock seen to be the reason"),
    "crash": ("bad", "its process was ended by a signal"),
    "lost": ("bad", "a callback was lost, or ran twice"),
    "fail": ("bad", "failed another check"),
    "cyc": ("odd", "ran; the prover found a cycle of locks"),
    "rec": ("odd", "ran; the prover found a lock, or its class, taken again by its holder"),
    "wait": ("odd", "a lock that may sleep where sleeping is forbidden"),
    "-": ("none", "cannot be had: no such lock or drain, or nobody comes there under this strategy"),
}
REAL = {"self_deadlock": "AA", "lock_cycle": "ABBA", "stalled_gp": "hang", "no_forward_progress": "hang", "crash": "crash",
        "use_after_free": "crash", "lost_callback": "lost", "double_callback": "lost", "wait_context": "wait"}
PROVED = {**REAL, "self_deadlock": "rec", "lock_cycle": "cyc"}
FINE = ("ok", "n/a")
MOST_EVIDENCE = 200_000
# Worst last, as the program ranks them for its summary.
ORDER = ("n/a", "ok", "class_only", "leak", "wait_context", "cycle", "lock_cycle", "self_deadlock", "deadlock", "stalled_gp", "crash")


@dataclass
class Cell:
    """One cell, with its words already text."""

    key: dict[str, str]
    predicted: str
    prover: str
    real: str
    tries: float
    p50_ns: float
    p99_ns: float
    needless: float
    because: str
    facts: str
    revised: str
    rare: str
    contradiction: str
    check: str
    evidence: str

    @property
    def word(self) -> str:
        if self.real not in FINE:
            return REAL.get(self.real, "fail")
        if self.prover not in FINE:
            return PROVED.get(self.prover, "fail")
        return "ok" if "ok" in (self.prover, self.real) else "-"

    @property
    def badness(self) -> tuple[bool, int, int, int]:
        def rank(word: str) -> int:
            return ORDER.index(word) if word in ORDER else 5

        return bool(self.contradiction), rank(self.real), rank(self.predicted), rank(self.prover)


@dataclass
class Pair:
    """A context and a strategy: one field of the table."""

    context: str
    strategy: str
    cells: list[Cell] = field(default_factory=list)

    @property
    def worst(self) -> Cell:
        return max(self.cells, key=lambda cell: cell.badness)


@dataclass
class Matrix(RunDir):
    """Of a matrix."""

    cells: list[Cell]

    @property
    def pairs(self) -> dict[tuple[str, str], Pair]:
        pairs: dict[tuple[str, str], Pair] = {}
        for cell in self.cells:
            at = (cell.key["context"], cell.key["strategy"])
            pairs.setdefault(at, Pair(*at)).cells.append(cell)
        return pairs

    @property
    def contradictions(self) -> list[Cell]:
        return [cell for cell in self.cells if cell.contradiction]

    @property
    def word(self) -> str:
        """Cut short, it has no verdict, but what contradicts its prediction stands."""
        found = [] if self.verdict else [VERDICTS.get(cell.check, "FAILURE") for cell in self.contradictions]
        return worst([super().word, *found])


def is_matrix(path: Path) -> bool:
    return json_object(path / "plan.json").get("kind") == "matrix"


def evidence_of(run_dir: Path, name: object) -> str:
    """Of a file in the run's own folder of them; nothing else is read, whatever matrix.json says."""
    file = run_dir / "cells" / Path(str(name)).name
    if not name or not file.is_file() or file.is_symlink():
        return ""
    with file.open(encoding="utf-8", errors="replace") as text:
        found = text.read(MOST_EVIDENCE + 1)
    return found if len(found) <= MOST_EVIDENCE else found[:MOST_EVIDENCE] + f"\n... the rest stands in {name}"


def cell_of(run_dir: Path, raw: dict[str, Any]) -> Cell:
    latency = raw.get("post_to_invoke_ns")
    latency = latency if isinstance(latency, dict) else {}
    key = {name: str(raw.get(name, "?")) for name in ("context", "strategy", "instance", "domain", "pace")}
    key["preempt_rt"] = "PREEMPT_RT" if raw.get("preempt_rt") is True else ""
    words = {name: str(raw.get(name) or "") for name in ("because", "facts", "revised", "rare", "contradiction", "check")}
    answers = {name: str(raw.get(name, "?")) for name in ("predicted", "prover", "real")}
    return Cell(key=key, **answers, **words, tries=number(raw.get("tries")), p50_ns=number(latency.get("p50")),
                p99_ns=number(latency.get("p99")), needless=number(raw.get("needless_deferrals")),
                evidence=evidence_of(run_dir, raw.get("evidence")))


def load_matrix(path: Path) -> Matrix:
    cells = json_object(path / "matrix.json").get("cells")
    found = [cell_of(path, raw) for raw in cells if isinstance(raw, dict)] if isinstance(cells, list) else []
    return Matrix(path, json_object(path / "plan.json"), json_object(path / "manifest.json"), json_object(path / "verdict.json"), found)
