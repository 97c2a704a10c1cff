"""Google Benchmark's programs and what they wrote, and what one may say from it: minima, medians, and their ratios."""

from __future__ import annotations

import json
import platform
import re
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .strategies.machine import model

AGAIN = "-again"  # the same benchmark a second time: what ratio one gets when there is no difference
HOW = re.compile(r"/(?:iterations|repeats|grace_periods|callbacks|heads):\d+|/min_time:[\d.]+|/(?:manual|real)_time(?=/|$)")
BY_ITSELF = re.compile(r"/(?:manual|real)_time(?:/|$)")
TIMES = ("cpu_time", "real_time")
BATCH = "each_ns"  # a post's part of the median batch: says more than the mean of all, which is the benchmark's time
UNITS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}


class CannotCompare(Exception):
    """One line: what is wrong, and what to do."""


class CouldNotMeasure(CannotCompare):
    """What was asked for is right, but it did not run to its end."""


@dataclass
class Measured:
    """One run of the program: all repetitions of each benchmark, in nanoseconds, and its counters (both times among them)."""

    context: dict[str, Any]
    full_names: dict[str, str] = field(default_factory=dict)  # with what HOW leaves out
    times: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    counters: dict[str, dict[str, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def of(self, name: str) -> list[float]:
        if name not in self.times:
            raise CannotCompare(f"the benchmark {name} was not run; build srcu_bench from these sources")
        return self.times[name]

    def counter(self, name: str, counter: str) -> list[float]:
        self.of(name)
        return self.counters[name].get(counter, [])


def time_of(entry: dict[str, Any]) -> float:
    """CPU time, unless the benchmark measured by itself."""
    which = "real_time" if BY_ITSELF.search(entry["run_name"]) else "cpu_time"
    return entry[which] * UNITS[entry["time_unit"]]


def checked(entry: dict[str, Any]) -> dict[str, Any]:
    """With a run_name, which old versions lack; raises KeyError if it has no figures."""
    if not entry.get("error_occurred"):
        _ = [float(entry[key]) * UNITS[entry["time_unit"]] for key in TIMES]
    return {**entry, "run_name": str(entry["run_name"] if "run_name" in entry else entry["name"]),
            "repetition_index": int(entry.get("repetition_index", 0))}


def parse(text: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The context and the single repetitions. Refuses what a debug or sanitizer build measured."""
    try:
        found = json.loads(text)
        context = dict(found["context"])
        entries = [checked(e) for e in found["benchmarks"] if e.get("run_type", "iteration") == "iteration"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise CannotCompare(f"this is not Google Benchmark's JSON ({error}); run srcu_bench with --benchmark_format=json") from error
    build = context.get("srcu_build", "unknown")
    if build != "release":
        raise CannotCompare(f"srcu_bench is a {build} build, whose figures mean nothing beside others; build the preset release")
    return context, entries


def measured_of(context: dict[str, Any], entries: list[dict[str, Any]]) -> Measured:
    measured = Measured(context)
    for entry in entries:
        if entry.get("error_occurred"):
            raise CannotCompare(f"{entry['run_name']} failed: {entry.get('error_message')}")
        name = HOW.sub("", entry["run_name"])
        measured.full_names.setdefault(name, entry["run_name"])
        measured.times[name].append(time_of(entry))
        for key, value in entry.items():
            if isinstance(value, float) and not key.endswith("_time"):
                measured.counters[name][key].append(value)
        for key in TIMES:
            measured.counters[name][key].append(entry[key] * UNITS[entry["time_unit"]])
    return measured


def own_metric(measured: Measured, name: str) -> str:
    """The counter that says what this benchmark costs; empty if its time does."""
    return BATCH if measured.counter(name, BATCH) else ""


def read(text: str) -> Measured:
    """Refuses what a debug or sanitizer build measured."""
    return measured_of(*parse(text))


def call(program: Path, *options: str, env: dict[str, str] | None = None) -> str:
    """What the program prints; of that, what is no UTF-8 is shown as such."""
    try:
        done = subprocess.run([program, *options], capture_output=True, check=True, env=env)
    except (OSError, ValueError) as error:
        raise CannotCompare(f"cannot run {program}: {getattr(error, 'strerror', error)}; build the target srcu_bench") from error
    except subprocess.CalledProcessError as error:
        last = " ".join(error.stderr.decode(errors="backslashreplace").strip()[-200:].split())
        raise CouldNotMeasure(f"{program} ended with status {error.returncode}: {last}") from error
    try:
        return done.stdout.decode()
    except UnicodeDecodeError as error:
        raise CannotCompare(f"what {program} prints is no text ({error.reason}); build the target srcu_bench") from error


def run(program: Path, *options: str, env: dict[str, str] | None = None) -> Measured:
    return read(call(program, "--benchmark_format=json", *options, env=env))


def exactly(names: list[str]) -> str:
    """A filter for these, in the part of the syntax that all of Google Benchmark's regular expressions share."""
    escaped = [re.sub(r"([.+*?^$|(){}[\]\\])", r"\\\1", name) for name in names]
    return f"--benchmark_filter=^({'|'.join(escaped)})$"


def read_file(path: Path) -> Measured:
    try:
        return read(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CannotCompare(f"cannot read {path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CannotCompare(f"{path} is no text ({error.reason}); name a file of Google Benchmark") from error


def machine() -> dict[str, str]:
    """What figures depend on."""
    urcu = subprocess.run(["pkg-config", "--modversion", "liburcu"], capture_output=True, text=True)
    return {"cpu": model(), "kernel": platform.release(), "libc": " ".join(platform.libc_ver()),
            "liburcu": urcu.stdout.strip() or "unknown"}


def again(name: str) -> str:
    """The benchmark's second copy: read/urcu-memb/threads:1 -> read/urcu-memb-again/threads:1."""
    group, subject, *rest = name.split("/")
    return "/".join([group, subject + AGAIN, *rest])
