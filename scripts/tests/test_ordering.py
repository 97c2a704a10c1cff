"""srcu/DESIGN.md's table of memory orders and the code say the same."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT

SRCU = ROOT / "srcu"
CODE = [p for d in ("include", "platform", "core", "host", "defer", "lockdep") for p in sorted((SRCU / d).rglob("*.[ch]*"))
        if not p.stem.endswith("_test")]


def table() -> dict[str, dict[str, str]]:
    rows = [line.strip("|\n").split("|") for line in (SRCU / "DESIGN.md").read_text().splitlines() if re.match(r"\| [A-Z]\d? \|", line)]
    names = ("label", "kind", "where", "pairs", "pattern", "orders", "without", "shown")
    return {row[0].strip(): dict(zip(names, (cell.strip() for cell in row), strict=True)) for row in rows}


TABLE = table()


def test_the_enumeration_is_the_table() -> None:
    body = re.search(r"enum class Ord \{(.*?)\};", (SRCU / "platform/atomic.hpp").read_text(), re.S)
    assert body and re.findall(r"^\s*([A-Z]\d?),", body[1], re.M) and set(re.findall(r"^\s*([A-Z]\d?),", body[1], re.M)) == set(TABLE)


def test_pairs_are_mutual() -> None:
    for label, row in TABLE.items():
        for partner in row["pairs"].split():
            assert label in TABLE[partner]["pairs"].split(), f"{label} names {partner}, but not the other way round"


@pytest.mark.parametrize("label", TABLE)
def test_what_shows_it_is_there(label: str) -> None:
    shown = TABLE[label]["shown"].removeprefix("the same; ")
    assert shown == "the same" or shown
    for names in re.findall(r"mutants? ((?:\w+_\w+(?:, )?)+)", shown):
        for name in names.split(", "):
            assert (ROOT / "torture" / "mutants" / f"{name}.patch").exists(), f"{label}: there is no mutant {name}"
    for file in re.findall(r"\S+_test\.cpp", shown):
        assert (SRCU / file).exists(), f"{label}: there is no {file}"


@pytest.mark.parametrize("label", TABLE)
def test_the_files_are_those_where_the_label_stands(label: str) -> None:
    """ORD(X) stands in the comment at each site of X, and nowhere else; partners are named without it."""
    commented = {str(p.relative_to(SRCU)) for p in CODE if f"ORD({label})" in p.read_text()}
    used = {str(p.relative_to(SRCU)) for p in CODE if p.name != "atomic.hpp" and re.search(rf"\bOrd::{label}\b", p.read_text())}
    assert used <= commented, f"a site of {label} has no comment ORD({label}) in its file"
    assert commented == set(TABLE[label]["where"].split())


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(SRCU)))
def test_every_ordered_site_is_labelled(path: Path) -> None:
    """Each acquire, release and fence has a label in code, or, with the compiler's builtins, an ORD(X) close above."""
    lines = path.read_text().splitlines()
    for number, line in enumerate(lines):
        code = line.split("//")[0]
        if path.name == "atomic.hpp":
            continue
        if re.search(r"memory_order_(?!relaxed)|memory_order::", code):
            pytest.fail(f"{path.name}:{number + 1}: name the order by a label: {line.strip()}")
        if re.search(r"__ATOMIC_(ACQUIRE|RELEASE|ACQ_REL|SEQ_CST|CONSUME)", code) and "signal_fence" not in code:
            near = "\n".join(lines[max(0, number - 12) : number + 1])
            assert re.search(r"ORD\([A-Z]\d?\)|consume:|A full fence", near), f"{path.name}:{number + 1}: {line.strip()}"


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(SRCU)))
def test_every_relaxed_access_says_why(path: Path) -> None:
    lines = path.read_text().splitlines()
    if path.name in ("atomic.hpp", "irq.hpp"):  # one reason for all stands at the top of irq.hpp's state
        return
    for number, line in enumerate(lines):
        code, _, comment = line.partition("//")
        if not re.search(r"\brelaxed\b|__ATOMIC_RELAXED", code):
            continue
        near = "\n".join(lines[max(0, number - 14) : number + 1]) + comment
        assert re.search(r"relaxed[^;\n]*:|ORD\(", near), f"{path.name}:{number + 1}: say why relaxed: {line.strip()}"


def engine_tests() -> set[str]:
    """Those of srcu/tests/engine; EACH_KIND makes one of each kind's name."""
    text = "".join(path.read_text() for path in sorted((SRCU / "tests/engine").glob("*.cpp")))
    names = set(re.findall(r"^ENGINE_TEST\((\w+),", text, re.M))
    kinds = re.findall(r"\bWHAT\((\w+), \w+\)", text)
    return names | {kind + suffix for kind in kinds for suffix in re.findall(r"ENGINE_TEST\(name##(\w+),", text)}


@pytest.mark.parametrize("label", TABLE)
def test_the_engine_tests_that_show_a_label_exist(label: str) -> None:
    shown = TABLE[label]["shown"]
    named = re.findall(r"engine `(\w+)`", shown)
    assert set(named) <= engine_tests()
    assert named or shown.startswith("none"), f"{label}: name the engine test, or say why there is none"


def test_labels_that_can_be_dropped_are_those_of_the_enumeration() -> None:
    """By number, so in the same order."""
    enumeration = re.search(r"enum class Ord \{(.*?)\};", (SRCU / "platform/atomic.hpp").read_text(), re.S)
    listed = re.search(r"#define SRCU_LABELS ((?:.*\\\n)*.*)", (SRCU / "tests/engine/drop_order.cpp").read_text())
    assert enumeration and listed
    assert re.findall(r'"(\w+)"', listed[1]) == re.findall(r"^\s*([A-Z]\d?),", enumeration[1], re.M)


TSAN = """#include <srcu/srcu.h>
void after(void) { smp_mb__after_srcu_read_unlock(); }
int lock(struct srcu_struct *ssp) { return srcu_read_lock(ssp); }
"""


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
def test_thread_sanitizer_builds_keep_their_fences(compiler: str, tmp_path: Path) -> None:
    """Both compilers' names for it are known, and each full fence is the call that executes one."""
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    (tmp_path / "tsan.c").write_text(TSAN)
    subprocess.run([compiler, "-O2", "-fsanitize=thread", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-S", f"-I{SRCU}/include",
                    tmp_path / "tsan.c", "-o", tmp_path / "tsan.s"], check=True)
    assembly = (tmp_path / "tsan.s").read_text()
    for function in ("after", "lock"):
        body = re.search(rf"^{function}:(.*?)\.size\s+{function},", assembly, re.S | re.M)
        assert body and "__tsan_atomic_thread_fence" in body[1], function
        assert not re.search(r"lock\s.*add", body[1]), f"{function}: past ThreadSanitizer"
