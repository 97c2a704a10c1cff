#!/usr/bin/python3 -IS
"""Stands in for srcu_bench, without timing anything. Its settings are the JSON file beside it, of the same name.

"times": nanoseconds by name; "build": what it says it is; "scatter": each call's times differ by this share; "log": a file
that gets one line a call; "fail": the status with which it ends.
"""

import json
import re
import sys
from pathlib import Path

settings = json.loads(Path(__file__).with_suffix(".json").read_text())
options = dict(word.lstrip("-").partition("=")[::2] for word in sys.argv[1:])
names = [name for name in settings["times"] if re.search(options.get("benchmark_filter", ""), name)]
if "benchmark_list_tests" in options:
    print("\n".join(names))
    sys.exit()
log = Path(settings["log"])
calls = len(log.read_text().splitlines()) if log.exists() else 0
with log.open("a") as file:
    print(Path(__file__).stem, options["benchmark_filter"], file=file)
if settings.get("fail"):
    print("no memory", file=sys.stderr)
    sys.exit(settings["fail"])
repetitions = int(options.get("benchmark_repetitions", 1))
entries = []
for name in names:
    for repetition in range(repetitions):
        scatter = 1 + settings.get("scatter", 0.001) * (calls * 7 % 5 - 2)
        time = settings["times"][name] * scatter
        entries.append({"name": name, "run_name": name, "run_type": "iteration", "repetitions": repetitions, "repetition_index": repetition,
                        "threads": 1, "iterations": 1000, "cpu_time": time, "real_time": 2 * time, "time_unit": "ns", "p99_ns": 3 * time,
                        "bytes": 4096.0})
context = {"date": "today", "num_cpus": 4, "load_avg": [0.5, 0.5, 0.5], "srcu_build": settings.get("build", "release")}
print(json.dumps({"context": context, "benchmarks": entries}))
