#!/usr/bin/python3
"""Measures what each way of deferring costs: posts, latencies, throughput, needless deferrals, by strategy and caller's context.

Runs srcu_bench in several processes, all benchmarks in random order in each (the library draws it), and counts instructions and
cache lines under valgrind. Leaves a run directory with report.html; results/latest points to it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shlex
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.arguments import OneLine, positive, program
from lib.bench import CannotCompare, CouldNotMeasure, Measured, call, exactly, read_file
from lib.bench import run as run_program
from lib.report.strategies import is_strategies, load_strategies
from lib.strategies import machine
from lib.strategies.compact import FAMILIES, result, text_of, write
from lib.strategies.counted import CONTEXTS, count
from lib.strategies.quiet import one_quiet_process, tell, tries_for, watched

IN_MODEL = rf"post/[^/]+/({'|'.join(CONTEXTS[1:])})/"  # of the model: the library's own posts are from anywhere
BLOCK = ("<!-- answers of scripts/strategies.py: begin -->", "<!-- answers: end -->")
ROOT = Path(__file__).resolve().parents[1]
SECONDS_EACH, SECONDS_AN_ITERATION = 0.107, 4.6e-5  # roughly: a burst of 48 posts waits for two ticks
QUICK = r"^(post/(direct|direct-again|irq_work|bpf_defer|nolock:irqs_off)/irqs_off/iterations.*" \
        r"|post/(direct|direct-again|irq_work|nolock:irqs_off.call_srcu)/none/iterations.*|post/(irq_work|nolock:irqs_off)/rq_lock/iterations.*" \
        r"|post/(direct|irq_work)/none/cpus:[0-9]+/.*|invoke/(direct|direct-again|irq_work)/(none|rq_lock)/.*" \
        r"|post/(direct|irq_work)/none/cold/iterations.*|post/bpf_defer-node/nmi/iterations.*|throughput/(direct|irq_work)/none/posters:(1|16)/.*" \
        r"|deferral/nolock:(irqs_off|lock_bit)/(none|irqs_off|rq_lock|tracepoints)/.*)"


@dataclass
class Session:
    """A run directory in the making. What is in it can be judged at any moment."""

    dir: Path
    program: Path
    names: list[str]
    rerun: str
    machine: dict[str, Any]
    load_start: float
    measured: list[Measured] = field(default_factory=list)
    counted: dict[str, Any] = field(default_factory=dict)
    started: float = field(default_factory=time.time)

    def begin(self, processes: int) -> None:
        plan = {"schema": 1, "kind": "strategies", "name": "strategies", "processes": processes,
                "benchmarks": len(self.names), "rerun": self.rerun}
        write(self.dir / "plan.json", json.dumps(plan, indent=1) + "\n")
        self.save()

    def save(self) -> None:
        began = datetime.datetime.fromtimestamp(self.started, datetime.timezone.utc).isoformat(timespec="seconds")
        facts = {**self.machine, "load": {"at the start": self.load_start, "at the end": machine.load()}}
        write(self.dir / "manifest.json", json.dumps({"schema": 1, "started": began, "machine": facts}, indent=1) + "\n")
        write(self.dir / "strategies.json", text_of(result(self.measured, self.counted)))

    def end(self, word: str, why: str) -> None:
        verdict = {"schema": 1, "verdict": word, "why": why, "duration_s": round(time.time() - self.started, 1)}
        write(self.dir / "verdict.json", json.dumps(verdict, indent=1) + "\n")


def selected(program: Path, wanted: str) -> list[str]:
    """By a filter; without one, all that has a strategy's name: the library's own benchmarks are somebody else's."""
    listed = call(program, "--benchmark_list_tests").splitlines()
    if not wanted:
        strategies = {re.escape(name.split("/")[1]) for name in listed if re.match(IN_MODEL, name)}
        wanted = f"^({'|'.join(FAMILIES)})/({'|'.join(sorted(strategies))})([+]call_srcu)?/".replace("\\-", "-").replace("\\:", ":")
    found = [name for name in listed if name.split("/")[0] in FAMILIES and re.search(wanted, name)]
    if not found:
        raise CannotCompare(f"{program.name} has no benchmark of a strategy that matches {wanted}; build it from these sources")
    return found


def one_process(session: Session, number: int) -> Measured:
    out = session.dir / f"run-{number + 1}.json"

    def process() -> Measured:
        call(session.program, exactly(session.names), "--benchmark_enable_random_interleaving=true",
             f"--benchmark_out={out}", "--benchmark_out_format=json")
        return read_file(out)

    return watched(process)


def progress(session: Session, number: int, processes: int) -> None:
    took_s = (time.time() - session.started) / (number + 1)
    tell(f"process {number + 1} of {processes} done, {took_s:.0f} s each; {took_s * (processes - number - 1) / 60:.0f} min to go")


def measure(session: Session, arguments: argparse.Namespace) -> None:
    tries = tries_for(arguments.processes)
    for number in range(arguments.processes):
        measured, tries = one_quiet_process(lambda: one_process(session, number), number, tries)
        session.measured.append(measured)
        session.save()
        progress(session, number, arguments.processes)
    if not arguments.no_counts:
        tell("counting instructions and cache lines")
        session.counted = count(session.program, session.names)
        tell(session.counted["why"])
        session.save()


def new_directory(wanted: Path | None) -> Path:
    """Fresh, or empty; a default one is what `latest` points to."""
    path = wanted or ROOT / "results" / f"{datetime.datetime.now():%Y.%m.%d-%H.%M.%S}-strategies"
    try:
        path.mkdir(parents=True, exist_ok=True)
        if any(path.iterdir()):
            raise CannotCompare(f"{path} is not empty; name another --out")
    except OSError as error:
        raise CannotCompare(f"cannot make {path}: {error.strerror}; name another --out") from error
    if not wanted:
        link = path.parent / "latest"
        if link.is_symlink() or not link.exists():
            link.unlink(missing_ok=True)
            link.symlink_to(path.name)
    return path


def parse_arguments() -> argparse.Namespace:
    parser = OneLine(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=program, default=ROOT / "build" / "release" / "srcu" / "bench" / "srcu_bench")
    parser.add_argument("--processes", type=positive, help="how many (default 9, with --quick 2); fewer than 9 compare nothing")
    parser.add_argument("--quick", action="store_true", help="a few benchmarks, a minute or so: does all of it work?")
    parser.add_argument("--filter", default="", metavar="REGEX", help="benchmarks, by Python's syntax")
    parser.add_argument("--no-counts", action="store_true", help="no instructions and cache lines, which take some minutes")
    parser.add_argument("--out", type=Path, help="the run directory (default: results/TIME-strategies)")
    parser.add_argument("--answers", type=Path, metavar="DIR", help="measures nothing: prints what this run answers, as Markdown")
    parser.add_argument("--into", type=Path, metavar="PAGE", help="with --answers: puts that into a page's place for it")
    arguments = parser.parse_args()
    if arguments.into and not arguments.answers:
        parser.error("--into takes --answers")
    if arguments.processes is None:
        arguments.processes = 2 if arguments.quick else 9
    try:
        re.compile(arguments.filter)
    except re.error as error:
        parser.error(f"--filter is no regular expression: {error}")
    arguments.filter = arguments.filter or (QUICK if arguments.quick else "")
    return arguments


def rerun_command(words: list[str]) -> str:
    """Without the directory, which is no longer empty."""
    kept = [word for at, word in enumerate(words) if not word.startswith("--out") and (at == 0 or words[at - 1] != "--out")]
    return shlex.join(["scripts/strategies.py", *kept])


def quote(path: Path, page: Path | None) -> int:
    """What the stored run answers: printed, or put into a page that has a place for it."""
    from lib.report.strategies_page import answers_block  # late: with the libraries for figures it takes a second

    if not is_strategies(path):
        raise CannotCompare(f"{path} is no run of strategies.py; name its directory")
    block = f"{BLOCK[0]}\n\n{answers_block(load_strategies(path))}\n{BLOCK[1]}"
    if not page:
        print(block)
        return 0
    try:
        text = page.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CannotCompare(f"cannot read {page}: {error}") from error
    start, end = text.find(BLOCK[0]), text.find(BLOCK[1])
    if not 0 <= start < end:
        raise CannotCompare(f"{page} has no place between the lines {BLOCK[0]} and {BLOCK[1]}")
    write(page, text[:start] + block + text[end + len(BLOCK[1]) :])
    return 0


def report(path: Path) -> int:
    return subprocess.run([ROOT / "scripts" / "report.py", path]).returncode


def seconds_of(names: list[str]) -> float:
    """About what a process takes, on a quiet machine of two CPUs."""
    iterations = sum(int(found[1]) for name in names if (found := re.search(r"/iterations:(\d+)", name)))
    return len(names) * SECONDS_EACH + iterations * SECONDS_AN_ITERATION


def announce(load: float, names: list[str], arguments: argparse.Namespace) -> None:
    tell(f"{len(names)} benchmarks in each of {arguments.processes} processes; on a quiet machine of two CPUs about "
         f"{seconds_of(names) * arguments.processes / 60:.0f} min")
    if load > machine.cpus():
        tell(f"a load of {load} on {machine.cpus()} CPUs: nothing will be compared")


def run(arguments: argparse.Namespace) -> int:
    load = machine.load()
    names = selected(arguments.program, arguments.filter)
    # The wrong build says so at once.
    build = run_program(arguments.program, exactly(names[:1])).context
    announce(load, names, arguments)
    session = Session(new_directory(arguments.out), arguments.program, names, rerun_command(sys.argv[1:]),
                      machine.facts(ROOT, build), load)
    session.begin(arguments.processes)
    status = 0
    try:
        measure(session, arguments)
        session.end("SUCCESS", "")
    except KeyboardInterrupt:
        session.save()
        session.end("INTERRUPTED", f"stopped after {len(session.measured)} of {arguments.processes} processes")
        status = 130
    except CannotCompare as error:
        session.end("BROKEN", str(error))
        report(session.dir)
        raise
    return report(session.dir) or status


def main() -> int:
    arguments = parse_arguments()
    try:
        return quote(arguments.answers, arguments.into) if arguments.answers else run(arguments)
    except CouldNotMeasure as error:
        print(f"strategies.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 3
    except CannotCompare as error:
        print(f"strategies.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"strategies.py: cannot write: {error}", file=sys.stderr)
        return 3


if __name__ == "__main__":
    sys.exit(main())
