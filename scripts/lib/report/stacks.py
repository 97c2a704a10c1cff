"""stacks.txt as the page shows it: a line a thread, the whole stack behind it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

FRAME = re.compile(r"\s*#\d+\s+(?:0x[0-9a-fA-F]+ in )?(<signal handler called>|[^<(\s]+)")
INNERMOST = 4
FIRST = ("updater", "fakewriter", "barrier", "flood", "reader")  # who waits for a grace period, then who may hold one up
MOST_LINES = 60


@dataclass
class Thread:
    """`where` names the innermost functions, the innermost first, without the C library's own way down to it."""

    name: str
    lines: list[str] = field(default_factory=list)

    @property
    def where(self) -> str:
        names = [found[1] for line in self.lines if (found := FRAME.match(line))]
        return " ← ".join([*names[:1], *(name for name in names[1:] if not name.startswith("_"))][:INNERMOST])


def threads(lines: list[str]) -> list[Thread]:
    """Each begins with a line 'Thread ... "name" ...' and ends at an empty one; what stands around them is the debugger's
    chatter. Text of another shape is one nameless thread."""
    found: list[Thread] = []
    inside = False
    for line in lines:
        if line.startswith("Thread "):
            name = re.search(r'"([^"]*)"', line)
            found.append(Thread(name[1] if name else line))
            inside = True
        elif not line.strip():
            inside = False
        if inside and len(found[-1].lines) < MOST_LINES:
            found[-1].lines.append(line)
    found.sort(key=lambda thread: next((i for i, role in enumerate(FIRST) if thread.name.startswith(role)), len(FIRST)))
    return found or ([Thread("all", lines[:MOST_LINES])] if lines else [])
