"""What other programs read of a report: JUnit, Markdown, annotations."""

from __future__ import annotations

import json
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from conftest import REPORT, ROOT, fail, report

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report.load import Run, Scenario
from lib.report.outputs import annotations, code, junit, plain, summary

WORDS = {"SUCCESS": None, "SKIPPED": "skipped", "FAILURE": "failure", "DEADLOCK": "failure", "CRASH": "error", "HANG": "error",
         "BROKEN": "error", "INTERRUPTED": "error", "INCONCLUSIVE": "error"}


def a_run(words: list[str], **planned: str) -> Run:
    scenarios = [Scenario(Path(f"S{i}"), {"flavor": "f", **planned}, {"verdict": word, "why": f"why {i}"}) for i, word in enumerate(words)]
    return Run(Path("r"), {"name": "n", "rerun": "srcutorture run"}, {}, {"verdict": words[0]}, scenarios, "")


def test_junit_tells_failures_from_errors() -> None:
    root = ET.fromstring(junit(a_run(list(WORDS))))
    suite = root.find("testsuite")
    for element in (root, suite):
        assert [element.get(key) for key in ("tests", "failures", "errors")] == ["9", "2", "5"]
    assert suite.get("skipped") == "1"
    for case, (word, kind) in zip(suite.findall("testcase"), WORDS.items()):
        assert [child.tag for child in case if child.tag != "system-out"] == ([kind] if kind else []), word


def test_junit_says_where_and_when(run_dir: Path) -> None:
    manifest = json.loads((run_dir / "manifest.json").read_text())
    manifest["started"] = "2026-11-25T01:32:37+0200"
    manifest["machine"]["kernel"]["nodename"] = "box"
    (run_dir / "manifest.json").write_text(json.dumps(manifest))
    report(run_dir)
    suite = ET.parse(run_dir / "junit.xml").getroot().find("testsuite")
    assert (suite.get("hostname"), suite.get("timestamp")) == ("box", "2026-11-25T01:32:37")
    properties = {p.get("name"): p.get("value") for p in suite.iter("property")}
    assert properties["rerun"] == json.loads((run_dir / "plan.json").read_text())["rerun"]
    assert float(suite.get("time")) == pytest.approx(4, abs=0.5)


def test_junit_is_xml_whatever_the_text_holds(run_dir: Path) -> None:
    fail(run_dir, "a <b> & \x00 \x1b[31m \ud800 \uffff c")
    assert report(run_dir).returncode == 0
    failure = ET.parse(run_dir / "junit.xml").getroot().find("testsuite/testcase/failure")
    assert failure.get("message") == "too_short_gp:frame"
    assert "a <b> & \ufffd \ufffd[31m \ufffd \ufffd c" in failure.text


def test_github_annotations(run_dir: Path, tmp_path: Path) -> None:
    fail(run_dir, "50% bad\nsecond line")
    steps = tmp_path / "steps.md"
    done = report(run_dir, env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(steps), "GITHUB_WORKSPACE": str(ROOT)})
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert len(lines) == 1
    assert lines[0].startswith("::error file=torture/scenarios/basic.toml,line=1,title=srcutorture basic FAILURE::")
    assert "50%25 bad%0Asecond line" in lines[0]
    assert "FAILURE" in steps.read_text()


def test_summary_that_github_does_not_take_costs_a_line(run_dir: Path) -> None:
    done = report(run_dir, env={"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": "/nowhere/steps.md"})
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (0, 1), done.stderr
    assert "mend GITHUB_STEP_SUMMARY" in done.stderr
    assert done.stdout.splitlines()[-1].endswith("report.html")


def test_page_elsewhere_needs_nothing_of_the_run(run_dir: Path, tmp_path: Path) -> None:
    for name in ("summary.md", "junit.xml"):  # nothing can be put in the place of these
        (run_dir / name).unlink(missing_ok=True)
        (run_dir / name / "x").mkdir(parents=True)
    done = report(run_dir, "--out", tmp_path / "page.html")
    assert (done.returncode, len(done.stderr.strip().splitlines())) == (0, 2), done.stderr
    assert "no summary.md" in done.stderr and (tmp_path / "page.html").exists()
    assert report(run_dir).returncode == 3


def test_nobody_to_read_its_words_is_no_obstacle(run_dir: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([REPORT, run_dir], stdout=full, stderr=subprocess.PIPE, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert (run_dir / "report.html").exists()


def test_annotation_properties_cannot_be_broken_out_of() -> None:
    run = a_run(["FAILURE"], scenario="../scenarios/basic")
    run.scenarios[0].dir = Path("a:b,c%\r\n::x")
    assert annotations(run) == ["::error title=srcutorture a%3Ab%2Cc%25%0D%0A%3A%3Ax FAILURE::why 0"]


def test_no_more_annotations_than_are_shown() -> None:
    lines = annotations(a_run(["CRASH"] * 25 + ["SUCCESS"]))
    assert len(lines) == 10
    assert "16 more scenarios" in lines[-1]
    assert len(annotations(a_run(["CRASH"] * 10))) == 10


def test_summary_is_a_table_whatever_the_text_holds() -> None:
    run = a_run(["FAILURE", "SUCCESS"])
    run.scenarios[0].verdict["why"] = "x | y\n![z](http://evil) <img> `code` **b**"
    run.scenarios[0].verdict["signature"] = "a`b"
    lines = summary(run).splitlines()
    rows = [line for line in lines if line.startswith("| S")]
    assert [row.replace("\\|", "").count("|") for row in rows] == [8, 8]
    assert "\\[z\\]" in rows[0] and "&lt;img>" in rows[0] and "\\`code\\`" in rows[0]
    assert "- S0: `` a`b ``" in lines


def test_escapes() -> None:
    assert plain("a\\b & c") == "a\\\\b &amp; c"
    assert code("x") == "`x`" and code("`` `") == "``` `` ` ```"
