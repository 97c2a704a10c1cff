#!/usr/bin/python3
"""The library's speed against liburcu's and against plain instructions: a table, a JSON file and a picture.

Runs srcu_bench, in which both stand inlined side by side, in several processes, all that the table needs in random order in each.
A process gives one number a benchmark, the median of its repetitions. "Same against same" is the ratio that two copies of one
benchmark give: smaller differences say nothing. A process beside which somebody else kept the CPUs busy runs once more; where it
stayed so, or more wanted to run at the start than there are CPUs, nothing is compared.

Exit status: 0 the table is there, whatever it says; 2 usage, or a build that is refused; 3 it could not be measured or written.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib import arguments as words
from lib.bench import CannotCompare, CouldNotMeasure, Measured, read_file, run
from lib.bench import machine as machine_facts
from lib.report.judge import CONFIDENCE, LEAST_RUNS
from lib.report.speed import draw
from lib.report import strategies
from lib.report.text import latency, number
from lib.speed_rows import judged, needed, rows, sizes
from lib.strategies import machine
from lib.strategies.compact import write
from lib.strategies.quiet import one_quiet_process, tell, tries_for, watched

ROOT = Path(__file__).resolve().parents[1]
SCHEMA = 2
ENDINGS = (".md", ".json", ".png")

NOTES = ("- Pairs, posts and grace periods without readers: CPU time of the thread. liburcu is inlined, as a C program has it. Pairs "
         "stand at four places in memory each, since that alone moves figures of so few instructions.",
         "- No reader: nobody is in a section, but the updater itself is a registered thread, on both sides.",
         "- Busy reader: sections of a microsecond, on a CPU of its own; medians of one grace period a section at most.",
         "- Posts: bursts of 4096. Time a callback: wall time while one thread posts as fast as it can, until the last has run. "
         "While the helper needs less CPU time than the poster, the backlog is bounded by how long others have the helper's CPU.",
         "- Waiters: asleep in synchronize_srcu() when the section ends that they wait for.",
         f"- Ratios: ours to theirs, of medians over the processes, with a bootstrap interval over these ({100 * CONFIDENCE:g} %). Met and "
         "missed are said if the interval lies wholly on one side of the bar, and the ratio is further from it than the same came out "
         "from itself. \"A\", where a machine is called loud, is theirs.")


@dataclass
class Start:
    """The machine before anything ran."""

    load: float
    cpus: int

    @staticmethod
    def of(measured: Measured) -> Start:
        load = measured.context.get("load_avg")
        return Start(number(load[0]) if isinstance(load, list) and load else 0.0, int(number(measured.context.get("num_cpus"))))

    @property
    def is_loud(self) -> bool:
        return 0 < self.cpus < self.load


def one_process(options: argparse.Namespace) -> Measured:
    return run(options.program, f"--benchmark_filter=^({'|'.join(sorted(needed()))})(/|$)", "--benchmark_enable_random_interleaving=true",
               f"--benchmark_repetitions={options.repetitions}", f"--benchmark_min_time={options.min_time}")


def measure(options: argparse.Namespace) -> list[Measured]:
    measured, tries, began = [], tries_for(options.runs), time.monotonic()
    for at in range(options.runs):
        one, tries = one_quiet_process(lambda: watched(lambda: one_process(options)), at, tries)
        measured.append(one)
        each = (time.monotonic() - began) / (at + 1)
        tell(f"process {at + 1} of {options.runs} done, {each:.0f} s each; {each * (options.runs - at - 1) / 60:.0f} min to go")
    return measured


def loudness(processes: list[Measured], start: Start) -> str:
    """In words; empty if nobody else was seen to want the CPUs."""
    return strategies.loudness(start.load, start.cpus, [one.context.get("others", math.nan) for one in processes])


def about(measured: Measured) -> dict[str, Any]:
    found = {key: measured.context.get(key) for key in ("date", "mhz_per_cpu", "load_avg", "srcu_build")}
    return found | ({"others": round(measured.context["others"], 3)} if "others" in measured.context else {})


def result_of(processes: list[Measured], start: Start) -> dict[str, Any]:
    loud = loudness(processes, start)
    return {"schema": SCHEMA, "kind": "srcu-speed", "machine": machine_facts(), "load_at_the_start": start.load, "cpus": start.cpus,
            "repetitions": min(len(one.of(row.ours)) for one in processes for row in rows()), "processes": [about(one) for one in processes],
            "rows": [judged(row, processes, loud) for row in rows()], "counted": sizes(processes)}


def cells(row: dict[str, Any]) -> list[str]:
    ratio, same = row["ratio"], row["same"]
    medians = [latency(statistics.median(row[side])) for side in ("ours_ns", "theirs_ns")]
    return [row["cost"], *medians, "" if ratio is None else "**{:.3g}** ({:.3g} to {:.3g})".format(ratio, *row["interval"]),
            "{:.3g} ({:.3g} to {:.3g})".format(*same) if same else "", f"{row['bar']:g}", row["verdict"]]


def table(found: dict[str, Any]) -> list[str]:
    lines = ["| cost | ours | theirs | ratio | same against same | bar | |", "|---|---|---|---|---|---|---|",
             *(f"| {' | '.join(cells(row))} |" for row in found["rows"])]
    return [*lines, "", "| counted | |", "|---|---|",
            *(f"| {name} | {f'{value:,.0f}' if value >= 10 else f'{value:.2g}'} |" for name, value in found["counted"].items())]


def document(found: dict[str, Any]) -> str:
    facts = ", ".join(f"{key} {value}" for key, value in found["machine"].items())
    processes = found["processes"]
    return "\n".join(["# The library's speed", "", f"Measured by `scripts/bench_table.py` on: {facts}.",
                      f"Began {processes[0]['date']}; {found['cpus']} CPUs, load {found['load_at_the_start']:.1f} at the start.",
                      f"Each figure is the median over processes, {len(processes)} of them, of medians over at least {found['repetitions']} "
                      "repetitions, all benchmarks' in random order.", "", *NOTES, "", *table(found), ""])


def parse_arguments() -> argparse.Namespace:
    parser = words.OneLine(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=words.program, default=ROOT / "build" / "release" / "srcu" / "bench" / "srcu_bench")
    parser.add_argument("--runs", type=words.positive, default=LEAST_RUNS,
                        help=f"processes; below {LEAST_RUNS} nothing can be told (default: %(default)s)")
    parser.add_argument("--repetitions", type=words.positive, default=3, help="in each process (default: %(default)s)")
    parser.add_argument("--min-time", type=words.seconds, default=0.02, help="seconds a repetition (default: %(default)s)")
    parser.add_argument("--measured", type=Path, nargs="+", metavar="FILE",
                        help="what processes of srcu_bench wrote, in their order, instead of running it")
    parser.add_argument("--out", type=words.files_name, default=ROOT / "results" / "srcu-speed", metavar="NAME",
                        help="files' common name, without ending")
    return parser.parse_args()


def check_place(out: Path) -> None:
    """Before an effort is made for files that nobody could write."""
    for target in (words.with_ending(out, ending) for ending in ENDINGS):
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                raise IsADirectoryError(0, "it is a directory")
            probe = words.with_ending(target, ".tmp")
            probe.touch()
            probe.unlink()
        except OSError as error:
            raise CannotCompare(f"cannot write {target}: {error.strerror}; choose another --out") from error


def measured_now(options: argparse.Namespace) -> tuple[list[Measured], Start]:
    start = Start(machine.load(), machine.cpus())
    # The wrong build says so at once.
    run(options.program, "--benchmark_filter=^read/empty_loop/threads:1$", "--benchmark_min_time=0.001")
    check_place(options.out)
    if start.is_loud:
        tell(f"a load of {start.load} on {start.cpus} CPUs: nothing will be compared")
    return measure(options), start


def measured_before(options: argparse.Namespace) -> tuple[list[Measured], Start]:
    processes = [read_file(path) for path in options.measured]
    check_place(options.out)
    return processes, Start.of(processes[0])


def deliver(found: dict[str, Any], out: Path) -> None:
    text = document(found)
    write(words.with_ending(out, ".md"), text)
    write(words.with_ending(out, ".json"), json.dumps(found, indent=1) + "\n")
    picture = words.with_ending(out, ".png.tmp")
    draw(found).savefig(picture, dpi=100, format="png")
    picture.replace(words.with_ending(out, ".png"))
    print(text)


def main() -> int:
    options = parse_arguments()
    try:
        deliver(result_of(*(measured_before if options.measured else measured_now)(options)), options.out)
    except CannotCompare as error:
        print(f"bench_table.py: {' '.join(str(error).split())}", file=sys.stderr)
        return 3 if isinstance(error, CouldNotMeasure) else 2
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        print(f"bench_table.py: cannot write {options.out}: {error.strerror}; choose another --out", file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
