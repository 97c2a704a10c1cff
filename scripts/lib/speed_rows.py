"""What the speed table holds against what, and what nine processes' figures say about it."""

from __future__ import annotations

import statistics
from dataclasses import asdict, dataclass
from typing import Any

from .bench import CannotCompare, Measured, again
from .report.judge import CANNOT_TELL, FASTER, NONE, Series, Verdict, judge


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


def word_of(verdict: Verdict) -> str:
    """Of ours to theirs at their bar: faster is met."""
    if verdict.ratio is None or verdict.interval is None:
        return f"{CANNOT_TELL}: {verdict.why}"
    if verdict.word == NONE:
        low, high = verdict.interval
        near = "the bar lies within the interval" if low <= 1 <= high else "the bar is no further away than the same is from itself"
        return f"{CANNOT_TELL}: {near}"
    return "met" if verdict.word == FASTER else f"missed by {100 * (verdict.ratio - 1):.0f} %"


def judged(row: Row, processes: list[Measured], loud: str) -> dict[str, Any]:
    def of(name: str) -> list[float]:
        return [statistics.median(one.of(name)) for one in processes]

    ours, theirs, copy = of(row.ours), of(row.theirs), of(again(row.theirs)) if row.has_floor else None
    series = Series(row.ours, "", [row.bar * time for time in theirs], ours, copies=[(theirs, copy)] if copy else [], paired=True)
    verdict = Verdict(CANNOT_TELL, loud) if loud else judge(series)
    return {**asdict(row), "ours_ns": rounded(ours), "theirs_ns": rounded(theirs), "again_ns": rounded(copy) if copy else None,
            "ratio": row.bar * verdict.ratio if verdict.ratio else None,
            "interval": [row.bar * end for end in verdict.interval] if verdict.interval else None,
            "same": verdict.same, "floor": verdict.floor, "verdict": word_of(verdict)}


def counters(processes: list[Measured], name: str, counter: str) -> list[list[float]]:
    found = [one.counter(name, counter) for one in processes]
    if not all(found):
        raise CannotCompare(f"the benchmark {name} does not give {counter}; build srcu_bench from these sources")
    return found


def sizes(processes: list[Measured]) -> dict[str, float]:
    """What is counted, not timed: the worst of all repetitions, or over the processes' medians."""
    def worst(name: str, counter: str) -> float:
        return max(map(max, counters(processes, name, counter)))

    found = {f"grace periods for 64 waiters, {kind} (bar: 4)": worst(f"synchronize/{kind}/waiters:64", "grace_periods")
             for kind in ("srcu", "srcu-fast")}
    found["bytes of a used domain"] = worst("domain/srcu", "bytes")
    found["bytes for each thread that read in a domain"] = worst("synchronize/srcu/ever:4096", "bytes") / 4096
    for kind in ("srcu", "srcu-fast", "urcu-memb"):
        most, share = ([statistics.median(values) for values in counters(processes, f"throughput/{kind}", counter)]
                       for counter in ("backlog", "helper_share"))
        found |= {f"callbacks that wait at most, {kind}, quietest process": min(most),
                  f"callbacks that wait at most, {kind}, median": statistics.median(most),
                  f"CPU time of the helper to the poster's, {kind}, median": statistics.median(share)}
    return found


def needed() -> set[str]:
    names = {"domain/srcu", "synchronize/srcu/ever:4096", "throughput/srcu", "throughput/srcu-fast", "throughput/urcu-memb",
             *(f"synchronize/{kind}/waiters:64" for kind in ("srcu", "srcu-fast"))}
    for row in rows():
        names |= {row.ours, row.theirs} | ({again(row.theirs)} if row.has_floor else set())
    return names
