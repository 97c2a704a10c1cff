"""Which ways each of the library's engine tests is run: on what memory, with what faults, and how it must end. Called, it runs a program's
tests all these ways with a small budget; the nightly divides a large one among them. Ends with 1 if a test did not end as it must."""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

MOST_LINES, MOST_CPU_S = 30, 5.0  # what a known error may take: of the story that is read, and of a campaign
FEW = "wake,eintr,early,migrate"
# By kind of program: where counts take two steps, handlers would lose some.
FAULTS = {"plain": f"{FEW},handler", "narrow": FEW, "two-bit": FEW, "schemes": f"{FEW},handler"}
ONLY = {"two-bit": {"old_rank"}}  # there is room for what it does, and not for what others do
ON_FAST_DOMAINS = re.compile("fast|tasks_trace|first_use$|helper_is_woken$|no_memory$")
NO_DOMAIN, NO_HELPER = "no memory for domain", "the helper thread cannot be started"
ENDS_WITHOUT_MEMORY = {"no_memory_at_first_read": NO_DOMAIN, "no_memory_at_first_wait": NO_DOMAIN,
                       "no_memory_at_first_post": f"{NO_DOMAIN}|{NO_HELPER}", "no_memory_at_fork": NO_HELPER}
FOR_KERNEL = ("--step-limit", "400000")  # as cells.py has it


def over_the_bar(lines: list[int], seconds: list[float]) -> list[str]:
    """What the campaigns that found a known error took too much of."""
    return [words for words, wrong in ((f"OVER {MOST_LINES} LINES", max(lines, default=0) > MOST_LINES),
                                       (f"OVER {MOST_CPU_S:g} CPU SECONDS", max(seconds, default=0) > MOST_CPU_S)) if wrong]


@dataclass(frozen=True)
class Way:
    """`executions`: in each change's run, and its share of the nightly's. `says`: it must fail with such words, a regular expression; none: it must
    not."""

    executions: int
    model: str
    faults: str
    options: tuple[str, ...] = ()
    says: str | None = None

    def words(self) -> list[str]:
        return ["--model", self.model, "--faults", self.faults, *self.options]


def ways_of(kind: str, test: str) -> list[Way]:
    if test not in ONLY.get(kind, {test}):
        return []
    faults = FAULTS[kind]
    says = "" if test.startswith("wrong_") else None
    ways = [Way(400, "cpp", faults, says=says), Way(150, "tso", faults, says=says)]
    if says is not None or kind == "schemes":
        return ways
    if ON_FAST_DOMAINS.match(test):
        ways.append(Way(200, "cpp", f"{faults},no-membarrier"))
    if "handler" in faults and "handlers_" in test:
        ways.append(Way(600, "cpp", faults, ("--each-handler",)))
    if test.startswith("no_memory"):
        ways.append(Way(600, "cpp", f"{faults},no-memory", says=ENDS_WITHOUT_MEMORY.get(test)))
    return ways


def tests_of(program: Path) -> list[str]:
    listed = subprocess.run([program, "list"], check=True, capture_output=True, text=True).stdout
    return [line.split("\t")[0] for line in listed.splitlines()]


def wrong(program: Path, test: str, way: Way) -> str:
    """What is not as it must be; empty if nothing."""
    command = [program, "run", test, "--executions", str(way.executions), "--seed", "1", "--on-x86", "0", *way.words()]
    done = subprocess.run(command, capture_output=True, text=True)
    called = f"{test} ({' '.join(way.words())})"
    expected = 0 if way.says is None else 1
    if done.returncode != expected:
        return f"{called}: exit {done.returncode} where {expected} is right\n{done.stdout}{done.stderr}"
    if way.says and not re.search(way.says, done.stdout):
        return f"{called}: failed otherwise than by '{way.says}'\n{done.stdout}"
    return ""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--kind", choices=list(FAULTS), required=True)
    parser.add_argument("--test", action="append", help="these alone")
    words = parser.parse_args()
    runs = [(test, way) for test in words.test or tests_of(words.program) for way in ways_of(words.kind, test)]
    told = list(filter(None, (wrong(words.program, test, way) for test, way in runs)))
    print("".join(f"{one}\n" for one in told), end="")
    print(f"{len(runs)} runs, {len(told)} otherwise than they must be")
    return 1 if told or not runs else 0


if __name__ == "__main__":
    sys.exit(main())
