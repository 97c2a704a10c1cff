"""Runs the matrix's cells in the controlled engine and compares what comes out with what is predicted. A line for each cell:

    ok: how many executions, of which how many differed, found nothing
    deadlock, cycle: in which execution it hung, who waits for what, how long the story is, and the token that repeats it

What is not run is counted, with the reason. Exit status: 0 all as predicted, 1 some not, 3 a program broke."""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

# A column of each kind, and cells whose other dimensions matter.
QUICK_STRATEGIES = {"direct", "rc4", "delayed", "irq_work", "defer_irqoff"}
QUICK_BESIDE = {"rq_lock/direct/other/expedited", "rq_lock/rc4/own/normal", "timer_base_lock/tasks_trace_legacy/own/normal",
                "timer_base_lock/tasks_trace_legacy/other/normal",
                "sdp_lock/direct/other_domain/expedited", "sup_lock/nolock.lock_bit/same/expedited", "rq_lock/nolock.irqs_off/own/expedited",
                "nmi_anywhere/nolock.lock_bit", "nmi_anywhere/direct", "nmi_anywhere/irq_work", "nmi_anywhere/defer_irqoff"}
FAILS = {"ok": False, "class_only": False, "deadlock": True, "cycle": True}
MOST_LINES = 29
STEP_LIMIT = 400_000  # of an execution: some contexts have several places, each a round of its own

NOT_RUN = """not run:
  PREEMPT_RT: all locks that a post may reach are raw here, so its cells are the same code again
  wait_context: no cell is predicted so; it would take locks that sleep
  nmi x irq_work, and x tasks_trace_legacy under another CPU's locks: proved alone, since these NMIs hit holders of the scheduler's
    locks, none of which the post takes; nmi_anywhere/ is the same with the NMI at any step of a post
  n/a: nobody comes to these (snp_lock; drains of strategies that stage nothing; SRCU's locks under posts that take others)
class_only: a complaint of the prover's about classes of locks; here instances count, and that nothing hangs is what is shown; but in
  proved/ and prover_hook the prover is on"""


@dataclass(frozen=True)
class Result:
    name: str
    predicted: str
    verdict: str
    executions: int
    distinct: int
    seconds: float
    what: str
    token: str
    story: list[str]

    def wrong(self) -> str:
        """What is not as predicted; empty if nothing."""
        fails = FAILS[self.predicted]
        if self.verdict not in ("SUCCESS", "FAILURE"):
            return self.verdict
        if (self.verdict == "FAILURE") != fails:
            return "hangs, or is otherwise wrong" if self.verdict == "FAILURE" else "does not hang"
        if fails and " waits for " not in self.what:
            return "is wrong otherwise than by waiting for locks"
        if fails and len(self.story) > MOST_LINES:
            return f"its story has {len(self.story)} lines"
        return ""

    def line(self) -> str:
        if self.verdict == "FAILURE":
            said = f"execution {self.executions}, {len(self.story)} lines: {self.what}"
        else:
            said = f"{self.executions} executions, {self.distinct} distinct, none hung"
        return "\t".join([self.name, self.predicted, said, self.token])


def tests_of(program: Path) -> dict[str, str]:
    """Name to what is predicted, if it is a cell's."""
    listed = json.loads(subprocess.run([program, "list", "--json"], check=True, capture_output=True, text=True).stdout)
    return {test["name"]: test["sentence"].split(":")[0] if "/" in test["name"] else "ok" for test in listed}


def is_quick(name: str) -> bool:
    context, _, rest = name.partition("/")
    strategy, *more = rest.split("/")
    if context == "proved" or not rest:  # the prover's own
        return True
    return name in QUICK_BESIDE or (strategy in QUICK_STRATEGIES and more in (["expedited"], ["own", "expedited"], ["same", "expedited"]))


def result_of(test: dict, predicted: str) -> Result:
    keys = ("verdict", "executions", "distinct", "what", "token", "story")
    return Result(name=test["test"], predicted=predicted, seconds=test["cpu_s"], **{key: test[key] for key in keys})


def run(program: Path, name: str, predicted: str, words: argparse.Namespace) -> Result:
    executions = words.to_find if FAILS[predicted] else words.executions
    options = ["--executions", str(executions), "--seed", words.seed, "--step-limit", str(STEP_LIMIT), "--json"]
    done = subprocess.run([program, "run", name, *options], capture_output=True, text=True)
    if done.returncode not in (0, 1, 3):
        raise SystemExit(f"{name}: {done.stdout}{done.stderr}")
    return result_of(json.loads(done.stdout)["tests"][0], predicted)


def summary(results: list[Result]) -> str:
    found = [result for result in results if result.verdict == "FAILURE"]
    clean = [result for result in results if result.verdict == "SUCCESS"]
    lines = [f"{len(results)} cells, {sum(result.seconds for result in results):.1f} s of CPU time before shortening"]
    if found:
        executions = sorted(result.executions for result in found)
        stories = sorted(len(result.story) for result in found)
        lines.append(f"  {len(found)} hang: found in execution {executions[len(found) // 2]} (median), {executions[-1]} (last); "
                     f"stories of {stories[len(found) // 2]} lines (median), {stories[-1]} (longest)")
    if clean:
        lines.append(f"  {len(clean)} do not: {sum(result.executions for result in clean)} executions, "
                     f"{sum(result.distinct for result in clean)} distinct schedules")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path)
    parser.add_argument("--only", default="", help="a regular expression for names of cells")
    parser.add_argument("--quick", action="store_true", help="the cells that say most")
    parser.add_argument("--executions", type=int, default=100, help="of each cell that must not hang")
    parser.add_argument("--to-find", type=int, default=2000, help="within how many a cell must hang that is predicted to")
    parser.add_argument("--seed", default="1")
    parser.add_argument("--jobs", type=int, default=1, help="cells at a time (default: %(default)s)")
    parser.add_argument("--stories", action="store_true", help="the story of each that hangs, below its line")
    words = parser.parse_args()
    chosen = {name: predicted for name, predicted in tests_of(words.program).items()
              if re.search(words.only, name) and (is_quick(name) or not words.quick)}
    results = []
    with ThreadPoolExecutor(words.jobs) as pool:
        for result in pool.map(lambda one: run(words.program, *one, words), chosen.items()):
            results.append(result)
            print(result.line(), flush=True)
            if result.wrong():
                print(f"  NOT AS PREDICTED: {result.name} {result.wrong()}")
            if words.stories or result.wrong():
                print("".join(f"    {line}\n" for line in result.story), end="")
    print(NOT_RUN)
    print(summary(results))
    if any(result.verdict == "BROKEN" for result in results):
        return 3
    return 1 if not results or any(result.wrong() for result in results) else 0


if __name__ == "__main__":
    sys.exit(main())
