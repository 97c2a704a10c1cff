#!/usr/bin/python3
"""Makes the report of a run, of a matrix, or of what strategies cost: report.html, summary.md and junit.xml in its directory.

With several run directories, one page that shows them side by side (--out, default ./report.html). A .json of
bench_table.py among them puts its picture on the page; alone, it gets the picture beside it, as a .png.
Under GitHub Actions (GITHUB_ACTIONS set) also prints annotations and adds to the job's summary.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

from lib.report.load import NoRun, Run, load_run
from lib.report.matrix import is_matrix, load_matrix
from lib.report.matrix_page import matrix_annotations, matrix_junit, matrix_summary, render_matrix
from lib.report.outputs import annotations, junit, summary
from lib.report.page import render
from lib.report.speed import draw, drawn, load_speed
from lib.report.strategies import is_strategies, load_strategies
from lib.report.strategies_page import render_strategies, strategies_summary

TEMPLATE = Path(__file__).resolve().parent / "lib" / "report" / "report.html.j2"
MATRIX_TEMPLATE = TEMPLATE.with_name("matrix.html.j2")
STRATEGIES_TEMPLATE = TEMPLATE.with_name("strategies.html.j2")


def write(path: Path, text: str) -> None:
    """In one step: a reader sees the old file or the new one, whole."""
    temporary = path.with_name(path.name + ".tmp")
    try:
        temporary.write_text(text, encoding="utf-8", errors="replace")
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise OSError(error.errno, error.strerror, str(path)) from error  # the file that was asked for


def cure(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "free some space, or choose an --out elsewhere"
    if error.errno == errno.EFBIG:
        return "raise the limit on file sizes (ulimit -f)"
    return "choose a writable --out"


def say(words: object) -> None:
    """To whoever reads it; if nobody can, the report is there all the same."""
    try:
        print(words, flush=True)
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left of it goes there


def beside(run: Path, files: dict[str, str], elsewhere: bool) -> None:
    """Into the run's directory. Where the page went elsewhere, as for a directory that cannot be written, a line will do."""
    for name, words in files.items():
        try:
            write(run / name, words)
        except OSError as error:
            if not elsewhere:
                raise
            print(f"report.py: no {name}: {error}", file=sys.stderr)


def tell_github(lines: list[str], words: str) -> None:
    if not os.environ.get("GITHUB_ACTIONS"):
        return
    for line in lines:
        say(line)
    if target := os.environ.get("GITHUB_STEP_SUMMARY"):
        try:
            with Path(target).open("a", encoding="utf-8") as file:
                file.write(words)
        except OSError as error:  # the report itself is there
            print(f"report.py: no summary for the job: {error}; mend GITHUB_STEP_SUMMARY", file=sys.stderr)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("runs", metavar="DIR", type=Path, nargs="+", help="run directory, such as results/latest")
    parser.add_argument("--out", type=Path, help="where the page goes (default: report.html in DIR)")
    return parser.parse_args()


def save(speed: dict[Path, dict[str, Any]], out: Path | None) -> int:
    """Pictures without a page."""
    for path, result in speed.items():
        picture = out or path.with_suffix(".png")
        draw(result).savefig(picture, dpi=100)
        say(picture)
    return 0


def report_matrix(path: Path, out: Path | None) -> Path:
    run = load_matrix(path)
    page = out or path / "report.html"
    write(page, render_matrix(run, MATRIX_TEMPLATE))
    beside(path, {"summary.md": matrix_summary(run), "junit.xml": matrix_junit(run)}, out is not None)
    tell_github(matrix_annotations(run), matrix_summary(run))
    return page


def report_strategies(path: Path, out: Path | None) -> Path:
    run = load_strategies(path)
    page = out or path / "report.html"
    write(page, render_strategies(run, STRATEGIES_TEMPLATE))
    beside(path, {"summary.md": strategies_summary(run)}, out is not None)
    tell_github([], strategies_summary(run))
    return page


KINDS = ((is_matrix, "a matrix", report_matrix), (is_strategies, "a measurement of strategies", report_strategies))


def alone(paths: list[Path], out: Path | None) -> Path | None:
    """The page of a directory whose kind has one of its own; nothing if there is none among these."""
    for path in paths:
        for is_one, what, make in KINDS:
            if not is_one(path):
                continue
            if len(paths) > 1:
                raise NoRun(f"{path} is {what}, which has a page of its own: name it alone")
            return make(path, out)
    return None


def main() -> int:
    arguments = parse_arguments()
    try:
        if page := alone(arguments.runs, arguments.out):
            say(page)
            return 0
        speed = {path: load_speed(path) for path in arguments.runs if path.suffix == ".json"}
        runs = [load_run(path) for path in arguments.runs if path not in speed]
        if not runs:
            return save(speed, arguments.out)
        single = len(runs) == 1
        page = arguments.out or (runs[0].dir if single else Path()) / "report.html"
        write(page, render(runs, TEMPLATE, [drawn(result) for result in speed.values()]))
        for run in runs if single else []:
            beside(run.dir, {"summary.md": summary(run), "junit.xml": junit(run)}, arguments.out is not None)
    except NoRun as error:
        print(f"report.py: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"report.py: cannot write the report: {error}; {cure(error)}", file=sys.stderr)
        return 3
    for run in runs:
        tell_github(annotations(run), summary(run))
    say(page)
    return 0


if __name__ == "__main__":
    sys.exit(main())
