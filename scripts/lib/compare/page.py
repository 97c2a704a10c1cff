"""The page of a comparison: one file that opens from disk; everything escaped that came from names and files."""

from __future__ import annotations

from pathlib import Path

import jinja2

from . import picture
from ..report.judge import CANNOT_TELL, CONFIDENCE, FASTER, LARGER, SLOWER, SMALLER
from .outputs import Judged, headline, row
from .sides import Compared

TEMPLATE = Path(__file__).with_name("compare.html.j2")
TONES = {SLOWER: "bad", LARGER: "bad", FASTER: "good", SMALLER: "good", CANNOT_TELL: "odd"}


def render(compared: Compared, judged: Judged, notes: list[str]) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(TEMPLATE.parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    rows = [{**row(series, verdict), "tone": TONES.get(verdict.word, "none")} for series, verdict in judged]
    tones = [one["tone"] for one in rows]
    tone = next((tone for tone in ("bad", "odd", "good") if tone in tones), "none")
    return environment.get_template(TEMPLATE.name).render(
        compared=compared, rows=rows, headline=headline(judged), tone=tone, notes=notes, confidence=f"{100 * CONFIDENCE:g}",
        facts=[(key.replace("_", " "), value) for key, value in compared.facts.items()], figure=picture.drawn(judged))
