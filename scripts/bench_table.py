#!/usr/bin/python3
"""The library's speed against liburcu's and against plain instructions: a table, a JSON file and a picture.

Runs srcu_bench, in which both stand inlined side by side, with all repetitions of all that it needs in random order, and compares
minima and medians. "Same against same" is the ratio that two copies of one benchmark give: smaller differences say nothing.
"""

from __future__ import annotations

import argparse
import datetime
import json
import statistics
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.bench import CannotCompare, Measured, Ratio, again, machine, read_file, run
from lib.report.speed import draw
from lib.report.text import latency

ROOT = Path(__file__).resolve().parents[1]

NOTES = ("- Pairs, posts and grace periods without readers: CPU time of the thread. liburcu is inlined, as a C program has it. Pairs "
         "stand at four places in memory each, since that alone moves figures of so few instructions.",
         "- No reader: nobody is in a section, but the updater itself is a registered thread, on both sides.",
         "- Busy reader: sections of a microsecond, on a CPU of its own; medians of one grace period a section at most.",
         "- Posts: bursts of 4096. Time a callback: wall time while one thread posts as fast as it can, until the last has run. "
         "While the helper needs less CPU time than the poster, the backlog is bounded by how long others have the helper's CPU.",
         "- Waiters: asleep in synchronize_srcu() when the section ends that they wait for.")


@dataclass
class Row:
    """Our benchmark may take `bar` times as long as theirs."""

    cost: str
    ours: str
    theirs: str
    bar: float
    has_floor: bool = True


def rows() -> list[Row]:
    found = []
    for threads in (1, 2):
        end, who = f"threads:{threads}", "1 thread" if threads == 1 else f"{threads} threads"
        found += [Row(f"srcu_read_lock_fast pair, {who}, to memb's", f"read/srcu-fast/{end}", f"read/urcu-memb/{end}", 0.8),
                  Row(f"the same to two plain increments, {who}", f"read/srcu-fast/{end}", f"read/plain_inc_pair/{end}", 3),
                  Row(f"srcu_read_lock pair, {who}, to mb's", f"read/srcu/{end}", f"read/urcu-mb/{end}", 0.5)]
    for kind in ("srcu-fast", "srcu"):
        domain = "fast domain" if kind == "srcu-fast" else "normal domain"
        found += [Row(f"synchronize_srcu_expedited, {domain}, no reader, to memb's", f"synchronize/{kind}-expedited/readers:0",
                      "synchronize/urcu-memb/readers:0", 1),
                  Row(f"the same, 1 busy reader, {domain}", f"synchronize/{kind}-expedited/readers:1", "synchronize/urcu-memb/readers:1", 1),
                  Row(f"call_srcu post, {domain}, to call_rcu's", f"post/{kind}/none", "post/urcu-memb/none", 1),
                  Row(f"call_srcu to callback, expedited, {domain}", f"invoke/{kind}-expedited", "invoke/urcu-memb", 0.05),
                  Row(f"time a callback, one poster, {domain}", f"throughput/{kind}", "throughput/urcu-memb", 1)]
    found += [Row("grace period, 256 threads that ever read, to 16", "synchronize/srcu/ever:256", "synchronize/srcu/ever:16", 16, False),
              Row("the same, 4096 to 256", "synchronize/srcu/ever:4096", "synchronize/srcu/ever:256", 16, False)]
    return found


def rounded(times: list[float]) -> list[float]:
    return [float(f"{time:.4g}") for time in times]


def compared(row: Row, measured: Measured) -> dict[str, Any]:
    ours, theirs = measured.of(row.ours), measured.of(row.theirs)
    floor = Ratio.of(measured.of(again(row.theirs)), theirs) if row.has_floor else None
    return {**asdict(row), "ours_ns": rounded(ours), "theirs_ns": rounded(theirs), "ratio": asdict(Ratio.of(ours, theirs)),
            "floor": asdict(floor) if floor else None}


def sizes(measured: Measured) -> dict[str, float]:
    """What is counted, not timed: the worst of all repetitions."""
    found = {f"grace periods for 64 waiters, {kind} (bar: 4)": max(measured.counter(f"synchronize/{kind}/waiters:64", "grace_periods"))
             for kind in ("srcu", "srcu-fast")}
    found["bytes of a used domain"] = max(measured.counter("domain/srcu", "bytes"))
    found["bytes for each thread that read in a domain"] = max(measured.counter("synchronize/srcu/ever:4096", "bytes")) / 4096
    for kind in ("srcu", "srcu-fast", "urcu-memb"):
        most, share = (measured.counter(f"throughput/{kind}", counter) for counter in ("backlog", "helper_share"))
        found |= {f"callbacks that wait at most, {kind}, quietest repetition": min(most),
                  f"callbacks that wait at most, {kind}, median": statistics.median(most),
                  f"CPU time of the helper to the poster's, {kind}, median": statistics.median(share)}
    return found


def needed() -> set[str]:
    names = {"domain/srcu", "synchronize/srcu/ever:4096", "throughput/srcu", "throughput/srcu-fast", "throughput/urcu-memb",
             *(f"synchronize/{kind}/waiters:64" for kind in ("srcu", "srcu-fast"))}
    for row in rows():
        names |= {row.ours, row.theirs} | ({again(row.theirs)} if row.has_floor else set())
    return names


def measure(arguments: argparse.Namespace) -> Measured:
    run(arguments.program, "--benchmark_filter=read/empty_loop/threads:1", "--benchmark_min_time=0.001")  # the wrong build says so at once
    return run(arguments.program, f"--benchmark_filter=^({'|'.join(sorted(needed()))})(/|$)",
               "--benchmark_enable_random_interleaving=true", f"--benchmark_repetitions={arguments.repetitions}",
               f"--benchmark_min_time={arguments.min_time}")


def one_run(measured: Measured) -> dict[str, Any]:
    context = {key: measured.context.get(key) for key in ("date", "num_cpus", "mhz_per_cpu", "load_avg", "srcu_build")}
    return {"context": context, "rows": [compared(row, measured) for row in rows()], "counted": sizes(measured)}


def judged(ratio: dict[str, float], bar: float) -> str:
    over = {name: value / bar - 1 for name, value in ratio.items() if value > bar}
    if not over:
        return "met"
    return "missed " + " and ".join(f"by {100 * value:.0f} % on {name}" for name, value in over.items())


def table(found: dict[str, Any]) -> list[str]:
    lines = ["| cost | ours, min / median | theirs, min / median | ratio on minima | on medians | same against same | bar | |",
             "|---|---|---|---|---|---|---|---|"]
    for row in found["rows"]:
        ours, theirs, ratio, floor = row["ours_ns"], row["theirs_ns"], row["ratio"], row["floor"]
        lines.append(f"| {row['cost']} | {latency(min(ours))} / {latency(statistics.median(ours))} "
                     f"| {latency(min(theirs))} / {latency(statistics.median(theirs))} | **{ratio['minima']:.2g}** | {ratio['medians']:.2g} "
                     f"| {f'''{floor['minima']:.2f} / {floor['medians']:.2f}''' if floor else ''} "
                     f"| {row['bar']:g} | {judged(ratio, row['bar'])} |")
    return [*lines, "", "| counted | |", "|---|---|", *(f"| {name} | {f'{value:,.0f}' if value >= 10 else f'{value:.2g}'} |" for name, value in found["counted"].items())]


def document(result: dict[str, Any]) -> str:
    words = ", ".join(f"{key} {value}" for key, value in result["machine"].items())
    lines = ["# The library's speed", "", f"Measured by `scripts/bench_table.py` on: {words}.",
             f"Each figure is from at least {result['repetitions']} repetitions, all benchmarks' in random order.", "", *NOTES, ""]
    for number, found in enumerate(result["runs"], 1):
        load = found["context"].get("load_avg") or [0]
        lines += [f"## Run {number}", "", f"{found['context']['date']}; {found['context']['num_cpus']} CPUs, load {load[0]:.1f} at the start.", "",
                  *table(found), ""]
    return "\n".join(lines)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "srcu" / "bench" / "srcu_bench")
    parser.add_argument("--runs", type=int, default=1, help="processes, one table each")
    parser.add_argument("--repetitions", type=int, default=9)
    parser.add_argument("--min-time", type=float, default=0.02, help="seconds a repetition")
    parser.add_argument("--measured", type=Path, nargs="+", help="files that srcu_bench wrote, instead of running it")
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "srcu-speed", help="files' common name, without ending")
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    try:
        runs = [read_file(path) for path in arguments.measured] if arguments.measured else [measure(arguments) for _ in range(arguments.runs)]
        result = {"schema": 1, "kind": "srcu-speed", "machine": machine(), "runs": [one_run(run) for run in runs]}
        result["repetitions"] = min(len(row["ours_ns"]) for row in result["runs"][0]["rows"])
    except CannotCompare as error:
        print(f"bench_table.py: {error}", file=sys.stderr)
        return 2
    text = document(result)
    arguments.out.with_suffix(".md").write_text(text, encoding="utf-8")
    arguments.out.with_suffix(".json").write_text(json.dumps(result, indent=1), encoding="utf-8")
    draw(result).savefig(arguments.out.with_suffix(".png"), dpi=100)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
