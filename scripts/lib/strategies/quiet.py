"""Processes of srcu_bench that ran while nobody else wanted the CPUs."""

from __future__ import annotations

import sys
from collections.abc import Callable

from ..bench import Measured
from ..report.strategies import OTHERS
from . import machine


def tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def watched(process: Callable[[], Measured]) -> Measured:
    """Says in its context how many CPUs others kept busy, where that can be known."""
    before = machine.Used.now()
    measured = process()
    if (others := machine.others(before, machine.Used.now())) is not None:
        measured.context["others"] = others
    return measured


def too_loud(measured: Measured) -> bool:
    return measured.context.get("others", 0.0) > OTHERS * machine.cpus()


def tries_for(processes: int) -> int:
    """How many of them may run once more."""
    return processes // 3


def one_quiet_process(process: Callable[[], Measured], number: int, tries: int) -> tuple[Measured, int]:
    """Once more, if somebody else kept the CPUs busy and there are tries left; the last one stays, loud or not."""
    while True:
        measured = process()
        if not too_loud(measured):
            return measured, tries
        tell(f"process {number + 1}: others kept {measured.context['others']:.2g} CPUs busy{'; once more' if tries else ''}")
        if not tries:
            return measured, tries
        tries -= 1
