"""The report on stored and on spoilt inputs: every number from the files, nothing that can act, no network."""

from __future__ import annotations

import json
import re
import resource
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest
from conftest import REPORT, ROOT, fail, report
from test_hlog import encoded

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report import hlog, text
from lib.report.load import load_run
from lib.report.page import render
from matplotlib.figure import Figure

STACKS = """stacks of process 7 by gdb
[New LWP 8]

Thread 2 (Thread 0x7f (LWP 9) "reader/0"):
#0  urcu_read_unlock () at urcu.h:1

Thread 3 (Thread 0x7f (LWP 8) "updater/0"):
#0  0x00007f in __libc_pause () at pause.c:29
#1  __pause_way_down (x=1) at pause.c:3
#2  0x000055 in synchronize () at stuck_gp.cpp:15
#3  wait<torture::Updater::pass(int)::<lambda()> > () at grace.hpp:79
"""


def test_page_is_one_file_without_network(run_dir: Path) -> None:
    done = report(run_dir)
    assert done.returncode == 0, done.stderr
    page = (run_dir / "report.html").read_text()
    assert page.index("SUCCESS") < page.index("<img")
    assert "95 % confidence" in page
    assert json.loads((run_dir / "plan.json").read_text())["rerun"].split()[-1] in page
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<script" not in page
    assert page.count("data:image/png") >= 6
    assert not list(run_dir.rglob("*.tmp"))


def end_at_once(run_dir: Path) -> None:
    """Makes a run of it that saw one grace period of each kind."""
    log = run_dir / "basic" / "gp.hlog"
    head = [line for line in log.read_text().splitlines(keepends=True) if not line.startswith("Tag=")]
    once = "0.000,1.000,0.002," + encoded(bytes([0xC7, 0x01, 2]))
    log.write_text("".join(head) + "".join(f"Tag={tag},{once}\n" for tag in ("gp.normal", "cb.delay")))


def test_run_that_ended_at_once_has_a_page(run_dir: Path) -> None:
    """No curve, but a page."""
    end_at_once(run_dir)
    done = report(run_dir)
    assert done.returncode == 0, done.stderr
    assert "Grace-period latency over time" in (run_dir / "report.html").read_text()


def test_numbers_are_those_of_the_files(run_dir: Path) -> None:
    verdict_file = run_dir / "basic" / "verdict.json"
    verdict = json.loads(verdict_file.read_text())
    verdict["counts"]["grace_periods"] = 123456789
    verdict_file.write_text(json.dumps(verdict))
    plan = json.loads((run_dir / "plan.json").read_text())
    plan["scenarios"][0]["pus"] = "4,6-7"
    (run_dir / "plan.json").write_text(json.dumps(plan))
    report(run_dir)
    assert "on CPUs 4,6-7" in (run_dir / "report.html").read_text()
    assert "123,456,789" in (run_dir / "report.html").read_text()
    assert "123,456,789" in (run_dir / "summary.md").read_text()


def test_untrusted_text_cannot_act(run_dir: Path) -> None:
    evil = "<script>alert(1)</script>\n::error::x | `y`"
    fail(run_dir, evil)
    with (run_dir / "basic" / "console.log").open("a") as console:
        console.write("</pre><img src=x onerror=alert(2)>\n")
    assert report(run_dir).returncode == 0
    page = (run_dir / "report.html").read_text()
    assert "<script" not in page and "<img src=x" not in page
    assert "too_short_gp:frame" in page and "3 times" in page


@pytest.mark.parametrize("missing", ["verdict.json", "basic/verdict.json", "basic/gp.hlog", "basic/stats.jsonl",
                                     "basic/events.jsonl", "basic/console.log", "manifest.json", "topology.svg", "basic"])
def test_missing_parts_are_no_obstacle(run_dir: Path, missing: str) -> None:
    target = run_dir / missing
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    done = report(run_dir)
    assert done.returncode == 0, done.stderr
    if "verdict" in missing or missing == "basic":
        assert "INTERRUPTED" in (run_dir / "report.html").read_text()


def test_what_was_cut_short_shows_its_samples(run_dir: Path) -> None:
    for file in (run_dir / "verdict.json", run_dir / "basic" / "verdict.json"):
        file.unlink()
    plan = json.loads((run_dir / "plan.json").read_text())
    plan["scenarios"].append({**plan["scenarios"][0], "dir": "LATER"})
    (run_dir / "plan.json").write_text(json.dumps(plan))
    report(run_dir)
    page = (run_dir / "report.html").read_text()
    last = json.loads((run_dir / "basic" / "stats.jsonl").read_text().splitlines()[-1])
    assert f"{last['gps']:,}" in page and f"{last['reads']:,}" in page
    assert page.count("<strong>INTERRUPTED</strong>") == 1, "what never started is no failure"
    assert "it was not started" in page


def test_stall_is_told_with_the_threads(run_dir: Path) -> None:
    fail(run_dir, "updater 0 waits", "HANG", "stalled_gp")
    (run_dir / "basic" / "stacks.txt").write_text(STACKS)
    report(run_dir)
    page = (run_dir / "report.html").read_text()
    assert "never ended" in page and "Red triangle" in page
    assert page.index("<strong>updater/0</strong> <code>__libc_pause ← synchronize ← wait") < page.index("<strong>reader/0</strong>")
    assert "[New LWP" not in page


def test_skipped_is_no_failure(run_dir: Path) -> None:
    shutil.copytree(run_dir / "basic", run_dir / "other")
    plan = json.loads((run_dir / "plan.json").read_text())
    plan["scenarios"].append({**plan["scenarios"][0], "dir": "other"})
    (run_dir / "plan.json").write_text(json.dumps(plan))
    (run_dir / "other" / "verdict.json").write_text(json.dumps({"verdict": "SKIPPED", "why": "no expedited here"}))
    report(run_dir)
    page = (run_dir / "report.html").read_text()
    assert "<p>None.</p>" in page and "no expedited here" in page and "Side by side" in page


@pytest.mark.parametrize("file", ["stats.jsonl", "events.jsonl", "gp.hlog", "verdict.json"])
def test_cut_files_are_no_obstacle(run_dir: Path, file: str) -> None:
    target = run_dir / "basic" / file
    whole = target.read_bytes()
    for size in (1, len(whole) // 2, len(whole) - 1):
        target.write_bytes(whole[:size])
        done = report(run_dir)
        assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("kind", ["missing", "file", "empty", "foreign"])
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, kind: str) -> None:
    target = tmp_path / "x"
    if kind == "file":
        target.write_text("x")
    elif kind != "missing":
        target.mkdir()
        if kind == "foreign":
            (target / "plan.json").write_text("[]")
    done = report(target)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (target / "report.html").exists()


def test_unwritable_is_broken(run_dir: Path) -> None:
    done = report(run_dir, "--out", "/proc/nowhere/report.html")
    assert done.returncode == 3
    assert "--out" in done.stderr


def test_full_disk_leaves_no_part_of_a_page(run_dir: Path) -> None:
    """A limit on file sizes stands in for it: the same write fails in the same place."""
    done = report(run_dir, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384)))
    assert done.returncode == 3
    assert f"{run_dir / 'report.html'}'; raise the limit on file sizes" in done.stderr, done.stderr
    assert ".tmp" not in done.stderr
    assert not list(run_dir.rglob("*.tmp")) and not (run_dir / "report.html").exists()


def test_near_empty_runs_side_by_side_warn_of_nothing(run_dir: Path, tmp_path: Path) -> None:
    """One grace period is a distribution, but no line of percentiles."""
    other = Path(shutil.copytree(run_dir, tmp_path / "other" / "run"))
    for run in (run_dir, other):
        end_at_once(run)
    done = report(run_dir, other, "--out", tmp_path / "both.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Side by side" in (tmp_path / "both.html").read_text()


def test_several_runs_side_by_side(run_dir: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run_dir, tmp_path / "other" / "run"))
    fail(other, "one of two")
    done = report(run_dir, other, "--out", tmp_path / "both.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "both.html").read_text()
    assert "Side by side" in page and "one of two" in page
    ids = re.findall(r'id="([^"]*)"', page)
    assert len(ids) == len(set(ids)), "runs of one name are told apart"
    assert {link[1:] for link in re.findall(r'href="(#[^"]*)"', page)} <= set(ids)


def test_each_interval_is_decoded_and_each_figure_drawn_once(run_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What made reports of long runs slow; counted, since clocks differ."""
    done = Counter()

    def counted(module: object, name: str) -> None:
        plain = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *args, **kwargs: (done.update([name]), plain(*args, **kwargs))[1])

    counted(hlog, "inflate")
    counted(hlog, "decode")
    counted(text.json, "loads")
    counted(Figure, "draw")
    run = load_run(run_dir)
    page = render([run], REPORT.parent / "lib" / "report" / "report.html.j2")
    lines = {name: (run_dir / "basic" / name).read_text().splitlines() for name in ("gp.hlog", "stats.jsonl", "events.jsonl")}
    tags = [line.split(",")[0] for line in lines["gp.hlog"] if line.startswith("Tag=")]
    assert done["inflate"] == len(tags) > 0
    assert done["decode"] == len(set(tags)), "many intervals at a time"
    until_end = next(i for i, line in enumerate(lines["events.jsonl"], 1) if '"event":"end"' in line)
    objects = 4  # plan, manifest, and both verdicts
    assert done["loads"] == len(lines["stats.jsonl"]) + until_end + objects
    assert done["draw"] == page.count("data:image/png")
