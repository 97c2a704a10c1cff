"""Whether anybody else wanted the CPUs while a process measured."""

from __future__ import annotations

from ..bench import Measured
from ..report.strategies import OTHERS
from ..report.text import number
from .sides import Side


def others_were_busy(run: Measured) -> str:
    """In words; empty if nobody else was, or nobody looked."""
    busy, cpus = number(run.context.get("others")), number(run.context.get("num_cpus"))
    return f"others kept {busy:.2g} of {cpus:.0f} CPUs busy" if cpus and busy > OTHERS * cpus else ""


def was_overbooked(run: Measured) -> str:
    """When it began."""
    load, cpus = run.context.get("load_avg"), number(run.context.get("num_cpus"))
    return f"load {number(load[0]):.1f} on {cpus:.0f} CPUs" if isinstance(load, list) and load and cpus and number(load[0]) > cpus else ""


def loud(sides: list[Side]) -> str:
    """The first that was, in words; empty if none."""
    for side in sides:
        for at, run in enumerate(side.runs, 1):
            if words := others_were_busy(run) or was_overbooked(run):
                return f"{words} when {side.label} was measured" + (f", run {at} of {len(side.runs)}" if len(side.runs) > 1 else "")
    return ""
