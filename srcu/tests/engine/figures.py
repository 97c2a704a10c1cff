"""Prints the figures of srcu/DESIGN.md's table, a row a test, from what scripts/mutants.py --engine --json and dropped.py --json wrote."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path


def rows(results: list[dict]) -> list[str]:
    told = []
    for result in results:
        for test in result["tests"]:
            executions, seconds = ([run[key] for run in test["runs"]] for key in ("executions", "cpu_s"))
            told.append(f"| {result['name']} | `{test['test']}` | {statistics.median(executions):.0f}, {max(executions)} | {max(seconds):.2f} |")
    return told


if __name__ == "__main__":
    print("\n".join(row for path in sys.argv[1:] for row in rows(json.loads(Path(path).read_text()))))
