"""Sides that have run already: files of Google Benchmark, and run directories of srcutorture."""

from __future__ import annotations

from itertools import groupby
from pathlib import Path
from typing import Any

from ..bench import CannotCompare, Measured, measured_of, parse
from ..report.load import GOOD, NoRun, Run, Scenario, load_run
from ..report.strategies import is_strategies
from ..report.text import member, number
from .sides import Side

PROCESS_RUNS = "srcu_process_runs"  # in the context: each repetition of this file is a process run of its own
LEAST_BEYOND = 10  # grace periods beyond a percentile, for it to say anything
WORK = {"reads": "read", "grace_periods": "grace_period", "callbacks_invoked": "callback"}


def runs_of(path: Path) -> list[Measured]:
    """A file of Google Benchmark is one process run, however many repetitions it has; one of compare.py says how many."""
    try:
        context, entries = parse(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotCompare(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CannotCompare(f"{path} is no text ({error.reason}); name a file of Google Benchmark") from error
    except CannotCompare as error:
        raise CannotCompare(f"{path}: {error}") from error
    if PROCESS_RUNS not in context:
        return [measured_of(context, entries)]
    entries = sorted(entries, key=lambda entry: entry["repetition_index"])
    return [measured_of(context, list(of_run)) for _, of_run in groupby(entries, lambda entry: entry["repetition_index"])]


def files_side(label: str, paths: list[Path], subject: str = "") -> Side:
    return Side(label, ", ".join(map(str, paths)), [run for path in paths for run in runs_of(path)], subject)


def scenario_costs(scenario: Scenario) -> dict[str, float]:
    """Latencies, and the time that a piece of work took."""
    latency, counts = member(scenario.verdict, "gp_latency_ns"), member(scenario.verdict, "counts")
    seconds, periods = number(scenario.verdict.get("duration_s")), number(latency.get("count"))
    found = {f"{scenario.name}/gp_p{percent}": number(latency.get(f"p{percent}"))
             for percent in (50, 99) if periods * (100 - percent) / 100 >= LEAST_BEYOND}
    found |= {f"{scenario.name}/time_a_{word}": 1e9 * seconds / number(counts[key])
              for key, word in WORK.items() if number(counts.get(key))}
    return {name: value for name, value in found.items() if value > 0}


def checked(run: Run) -> dict[str, Any]:
    """The build, of a run that went well."""
    build = member(member(run.manifest, "machine"), "build")
    if build.get("type") != "Release":
        raise CannotCompare(f"{run.dir} is of a {build.get('type', 'unknown')} build, whose figures mean nothing beside others; "
                            "run one of the preset release")
    if run.word not in GOOD:
        raise CannotCompare(f"{run.dir} is {run.word}: only runs that ended in SUCCESS say how fast something is")
    return build


def torture_side(label: str, paths: list[Path]) -> Side:
    """Each run directory is one run."""
    side = Side(label, ", ".join(map(str, paths)))
    for path in paths:
        try:
            run = load_run(path)
        except NoRun as error:
            if is_strategies(path):
                raise CannotCompare(f"{path} is a run of strategies.py; compare what its processes wrote: compare.py files "
                                    f"--a {path}/run-*.json --b ...") from error
            raise CannotCompare(str(error)) from error
        measured = Measured({"srcu_build": "release", "git": checked(run).get("git"), "date": run.manifest.get("started", "")})
        for scenario in run.scenarios:
            for name, value in scenario_costs(scenario).items():
                measured.full_names[name] = f"{name}/manual_time"
                measured.times[name].append(value)
                for time in ("cpu_time", "real_time"):
                    measured.counters[name][time].append(value)
        side.runs.append(measured)
    return side
