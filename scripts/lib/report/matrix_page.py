"""The matrix on a page of its own, and for other programs: Markdown, JUnit's XML, GitHub's annotations."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import jinja2

from . import text
from .matrix import WORDS, Cell, Matrix, Pair
from .outputs import MOST_ANNOTATIONS, clean, code, escaped, plain
from .page import facts, machine_line, tone


def words_of(cell: Cell, pair: Pair) -> str:
    """A cell's key, as far as the pair's cells differ in it."""
    names = ["instance", "domain", "pace", "preempt_rt"]
    kept = [name for name in names if len({other.key[name] for other in pair.cells}) > 1]
    said = {"own": "own CPU's lock", "other": "another CPU's lock"}
    domain = {"same": "same domain", "other": "other domain"}
    spoken = [said.get(cell.key[n], cell.key[n]) if n == "instance" else domain.get(cell.key[n], cell.key[n]) if n == "domain" else cell.key[n]
              for n in kept]
    return ", ".join(filter(None, spoken)) or ", ".join(filter(None, (cell.key["pace"], cell.key["preempt_rt"])))


def full_name(cell: Cell) -> str:
    rest = [cell.key[name] for name in ("instance", "domain", "pace", "preempt_rt") if cell.key[name]]
    return f"{cell.key['context']} x {cell.key['strategy']} ({', '.join(rest)})"


def cell_view(cell: Cell, pair: Pair) -> dict[str, Any]:
    return {"words": words_of(cell, pair), "predicted": cell.predicted, "prover": cell.prover, "real": cell.real,
            "tries": f"{cell.tries:,.0f}", "p50": text.latency(cell.p50_ns) if cell.p50_ns else "",
            "p99": text.latency(cell.p99_ns) if cell.p99_ns else "", "needless": f"{100 * cell.needless:.3g} %",
            "contradiction": cell.contradiction, "word": cell.word, "tone": WORDS[cell.word][0]}


def reasons(pair: Pair) -> list[dict[str, Any]]:
    """Each prediction once, with the cells that it speaks of."""
    found: dict[tuple[str, str, str, str, str], list[str]] = {}
    for cell in pair.cells:
        found.setdefault((cell.predicted, cell.because, cell.facts, cell.revised, cell.rare), []).append(words_of(cell, pair))
    return [{"predicted": p, "because": b, "facts": f, "revised": r, "rare": rare, "cells": cells if len(found) > 1 else []}
            for (p, b, f, r, rare), cells in found.items()]


def evidence(pair: Pair) -> list[dict[str, Any]]:
    """Each text once: many cells of a pair say the same, below the line that names them."""
    found: dict[str, list[str]] = {}
    for cell in pair.cells:
        if cell.evidence:
            found.setdefault(cell.evidence.partition("\n")[2].strip(), []).append(words_of(cell, pair))
    return [{"text": body, "cells": "; ".join(cells)} for body, cells in found.items()]


def pair_view(pair: Pair, number: int) -> dict[str, Any]:
    worst = pair.worst
    return {"id": f"p{number}", "context": pair.context, "strategy": pair.strategy, "word": worst.word, "tone": WORDS[worst.word][0],
            "predicted": worst.predicted, "prover": worst.prover, "real": worst.real, "contradicts": any(c.contradiction for c in pair.cells),
            "reasons": reasons(pair), "cells": [cell_view(cell, pair) for cell in pair.cells], "evidence": evidence(pair)}


def view(run: Matrix) -> dict[str, Any]:
    pairs = {at: pair_view(pair, i) for i, (at, pair) in enumerate(run.pairs.items())}
    used = {pair["word"] for pair in pairs.values()}
    wrong = [(pairs[cell.key["context"], cell.key["strategy"]]["id"], full_name(cell), cell) for cell in run.contradictions]
    return {"name": run.name, "word": run.word, "why": run.why, "tone": tone(run.word), "rerun": run.rerun,
            "machine": machine_line(run), "facts": facts(run),  # type: ignore[arg-type]
            "contexts": list(dict.fromkeys(context for context, _ in pairs)), "strategies": list(dict.fromkeys(s for _, s in pairs)),
            "pairs": pairs, "legend": [(word, *said) for word, said in WORDS.items() if word in used],
            "contradictions": [{"id": i, "name": name, "predicted": c.predicted, "because": c.because, "why": c.contradiction}
                               for i, name, c in wrong], "cells": len(run.cells), "revised": len({(cell.because, cell.revised) for cell in run.cells if cell.revised})}


def render_matrix(run: Matrix, template: Path) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(template.parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template.name).render(run=view(run))


def matrix_summary(run: Matrix) -> str:
    pairs = run.pairs
    contexts, strategies = (list(dict.fromkeys(at[i] for at in pairs)) for i in (0, 1))
    lines = [f"## srcutorture {plain(run.name)}: {run.word}", ""]
    if run.why:
        lines += [plain(run.why), ""]
    if pairs:
        lines += [f"| | {' | '.join(map(plain, strategies))} |", f"|---|{'---|' * len(strategies)}"]
    for context in contexts:
        fields = [pairs.get((context, strategy)) for strategy in strategies]
        words = ["" if f is None else f.worst.word + (" **!**" if f.worst.contradiction else "") for f in fields]
        lines.append(f"| {plain(context)} | {' | '.join(words)} |")
    used = {pair.worst.word for pair in pairs.values()}
    lines += ["", *(f"- {word}: {said[1]}" for word, said in WORDS.items() if word in used)]
    if run.contradictions:
        lines += ["- **!**: contradicts the prediction", "", "Contradictions:", ""]
        lines += [f"- {plain(full_name(c))}: predicted {plain(c.predicted)} ({plain(c.because)}) {plain(c.contradiction)}"
                  for c in run.contradictions]
    return "\n".join([*lines, "", f"The same again: {code(run.rerun)}", ""])


def matrix_junit(run: Matrix) -> str:
    """One testcase a pair of context and strategy."""
    pairs = run.pairs.values()
    failed = sum(any(c.contradiction for c in pair.cells) for pair in pairs)
    skipped = sum(pair.worst.word == "-" for pair in pairs)
    tally = {"tests": str(len(pairs)), "failures": str(failed), "errors": "0"}
    root = ET.Element("testsuites", {"name": "srcutorture.matrix", **tally})
    suite = ET.SubElement(root, "testsuite", {"name": "srcutorture.matrix", **tally, "skipped": str(skipped)})
    for pair in pairs:
        case = ET.SubElement(suite, "testcase", classname=clean(f"srcutorture.matrix.{pair.context}"), name=clean(pair.strategy))
        wrong = [cell for cell in pair.cells if cell.contradiction]
        if wrong:
            node = ET.SubElement(case, "failure", type="contradiction", message=clean(wrong[0].contradiction))
            node.text = clean("\n".join(f"{full_name(c)}: predicted {c.predicted}: {c.contradiction}" for c in wrong))
        elif pair.worst.word == "-":
            ET.SubElement(case, "skipped", message=clean(pair.worst.because))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def matrix_annotations(run: Matrix) -> list[str]:
    lines = [f"::error title=srcutorture matrix::{escaped(clean(f'{full_name(c)}: predicted {c.predicted}: {c.contradiction}'))}"
             for c in run.contradictions]
    if len(lines) > MOST_ANNOTATIONS:
        rest = len(lines) - MOST_ANNOTATIONS + 1
        lines[MOST_ANNOTATIONS - 1 :] = [f"::error title=srcutorture matrix::{rest} more contradictions: see the summary"]
    return lines
