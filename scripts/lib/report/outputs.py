"""What other programs read: JUnit's XML, a summary in Markdown, annotations for GitHub."""

from __future__ import annotations

import xml.etree.ElementTree as ET

from .load import GOOD, Run, Scenario
from .text import number

ERRORS = ("BROKEN", "INTERRUPTED", "INCONCLUSIVE")
# XML 1.0 has no place for these, not even escaped.
UNPRINTABLE = {code: "\ufffd" for code in range(32) if code not in (9, 10, 13)}


def clean(text: str) -> str:
    return text.translate(UNPRINTABLE)


def failure_text(scenario: Scenario) -> str:
    lines = [f"{f.get('count', 1)} x {f.get('check')}: {f.get('message')} [{f.get('evidence')}]" for f in scenario.failures]
    return clean("\n".join(lines or [scenario.why]))


def junit(run: Run) -> str:
    """One testcase a scenario: failures are the scheme's, errors the harness's."""
    words = [s.word for s in run.scenarios]
    failed = sum(1 for w in words if w not in (*GOOD, *ERRORS))
    suite = ET.Element("testsuite", name=f"srcutorture.{run.plan.get('name', run.name)}", tests=str(len(words)),
                       failures=str(failed), errors=str(sum(w in ERRORS for w in words)),
                       skipped=str(words.count("SKIPPED")))
    for scenario in run.scenarios:
        case = ET.SubElement(suite, "testcase", classname=f"srcutorture.{scenario.flavor}", name=scenario.name,
                             time=f"{number(scenario.verdict.get('duration_s')):.3f}")
        if scenario.word == "SKIPPED":
            ET.SubElement(case, "skipped", message=clean(scenario.why))
        elif scenario.word != "SUCCESS":
            kind = "error" if scenario.word in ERRORS else "failure"
            node = ET.SubElement(case, kind, type=scenario.word, message=clean(str(scenario.verdict.get("signature") or scenario.why)))
            node.text = failure_text(scenario)
    ET.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(suite, encoding="unicode") + "\n"


def cell(text: object) -> str:
    """A cell of a Markdown table, whatever the text holds."""
    return str(text).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")


def summary(run: Run) -> str:
    lines = [f"## srcutorture {cell(run.name)}: {run.word}", ""]
    if run.why:
        lines += [cell(run.why), ""]
    lines += ["| scenario | flavour | verdict | grace periods | worst | reads | why |", "|---|---|---|---|---|---|---|"]
    for s in run.scenarios:
        counts = s.verdict.get("counts", {})
        worst = number(s.verdict.get("gp_latency_ns", {}).get("max")) / 1e6
        lines.append(f"| {cell(s.name)} | {cell(s.flavor)} | {s.word} | {number(counts.get('grace_periods')):.0f} | "
                     f"{worst:.3g} ms | {number(counts.get('reads')):.2e} | {cell(s.why)} |")
    bound = run.verdict.get("bound_per_hour_95")
    if isinstance(bound, (int, float)):
        lines += ["", f"With 95 % confidence: fewer than {bound:.3g} failures an hour of this kind of torture on this machine."]
    lines += ["", f"Again: `{run.plan.get('rerun', '')}`", ""]
    return "\n".join(lines)


def escaped(text: str, *, title: bool = False) -> str:
    """GitHub's escapes for workflow commands."""
    for char, code in (("%", "%25"), ("\r", "%0D"), ("\n", "%0A"), *(((":", "%3A"), (",", "%2C")) if title else ())):
        text = text.replace(char, code)
    return text


def annotations(run: Run) -> list[str]:
    """Workflow commands, one for each scenario that is not good."""
    lines = []
    for s in run.scenarios:
        if s.word in GOOD:
            continue
        kind = "warning" if s.word in ("INTERRUPTED", "INCONCLUSIVE") else "error"
        title = escaped(f"srcutorture {s.name} {s.word}", title=True)
        lines.append(f"::{kind} title={title}::{escaped(failure_text(s))}")
    return lines
