"""What a scenario that left no verdict.json came to, from its other files: as `srcutorture check` judges it (torture/oracle)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .text import json_lines, member, number, whole_lines

INTERRUPTED = "INTERRUPTED"
WORST_FIRST = ("CRASH", "HANG", "DEADLOCK", "FAILURE", "BROKEN", INTERRUPTED, "INCONCLUSIVE", "SKIPPED", "SUCCESS")
CAUSES_FIRST = ("too_short_gp", "use_after_free", "memory_order", "early_cookie", "early_barrier", "double_callback", "lost_callback",
                "counter_mismatch", "garbage_bound", "lock_cycle", "wait_context", "self_deadlock", "stalled_gp",
                "no_forward_progress", "crash")
VERDICTS = {"crash": "CRASH", "use_after_free": "CRASH", "stalled_gp": "HANG", "no_forward_progress": "HANG",
            "lock_cycle": "DEADLOCK", "wait_context": "DEADLOCK", "self_deadlock": "DEADLOCK"}
NO_VERDICT = "it was cut short, or still runs: no verdict.json"

Failure = dict[str, Any]
SANITIZER = re.compile(r"(?:ERROR|WARNING|FATAL): (\w+Sanitizer: .+)|(\S+: runtime error: .+)")
FIGURES = re.compile(r" (?:\(pid=|on (?:unknown )?address).*|(?: on|:)? 0x[0-9a-f].*")


def worst(words: list[str]) -> str:
    return min(words, key=lambda word: WORST_FIRST.index(word) if word in WORST_FIRST else WORST_FIRST.index("BROKEN"))


@dataclass
class Evidence:
    """The last event of each name, but all failures; the last sample, and the worst latency of all."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    noted: list[Failure] = field(default_factory=list)
    last_s: float = 0
    sample: dict[str, Any] = field(default_factory=dict)
    latency_max: float = 0

    def take(self, event: dict[str, Any]) -> None:
        name = event.get("event")
        if not isinstance(name, str):
            return
        self.last_s = max(self.last_s, number(event.get("t_s")))
        if name == "failure":
            self.noted.append(event)
        # A canary that ran on after a stop was given no time to be caught.
        elif name != "canary" or "stopped" not in self.events or event.get("result") == "caught":
            self.events[name] = event

    def named(self, name: str) -> dict[str, Any]:
        return self.events.get(name, {})


def read(path: Path) -> Evidence:
    evidence = Evidence()
    for event in json_lines(path / "events.jsonl"):
        evidence.take(event)
    for evidence.sample in json_lines(path / "stats.jsonl"):
        evidence.latency_max = max(evidence.latency_max, number(evidence.sample.get("gp_max_ns")))
    if latency := member(evidence.named("end"), "gp_latency_ns"):
        evidence.latency_max = number(latency.get("max"))
    return evidence


def near_misses(evidence: Evidence) -> list[Failure]:
    """Failures where the sequence is exact, or by --fail-on, or with more than five in ten hours."""
    batch = (evidence.named("end") or evidence.sample).get("batch")
    misses = sum(number(n) for n in batch[2:]) if isinstance(batch, list) else 0
    start, took_s = evidence.named("start"), number(evidence.named("end").get("torture_s")) or evidence.last_s
    wanted = start.get("gp_seq_exact") is True or start.get("fail_on_near_miss") is True
    often = misses > 1 and misses * 36000 / max(took_s, 1) > 5
    if misses == 0 or not (wanted or often) or any(f.get("check") == "too_short_gp" for f in evidence.noted):
        return []
    return [{"check": "too_short_gp", "count": misses, "first_s": took_s, "evidence": "grace-period sequence",
             "message": f"{misses:.0f} sections saw more than one grace period end"}]


def too_slow(evidence: Evidence) -> list[Failure]:
    limit = number(evidence.named("start").get("fail_on_latency_ns"))
    if limit <= 0 or evidence.latency_max <= limit:
        return []
    return [{"check": "no_forward_progress", "first_s": evidence.last_s, "evidence": "gp.hgrm",
             "message": f"a grace period took {evidence.latency_max / 1e6:.1f} ms, the limit is {limit / 1e6:.1f} ms"}]


def crashed(evidence: Evidence) -> list[Failure]:
    ended = evidence.named("child_ended")
    if not isinstance(ended.get("signal"), str) or ended.get("by_supervisor") is True:
        return []
    where = "the signal came from outside" if ended.get("foreign") is True else "stacks.txt"
    return [{"check": "crash", "first_s": evidence.last_s, "message": str(ended.get("words", "")), "evidence": where}]


def sanitizer_failures(path: Path, at_s: float) -> list[Failure]:
    found: dict[tuple[str, str], Failure] = {}
    for file in sorted(path.glob("sanitizer.*")):
        for line in whole_lines(file):
            match = SANITIZER.search(line)
            if not match or "thread leak" in line:
                continue
            head = FIGURES.sub("", match[1] or match[2])
            freed = "use-after" in head or "double-free" in head
            check = "use_after_free" if freed else "memory_order" if "data race" in head else "crash"
            failure = found.setdefault((file.name, check), {"check": check, "count": 0, "first_s": at_s, "message": head,
                                                            "evidence": file.name})
            failure["count"] += 1
    return list(found.values())


def failures_of(path: Path, evidence: Evidence) -> list[Failure]:
    """In causal order."""
    counts = member(evidence.named("end"), "failures")
    noted = [{**f, "first_s": f.get("t_s"), "count": max(1, number(counts.get(str(f.get("check")))))} for f in evidence.noted]
    found = [*noted, *near_misses(evidence), *too_slow(evidence), *crashed(evidence), *sanitizer_failures(path, evidence.last_s)]
    return sorted(found, key=lambda f: CAUSES_FIRST.index(f["check"]) if f.get("check") in CAUSES_FIRST else len(CAUSES_FIRST))


def ruling(evidence: Evidence, failures: list[Failure]) -> tuple[str, str]:
    """The verdict, and why: INTERRUPTED at best."""
    if "skipped" in evidence.events:
        return INTERRUPTED, ""
    if failures:
        first = failures[0]
        return VERDICTS.get(str(first.get("check")), "FAILURE"), f"{first.get('check')}: {first.get('message')}"
    if "broken" in evidence.events:
        return "BROKEN", str(evidence.named("broken").get("message", ""))
    if (canary := evidence.named("canary")).get("result") == "missed":
        return "BROKEN", f"the canary {canary.get('flavor')} was not caught"
    ended = evidence.named("child_ended")
    unheard = "stopped" in evidence.events and ended.get("by_supervisor") is True
    if ended and "end" not in evidence.events and not unheard:
        return "BROKEN", f"the tortured process {ended.get('words')} before its end"
    if number(ended.get("exit_code")) != 0:
        return "BROKEN", f"the tortured process {ended.get('words')} after its end"
    return INTERRUPTED, f"stopped by {evidence.named('stopped').get('signal')}" if "stopped" in evidence.events else ""


def judge(path: Path) -> tuple[str, str, list[Failure]]:
    """Verdict, why, failures of a scenario's directory without a verdict.json."""
    evidence = read(path)
    failures = failures_of(path, evidence)
    word, why = ruling(evidence, failures)
    return word, "; ".join(filter(None, (why, NO_VERDICT))), failures
