"""Instructions and cache lines of one post: counts, which no load of the machine changes much.

Where the processor's own counters can be had (as by perf; most virtual machines have none), srcu_bench reads them around each
post. Elsewhere valgrind --tool=callgrind counts, if it is installed.

For that, two functions of srcu_bench make exactly one post each, so callgrind counts inside of those alone: one post into an idle
domain, which must ask for a grace period, and one post that finds it asked for. Lines: what a post misses in the first-level
data cache right after everything was thrown out of it. All benchmarks run in one process, which writes its counts down after each.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..bench import CannotCompare, exactly, run

CONTEXTS = ("none", "irqs_off", "rq_lock", "timer_base_lock", "pool_lock", "nmi")
KINDS = {"first": "counted_first_post", "later": "counted_later_post"}
ALL_POSTS = "counted_all_posts"
POST = re.compile(rf"post/([^/]+)/({'|'.join(CONTEXTS)})(/cold)?/iterations:\d+/manual_time")
HARDWARE = "the processor's counters"
SWITCH = "SRCU_BENCH_COUNT"
TWICE = 2
TOO_LONG_S = 1800


@dataclass
class Dump:
    """One file of callgrind's: inclusive counts of the functions that make one post, and how often they made one."""

    events: list[str]
    costs: dict[str, list[int]] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def each(self, kind: str, event: str) -> float | None:
        if not self.calls.get(kind) or event not in self.events:
            return None
        return self.costs[kind][self.events.index(event)] / self.calls[kind]


def kind_of(function: str) -> str | None:
    return next((kind for kind, name in KINDS.items() if re.search(rf"\b{name}\b", function)), None)


def parse(text: str) -> Dump:
    """Costs of such a function are its own lines and those of its calls; its one call each is the post."""
    events: list[str] = []
    dump, names, kind, callee = Dump(events), {}, None, False
    for line in text.splitlines():
        if line.startswith("events:"):
            events += line.split()[1:]
        elif line.startswith("fn="):
            number, _, name = line[3:].partition(" ")
            kind = kind_of(names.setdefault(number, name))
        elif line.startswith("cfn="):
            number, _, name = line[4:].partition(" ")
            names.setdefault(number, name)
        elif kind and line.startswith("calls="):
            dump.calls[kind] = dump.calls.get(kind, 0) + int(line[6:].split()[0])
        elif kind and re.match(r"[+*\-0-9]", line):
            costs = [int(word) for word in line.split()[1:]]
            total = dump.costs.setdefault(kind, [0] * len(events))
            for at, cost in enumerate(costs):
                total[at] += cost
    return dump


def command(program: Path, names: list[str], out: Path) -> list[str]:
    return ["valgrind", "--tool=callgrind", "--cache-sim=yes", "--separate-threads=no", f"--dump-after=*{ALL_POSTS}*",
            *(f"--toggle-collect=*{name}*" for name in KINDS.values()), f"--callgrind-out-file={out}/out",
            str(program), exactly(names)]


def dumps_of(program: Path, names: list[str]) -> list[Dump]:
    """In the order of the names."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(command(program, names, Path(scratch)), check=True, capture_output=True, timeout=TOO_LONG_S)
        files = [Path(scratch) / f"out.{number}" for number in range(1, len(names) + 1)]
        return [parse(file.read_text(encoding="utf-8", errors="replace")) for file in files]


def once(program: Path, names: list[str]) -> dict[str, dict[str, dict[str, float | None]]]:
    """By strategy and context, and first or later post."""
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for name, dump in zip(names, dumps_of(program, names)):
        strategy, context, cold = POST.fullmatch(name).groups()  # type: ignore[union-attr]
        for kind in KINDS:
            of = found.setdefault(f"{strategy}/{context}", {}).setdefault(kind, {})
            if cold:
                of["lines"] = sum(dump.each(kind, event) or 0 for event in ("D1mr", "D1mw")) if dump.calls.get(kind) else None
            else:
                of["instructions"] = dump.each(kind, "Ir")
    return found


def by_hardware(program: Path, names: list[str]) -> dict[str, dict[str, dict[str, float | None]]]:
    """As once(); empty if the program finds no counters."""
    measured = run(program, exactly(names), env={**os.environ, SWITCH: "hardware"})
    found: dict[str, dict[str, dict[str, float | None]]] = {}
    for name, counters in measured.counters.items():
        words = name.split("/")
        for kind in KINDS:
            of = found.setdefault("/".join(words[1:3]), {}).setdefault(kind, {})
            what = "lines" if words[3:] == ["cold"] else "instructions"
            values = counters.get(f"{kind}_{what}")
            if values is None:
                return {}
            of[what] = values[0]
    return found


def twice(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Both counts of everything: what does not repeat is seen."""
    return {at: {kind: {what: [None if value is None else round(value, 1) for value in (number, second[at][kind].get(what))]
                        for what, number in counts.items()} for kind, counts in kinds.items()} for at, kinds in first.items()}


def count(program: Path, names: list[str]) -> dict[str, Any]:
    """Never fails: where there is nothing to count with, it says so."""
    chosen = [name for name in names if POST.fullmatch(name)]
    if not chosen:
        return {"tool": "", "why": "instructions and cache lines were not counted: no post was measured", "posts": {}}
    try:
        if found := by_hardware(program, chosen):
            found = twice(found, by_hardware(program, chosen))
            return {"tool": HARDWARE, "why": f"instructions and cache lines were counted twice by the processor, for {len(found)} pairs",
                    "posts": found}
    except (CannotCompare, KeyError):
        pass  # whatever is wrong with them, there is another way
    if not shutil.which("valgrind"):
        return {"tool": "", "why": "instructions and cache lines were not counted: valgrind is not installed", "posts": {}}
    try:
        found = twice(*(once(program, chosen) for _ in range(TWICE)))
    except (OSError, subprocess.SubprocessError, ValueError, KeyError) as error:
        return {"tool": "callgrind", "why": f"instructions and cache lines were not counted: {error}"[:300], "posts": {}}
    return {"tool": "callgrind", "why": f"instructions and cache lines were counted twice, for {len(found)} pairs", "posts": found}
