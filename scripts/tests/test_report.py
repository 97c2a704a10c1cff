"""The report on stored and on spoilt inputs: every number from the files, nothing that can act, no network."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from conftest import ROOT
from test_hlog import encoded

REPORT = ROOT / "scripts" / "report.py"
STORED = ROOT / "scripts" / "tests" / "data" / "run"


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return Path(shutil.copytree(STORED, tmp_path / "run"))


def report(*args: str | Path, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GITHUB_")}
    return subprocess.run([REPORT, *map(str, args)], capture_output=True, text=True, timeout=120,
                          env={**clean, **(env or {})})


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


def test_run_that_ended_at_once_has_a_page(run_dir: Path) -> None:
    """One grace period of each kind: no curve, but a page."""
    log = run_dir / "basic" / "gp.hlog"
    head = [line for line in log.read_text().splitlines(keepends=True) if not line.startswith("Tag=")]
    once = "0.000,1.000,0.002," + encoded(bytes([0xC7, 0x01, 2]))
    log.write_text("".join(head) + "".join(f"Tag={tag},{once}\n" for tag in ("gp.normal", "cb.delay")))
    done = report(run_dir)
    assert done.returncode == 0, done.stderr
    assert "Grace-period latency over time" in (run_dir / "report.html").read_text()


def test_numbers_are_those_of_the_files(run_dir: Path) -> None:
    verdict_file = run_dir / "basic" / "verdict.json"
    verdict = json.loads(verdict_file.read_text())
    verdict["counts"]["grace_periods"] = 123456789
    verdict_file.write_text(json.dumps(verdict))
    report(run_dir)
    assert "123,456,789" in (run_dir / "report.html").read_text()
    assert "123456789" in (run_dir / "summary.md").read_text()


def fail(run_dir: Path, message: str) -> None:
    for file in (run_dir / "verdict.json", run_dir / "basic" / "verdict.json"):
        verdict = json.loads(file.read_text())
        failure = {"check": "too_short_gp", "count": 3, "first_s": 1.25, "message": message, "evidence": "reader 0"}
        verdict |= {"verdict": "FAILURE", "signature": "too_short_gp:frame", "why": message, "failures": [failure],
                    "bound_per_hour_95": None}
        file.write_text(json.dumps(verdict))


def test_untrusted_text_cannot_act(run_dir: Path) -> None:
    evil = "<script>alert(1)</script>\n::error::x | `y`"
    fail(run_dir, evil)
    with (run_dir / "basic" / "console.log").open("a") as console:
        console.write("</pre><img src=x onerror=alert(2)>\n")
    assert report(run_dir).returncode == 0
    page = (run_dir / "report.html").read_text()
    assert "<script" not in page and "<img src=x" not in page
    assert "too_short_gp:frame" in page and "3 times" in page


def test_junit_counts_failures_and_errors(run_dir: Path) -> None:
    fail(run_dir, "a <b> & \x00 c")
    report(run_dir)
    suite = ET.parse(run_dir / "junit.xml").getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("1", "1", "0")
    assert suite.find("testcase/failure").get("message") == "too_short_gp:frame"


def test_github_annotations(run_dir: Path, tmp_path: Path) -> None:
    fail(run_dir, "50% bad\nsecond line")
    steps = tmp_path / "steps.md"
    done = report(run_dir, env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(steps)})
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert len(lines) == 1
    assert lines[0].startswith("::error title=srcutorture basic FAILURE::")
    assert "50%25 bad%0Asecond line" in lines[0]
    assert "FAILURE" in steps.read_text()


@pytest.mark.parametrize("missing", ["verdict.json", "basic/verdict.json", "basic/gp.hlog", "basic/stats.jsonl",
                                     "basic/events.jsonl", "basic/console.log", "manifest.json", "topology.svg", "basic"])
def test_missing_parts_are_no_obstacle(run_dir: Path, missing: str) -> None:
    target = run_dir / missing
    shutil.rmtree(target) if target.is_dir() else target.unlink()
    done = report(run_dir)
    assert done.returncode == 0, done.stderr
    if "verdict" in missing or missing == "basic":
        assert "INTERRUPTED" in (run_dir / "report.html").read_text()


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


def test_several_runs_side_by_side(run_dir: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(run_dir, tmp_path / "other"))
    done = report(run_dir, other, "--out", tmp_path / "both.html")
    assert done.returncode == 0, done.stderr
    page = (tmp_path / "both.html").read_text()
    assert "Side by side" in page and "other" in page
