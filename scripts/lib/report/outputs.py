"""What other programs read: JUnit's XML, a summary in Markdown, annotations for GitHub."""

from __future__ import annotations

import os
import re
import xml.etree.ElementTree as ET
from pathlib import Path

from . import text
from .load import GOOD, Run, Scenario
from .text import member, number

# JUnit's failure is an assertion that did not hold; its error, that the test could not come to its end.
FAILED = ("FAILURE", "DEADLOCK")
# XML 1.0 has no place for these, not even escaped.
UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# GitHub shows ten annotations of a kind for a step.
MOST_ANNOTATIONS = 10
CONSOLE_TAIL = 20
SCENARIOS = Path(__file__).resolve().parents[3] / "torture" / "scenarios"


def clean(words: object) -> str:
    return UNPRINTABLE.sub("\ufffd", str(words))


def failure_text(scenario: Scenario) -> str:
    lines = [f"{number(f.get('count'), 1):,.0f} x {f.get('check')}: {f.get('message')} [{f.get('evidence')}]" for f in scenario.failures]
    return clean("\n".join(lines or [scenario.why]))


def tally(run: Run) -> dict[str, str]:
    words = [s.word for s in run.scenarios]
    failed = sum(word in FAILED for word in words)
    took_s = sum(number(s.verdict.get("duration_s")) for s in run.scenarios)
    return {"tests": str(len(words)), "failures": str(failed), "errors": str(sum(w not in GOOD for w in words) - failed),
            "skipped": str(words.count("SKIPPED")), "time": f"{took_s:.3f}"}


def testcase(scenario: Scenario) -> ET.Element:
    case = ET.Element("testcase", classname=clean(f"srcutorture.{scenario.flavor}"), name=clean(scenario.name),
                      time=f"{number(scenario.verdict.get('duration_s')):.3f}")
    if scenario.word == "SKIPPED":
        ET.SubElement(case, "skipped", message=clean(scenario.why))
    elif scenario.word != "SUCCESS":
        kind = "failure" if scenario.word in FAILED else "error"
        node = ET.SubElement(case, kind, type=clean(scenario.word), message=clean(scenario.verdict.get("signature") or scenario.why))
        node.text = failure_text(scenario)
        ET.SubElement(case, "system-out").text = clean("\n".join(scenario.console[-CONSOLE_TAIL:]))
    return case


def junit(run: Run) -> str:
    """One testcase a scenario, in the form that Jenkins' and GitLab's schemas share."""
    name = clean(f"srcutorture.{run.plan.get('name', run.name)}")
    kernel = member(member(run.manifest, "machine"), "kernel")
    root = ET.Element("testsuites", {"name": name, **{key: value for key, value in tally(run).items() if key != "skipped"}})
    suite = ET.SubElement(root, "testsuite", {"name": name, **tally(run), "hostname": clean(kernel.get("nodename", "localhost"))})
    # The schema knows no time zones.
    if started := re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", str(run.manifest.get("started"))):
        suite.set("timestamp", started[0])
    properties = ET.SubElement(suite, "properties")
    for key, value in (("rerun", run.rerun), ("seed", run.plan.get("seed")), ("machine", run.plan.get("machine"))):
        ET.SubElement(properties, "property", name=key, value=clean(value))
    suite.extend(testcase(scenario) for scenario in run.scenarios)
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def plain(words: object) -> str:
    """Text inside Markdown, whatever it holds: no table cells, tags, links, pictures or emphasis of its own."""
    words = re.sub(r"([\\|`*\[\]~])", r"\\\1", " ".join(clean(words).split()))
    return words.replace("&", "&amp;").replace("<", "&lt;")


def code(words: str) -> str:
    """A span of code whose fence is longer than any in it."""
    words = " ".join(clean(words).split())
    fence = "`" * (max(map(len, re.findall("`+", words)), default=0) + 1)
    return f"{fence}{words}{fence}" if len(fence) == 1 else f"{fence} {words} {fence}"


def summary(run: Run) -> str:
    lines = [f"## srcutorture {plain(run.name)}: {run.word}", ""]
    if run.why:
        lines += [plain(run.why), ""]
    bound = number(run.verdict.get("bound_per_hour_95"))
    if bound > 0 and run.word == "SUCCESS":
        lines += [f"With 95 % confidence: fewer than {text.count(bound)} failures an hour of this kind of torture on this machine.", ""]
    lines += ["| scenario | flavour | verdict | grace periods | worst | reads | why |", "|---|---|---|---:|---:|---:|---|"]
    for s in run.scenarios:
        counts = member(s.verdict, "counts")
        worst = number(member(s.verdict, "gp_latency_ns").get("max"))
        reads = text.count(number(counts.get("reads")))
        work = [f"{number(counts.get('grace_periods')):,.0f}", text.latency(worst) if worst else "", reads]
        cells = [plain(s.name), plain(s.flavor), s.word, *(work if counts else [""] * 3), plain(s.why)]
        lines.append(f"| {' | '.join(cells)} |")
    signatures = [f"- {plain(s.name)}: {code(str(s.verdict['signature']))}" for s in run.scenarios if s.verdict.get("signature")]
    if signatures:
        lines += ["", "Signatures:", "", *signatures]
    lines += ["", f"The same again: {code(run.rerun)}", ""]
    return "\n".join(lines)


def escaped(words: str, *, in_property: bool = False) -> str:
    """GitHub's escapes for workflow commands."""
    for char, escape in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *(((":", "%3A"), (",", "%2C")) if in_property else ())):
        words = words.replace(char, escape)
    return words


def annotation(scenario: Scenario) -> str:
    """On the scenario's file, where the checkout has it."""
    kind = "warning" if scenario.word in ("INTERRUPTED", "INCONCLUSIVE") else "error"
    properties = {"title": f"srcutorture {scenario.name} {scenario.word}"}
    file = SCENARIOS / f"{scenario.planned.get('scenario')}.toml"
    workspace = Path(os.environ.get("GITHUB_WORKSPACE") or "/")
    if file.parent == SCENARIOS and file.is_file() and file.is_relative_to(workspace):
        properties = {"file": str(file.relative_to(workspace)), "line": "1", **properties}
    fields = ",".join(f"{key}={escaped(clean(value), in_property=True)}" for key, value in properties.items())
    return f"::{kind} {fields}::{escaped(failure_text(scenario))}"


def annotations(run: Run) -> list[str]:
    """Workflow commands, one for each scenario that is not good; the last stands for those that GitHub would not show."""
    bad = [s for s in run.scenarios if s.word not in GOOD]
    lines = [annotation(s) for s in bad]
    if len(lines) > MOST_ANNOTATIONS:
        rest = len(lines) - MOST_ANNOTATIONS + 1
        lines[MOST_ANNOTATIONS - 1 :] = [f"::error title=srcutorture::{rest} more scenarios are not good: see the summary"]
    return lines
