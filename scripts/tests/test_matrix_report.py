"""The page of a matrix, on a stored run and on spoilt ones."""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, report

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report.matrix import WORDS

STORED = ROOT / "scripts" / "tests" / "data" / "matrix"


@pytest.fixture
def matrix_dir(tmp_path: Path) -> Path:
    """A copy of a stored matrix: nothing in it contradicts."""
    return Path(shutil.copytree(STORED, tmp_path / "matrix"))


def change(matrix_dir: Path, how: Callable[[dict[str, Any]], None], only: Callable[[dict[str, Any]], bool] = lambda _: True) -> None:
    file = matrix_dir / "matrix.json"
    matrix = json.loads(file.read_text())
    for cell in filter(only, matrix["cells"]):
        how(cell)
    file.write_text(json.dumps(matrix))


def is_rq_direct(cell: dict[str, Any]) -> bool:
    return cell["context"] == "rq_lock" and cell["strategy"] == "direct"


def page_of(matrix_dir: Path) -> str:
    done = report(matrix_dir)
    assert done.returncode == 0, done.stderr
    return (matrix_dir / "report.html").read_text()


def fields(page: str) -> dict[str, str]:
    """What the table's fields say, by the pair that their title names."""
    found = re.findall(r'<a href="#p\d+" class="[^"]*" title="(\S+ x \S+): [^"]*">([^<]*)</a>', page)
    return dict(found)


def test_page_is_one_file_without_network(matrix_dir: Path) -> None:
    page = page_of(matrix_dir)
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<script" not in page
    assert json.loads((matrix_dir / "plan.json").read_text())["rerun"].split()[-1] in page
    assert not list(matrix_dir.rglob("*.tmp"))


def test_fields_open_to_their_proof(matrix_dir: Path) -> None:
    page = page_of(matrix_dir)
    assert fields(page)["rq_lock x direct"] == "AA"
    assert fields(page)["none x direct"] == "ok"
    target = re.search(r'href="#(p\d+)"[^>]*title="rq_lock x direct:', page)[1]
    article = page[page.index(f'<article id="{target}">') :]
    article = article[: article.index("</article>")]
    cell = next(c for c in json.loads((matrix_dir / "matrix.json").read_text())["cells"] if is_rq_direct(c) and c["instance"] == "own")
    assert "Predicted <strong>deadlock</strong>" in article
    assert cell["because"] in html.unescape(article) and cell["facts"] in html.unescape(article)
    proof = (matrix_dir / cell["evidence"]).read_text()
    assert "rq-&gt;__lock" in article and "rq->__lock" in proof
    assert "--- real run: self_deadlock" in article


def test_readable_without_colour(matrix_dir: Path) -> None:
    change(matrix_dir, lambda c: c.update(real="crash", contradiction="the real run says crash"), is_rq_direct)
    page = page_of(matrix_dir)
    assert fields(page)["rq_lock x direct"] == "crash !"
    assert "contradicts the prediction" in page
    assert "rq_lock x direct (own, same" in page and "the real run says crash" in page


def test_latency_and_needless_deferrals_are_those_of_the_file(matrix_dir: Path) -> None:
    change(matrix_dir, lambda c: c.update(post_to_invoke_ns={"p50": 123000, "p99": 4560000}, needless_deferrals=0.375, tries=4321))
    page = page_of(matrix_dir)
    for words in ("123 µs", "4.56 ms", "37.5 %", "4,321"):
        assert words in page


def test_a_deadlock_that_tries_may_miss_says_why(matrix_dir: Path) -> None:
    assert "Rare" not in page_of(matrix_dir)
    change(matrix_dir, lambda c: c.update(rare="a try begins with an empty list"), is_rq_direct)
    assert "Rare, so that the tries need not see it: a try begins with an empty list" in page_of(matrix_dir)


def test_revised_rules_are_counted_not_their_cells(matrix_dir: Path) -> None:
    change(matrix_dir, lambda c: c.update(revised=""))
    assert "revised since" not in page_of(matrix_dir)
    change(matrix_dir, lambda c: c.update(because="one rule's", revised="First ok."), is_rq_direct)
    assert "(1 of the rules was revised since, and says so)" in page_of(matrix_dir)
    change(matrix_dir, lambda c: c.update(because="another's", revised="First ok."), lambda c: is_rq_direct(c) and c["pace"] == "normal")
    assert "(2 of the rules were revised since, and say so)" in page_of(matrix_dir)


def test_the_programs_own_table_says_the_same_words() -> None:
    own = (ROOT / "torture" / "cli" / "matrix_table.cpp").read_text()
    assert {word: said for word, (_, said) in WORDS.items()} == dict(re.findall(r'\{"([^"]+)", fmt::color::\w+, "([^"]+)"\}', own))


def test_summary_and_junit(matrix_dir: Path) -> None:
    change(matrix_dir, lambda c: c.update(real="ok", prover="ok", contradiction="the prover says ok"), is_rq_direct)
    page_of(matrix_dir)
    summary = (matrix_dir / "summary.md").read_text()
    assert "| ok **!** |" in summary and "rq\\_lock x direct" in summary.replace("rq_lock", "rq\\_lock")
    root = ET.parse(matrix_dir / "junit.xml").getroot()
    failed = [case for case in root.iter("testcase") if case.find("failure") is not None]
    assert [(case.get("classname"), case.get("name")) for case in failed] == [("srcutorture.matrix.rq_lock", "direct")]
    assert root.get("failures") == "1"


def test_untrusted_text_cannot_act(matrix_dir: Path) -> None:
    evil = "</pre><script>alert(1)</script>\n::error::x | `y` \x1b[1m\x00"
    change(matrix_dir, lambda c: c.update({k: evil for k in ("because", "facts", "contradiction", "predicted", "revised", "rare", "pace")}))
    change(matrix_dir, lambda c: c.update(context=evil, strategy=evil), is_rq_direct)
    for file in (matrix_dir / "cells").iterdir():
        file.write_text("line\n" + evil)
    done = report(matrix_dir, env={"GITHUB_ACTIONS": "1"})
    assert done.returncode == 0, done.stderr
    assert "<script" not in (matrix_dir / "report.html").read_text()
    assert "<script" not in (matrix_dir / "summary.md").read_text()
    ET.parse(matrix_dir / "junit.xml")
    lines = [line for line in done.stdout.splitlines() if line.startswith("::")]
    assert lines and all(line.startswith("::error title=srcutorture matrix::") for line in lines) and len(lines) <= 10


@pytest.mark.parametrize("name", ["../secret.txt", "/etc/passwd", "cells/../../secret.txt", "cells/link.txt", "", None, 7, ["x"]])
def test_evidence_is_read_from_the_run_alone(matrix_dir: Path, name: object) -> None:
    (matrix_dir.parent / "secret.txt").write_text("title\nsecret words")
    (matrix_dir / "cells" / "link.txt").symlink_to(matrix_dir.parent / "secret.txt")
    change(matrix_dir, lambda c: c.update(evidence=name))
    page = page_of(matrix_dir)
    assert "secret words" not in page and "root:" not in page


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"cells": 7}', '{"cells": [1, null, {}]}', '{"cells": [{"real": [], "tries": "x", '
                                  '"post_to_invoke_ns": 3, "needless_deferrals": 1e999}]}', "[" * 100_000])
def test_spoilt_matrix_has_a_page(matrix_dir: Path, text: str) -> None:
    (matrix_dir / "matrix.json").write_text(text)
    assert "SUCCESS" in page_of(matrix_dir)


@pytest.mark.parametrize("missing", ["matrix.json", "manifest.json", "verdict.json"])
def test_missing_file_has_a_page(matrix_dir: Path, missing: str) -> None:
    (matrix_dir / missing).unlink()
    page = page_of(matrix_dir)
    assert ("INTERRUPTED" in page) == (missing == "verdict.json")
    assert ("No cell came to its end" in page) == (missing == "matrix.json")


@pytest.mark.parametrize(("check", "word"), [("lock_cycle", "DEADLOCK"), ("crash", "CRASH"), ("", "FAILURE"), ("x", "FAILURE")])
def test_cut_short_after_a_contradiction(matrix_dir: Path, check: str, word: str) -> None:
    (matrix_dir / "verdict.json").unlink()
    change(matrix_dir, lambda c: c.update(contradiction="no", check=check), is_rq_direct)
    page_of(matrix_dir)
    assert (matrix_dir / "summary.md").read_text().splitlines()[0].endswith(f": {word}")


def test_a_matrix_stands_alone(matrix_dir: Path) -> None:
    done = report(matrix_dir, ROOT / "scripts" / "tests" / "data" / "run")
    assert done.returncode == 2
    assert "alone" in done.stderr and len(done.stderr.splitlines()) == 1
