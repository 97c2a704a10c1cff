#!/usr/bin/python3
"""Is B faster than A, or slower, or can that not be told?

  compare.py binaries build/release/srcu/bench/srcu_bench /elsewhere/srcu_bench --filter '^read/'
  compare.py commits main HEAD --filter '^synchronize/'
  compare.py strategies direct irq_work --contexts none,rq_lock        also two flavours: strategies srcu urcu-memb
  compare.py runs results/A results/B                                  or --a DIR... --b DIR..., one run directory a run
  compare.py files A.json B.json                                       Google Benchmark's; also those that this writes
  compare.py false-alarms                                              how often this script is wrong

Binaries, commits and strategies are run by turns, in random order, each time as a new process, and A twice a round: what
that second series of A differs by is the noise floor. Writes NAME.html, NAME.md, NAME.json, and each side's figures for
Google Benchmark's own compare.py (NAME.a.json, NAME.b.json, NAME.again.json).

Exit status: 0 everything could be told and nothing is slower, or larger; 1 something is; 2 usage, or a build that is refused;
3 something could not be measured or told.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.arguments import OneLine, files_name, from_zero, number, positive, program, seconds, with_ending
from lib.bench import CannotCompare, CouldNotMeasure, machine
from lib.compare import false_alarms, page_alarms
from lib.compare.commits import built, commit_of
from lib.report.judge import CANNOT_TELL, LEAST_RUNS, Verdict, judge
from lib.compare.live import Effort, Subject, listed, measure, wait_until_quiet
from lib.compare.loudness import loud
from lib.compare.notes import notes
from lib.compare.outputs import Judged, as_json, as_markdown, google_benchmark, status
from lib.compare.page import render
from lib.compare.sides import AGAIN, WALKS, Compared, Side, paired
from lib.compare.stored import files_side, torture_side

ROOT = Path(__file__).resolve().parents[1]
BENCH = ROOT / "build" / "release" / "srcu" / "bench" / "srcu_bench"
QUICK = "^((read|post|synchronize)/srcu(-fast)?/(threads|none|readers:0)" \
        "|post/(direct|irq_work)/irqs_off/iterations|post/nolock:irqs_off/pool_lock/iterations" \
        "|throughput/direct/none/posters:1/)"  # of each kind some that take little time, and of the model
ENDINGS = {"A": ".a.json", "B": ".b.json", AGAIN: ".again.json"}


def write(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise CouldNotMeasure(f"cannot write {path}: {error.strerror}; choose another --out") from error


def effort(arguments: argparse.Namespace, seed: int | None = None) -> Effort:
    return Effort(arguments.runs, arguments.repetitions, arguments.min_time, arguments.seed if seed is None else seed)


def unasked(arguments: argparse.Namespace) -> tuple[str, ...]:
    """Families whose time says nothing: left out, unless a filter names them or something else of theirs is asked for."""
    return () if arguments.metric else tuple(family for family in WALKS if family.strip("/") not in getattr(arguments, "filter", ""))


def by_turns(kind: str, sides: list[tuple[str, Path, str]], arguments: argparse.Namespace, seed: int | None = None) -> Compared:
    """Each side: what it is called, its program, and perhaps its subject. A runs a second time."""
    (name, program, subject), _ = sides
    contexts = arguments.contexts.split(",") if getattr(arguments, "contexts", None) else None
    subjects = []
    for label, (what, binary, own) in zip(ENDINGS, [*sides, (name, program, subject)]):
        side = Side(label, what, subject=own)
        subjects.append(Subject(side, binary, listed(binary, arguments.filter, side, contexts, unasked(arguments))))
    if not arguments.any_load:
        wait_until_quiet(arguments.patience)
    load = [round(value, 2) for value in os.getloadavg()]
    how = effort(arguments, seed)
    measure(subjects, how, arguments.any_load)
    for run in (run for each in subjects for run in each.side.runs):
        run.context["load_avg"] = load  # what the machine did before, not what the comparison itself made it do
    facts = {"command": arguments.command, **machine(), "load at the start": load[0], **asdict(how)}
    return paired(kind, [each.side for each in subjects], arguments.metric or [""], how.seed, facts)


def binaries(arguments: argparse.Namespace) -> Compared:
    return by_turns("binaries", [(str(path), path, "") for path in (arguments.A, arguments.B)], arguments)


def commits(arguments: argparse.Namespace) -> Compared:
    with ExitStack() as stack:
        programs = stack.enter_context(built(ROOT, [arguments.A, arguments.B]))
        names = [f"{name} ({commit_of(ROOT, name)[:12]})" for name in (arguments.A, arguments.B)]
        return by_turns("commits", [(name, program, "") for name, program in zip(names, programs)], arguments)


def strategies(arguments: argparse.Namespace) -> Compared:
    return by_turns("strategies", [(name, arguments.program, name) for name in (arguments.A, arguments.B)], arguments)


def stored(kind: str, read: Callable[[str, list[Path]], Side], arguments: argparse.Namespace) -> Compared:
    if len(arguments.pair) not in (0, 2):
        raise CannotCompare(f"{kind} takes two names, or --a and --b with as many as there are")
    named = {"A": [*arguments.pair[:1], *arguments.a], "B": [*arguments.pair[1:], *arguments.b], AGAIN: arguments.again}
    for label in ("A", "B"):
        if not named[label]:
            raise CannotCompare(f"side {label} is missing; name it, or give --{label.lower()}")
    sides = [read(label, paths) for label, paths in named.items() if paths]
    facts = {"command": arguments.command}
    return paired(kind, sides, arguments.metric or [""], arguments.seed, facts, unasked(arguments))


def files(arguments: argparse.Namespace) -> Compared:
    return stored("files", files_side, arguments)


def runs(arguments: argparse.Namespace) -> Compared:
    return stored("runs", torture_side, arguments)


def judged(compared: Compared, any_load: bool) -> Judged:
    if words := "" if any_load else loud(compared.sides):
        return [(series, Verdict(CANNOT_TELL, f"loud machine: {words}")) for series in compared.series]
    return [(series, judge(series, compared.seed)) for series in compared.series]


def deliver(compared: Compared, verdicts: Judged, out: Path) -> None:
    words = notes(compared)
    text = as_markdown(compared, verdicts, words)
    write(with_ending(out, ".md"), text)
    write(with_ending(out, ".json"), json.dumps(as_json(compared, verdicts), indent=1) + "\n")
    for side in compared.sides:
        write(with_ending(out, ENDINGS[side.label]), json.dumps(google_benchmark(side), indent=1) + "\n")
    write(with_ending(out, ".html"), render(compared, verdicts, words))
    print(text)
    print(with_ending(out, ".html"))


def count_false_alarms(arguments: argparse.Namespace) -> int:
    def compare(seed: int) -> list[Verdict]:
        same = [(str(arguments.program), arguments.program, "")] * 2
        verdicts = [verdict for _, verdict in judged(by_turns("binaries", same, arguments, seed), arguments.any_load)]
        print(f"comparison {seed} of {arguments.real} done", file=sys.stderr, flush=True)
        return verdicts

    found = {"simulated": false_alarms.simulated(arguments.simulated),
             "simulated_20_percent_slower": false_alarms.simulated(arguments.simulated, 1.2, first_seed=10_001),
             **page_alarms.tallies(arguments.simulated, slower_seed=10_001)}
    if arguments.real:
        found["real"] = false_alarms.real(arguments.real, compare)
    text = false_alarms.document(found)
    tallies = {name: asdict(tally) for name, tally in found.items()}
    result = {"schema": 1, "kind": "compare-false-alarms", "machine": machine() if arguments.real else None, **tallies}
    write(with_ending(arguments.out, ".md"), text)
    write(with_ending(arguments.out, ".json"), json.dumps(result, indent=1) + "\n")
    print(text)
    return 0


def seed(words: str) -> int:
    return number(words, 0, 999_999_999)


def patience(words: str) -> float:
    return 0.0 if words.strip() == "0" else seconds(words)


def add_shared(parser: argparse.ArgumentParser, out: str) -> None:
    parser.add_argument("--seed", type=seed, default=1, help="of the order of the runs and of the interval")
    parser.add_argument("--metric", action="append", help="cpu_time, real_time or a counter such as p99_ns; may be repeated (default: "
                        "each_ns, the median batch, where there is one; real time for what times itself or waits; otherwise CPU time)")
    parser.add_argument("--any-load", action="store_true", help="even if others want the CPUs, before or meanwhile")
    parser.add_argument("--out", type=files_name, default=ROOT / "results" / out, metavar="NAME", help="files' common name, without ending")


def add_live(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--filter", default="", metavar="REGEX", help="benchmarks (default: all; of false-alarms some quick ones)")
    parser.add_argument("--runs", type=positive, default=LEAST_RUNS,
                        help=f"process runs a side; below {LEAST_RUNS} nothing can be told (default: %(default)s)")
    parser.add_argument("--repetitions", type=positive, default=3,
                        help="in a process run, which counts as their median (default: %(default)s)")
    parser.add_argument("--min-time", type=seconds, default=0.02, help="seconds a repetition (default: %(default)s)")
    parser.add_argument("--patience", type=patience, default=180, metavar="SECONDS",
                        help="how long to wait for a quiet machine (default: %(default)s)")


def parse_arguments(words: list[str] | None = None) -> argparse.Namespace:
    parser = OneLine(prog="compare.py", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True, metavar="KIND")
    for work, kind, about in ((binaries, "binaries", "two programs"), (commits, "commits", "two commits, which are built first"),
                              (strategies, "strategies", "two strategies or flavours of one program")):
        one = kinds.add_parser(kind, help=about)
        for side in "AB":
            one.add_argument(side, type=program if work is binaries else str)
        add_live(one)
        add_shared(one, "compare")
        one.set_defaults(work=work)
        if work is strategies:
            one.add_argument("--program", type=program, default=BENCH)
            one.add_argument("--contexts", metavar="LIST", help="such as none,rq_lock (default: all)")
    for work, kind, about in ((files, "files", "files of Google Benchmark"), (runs, "runs", "run directories of srcutorture")):
        one = kinds.add_parser(kind, help=about)
        one.add_argument("pair", type=Path, nargs="*", metavar="A B")
        for side in ("--a", "--b", "--again"):
            one.add_argument(side, type=Path, nargs="+", action="extend", default=[], metavar="NAME",
                             help="a second series of A, for the noise floor" if side == "--again" else f"more of side {side[2:].upper()}")
        add_shared(one, "compare")
        one.set_defaults(work=work)
    one = kinds.add_parser("false-alarms", help="compares the same with the same")
    one.add_argument("--simulated", type=positive, default=100, help="comparisons (default: %(default)s)")
    one.add_argument("--real", type=from_zero, default=10, help="comparisons (default: %(default)s)")
    one.add_argument("--program", type=program, default=BENCH)
    add_live(one)
    add_shared(one, "compare-false-alarms")
    one.set_defaults(filter=QUICK)
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    arguments = parse_arguments(words)
    arguments.command = shlex.join(["scripts/compare.py", *(sys.argv[1:] if words is None else words)])
    try:
        if arguments.kind == "false-alarms":
            return count_false_alarms(arguments)
        compared = arguments.work(arguments)
        verdicts = judged(compared, arguments.any_load)
        deliver(compared, verdicts, arguments.out)
    except CannotCompare as error:
        print(f"compare.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 3 if isinstance(error, CouldNotMeasure) else 2
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return status(verdicts)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # what was built is cleared away
    sys.exit(main())
