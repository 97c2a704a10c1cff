"""The house rules that a machine can see."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT



def tracked() -> list[Path]:
    """What git knows; in an unpacked tarball, everything but the build."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode == 0 and listed.stdout:
        return [ROOT / name for name in listed.stdout.splitlines() if (ROOT / name).exists()]
    skipped = {"build", ".git", "__pycache__"}
    return [p for p in ROOT.rglob("*") if p.is_file() and not skipped & set(p.relative_to(ROOT).parts)
            and (p.relative_to(ROOT).parts[0] != "results" or "reference" in p.parts)]


TRACKED = tracked()
CODE = [p for p in TRACKED if p.suffix in (".cpp", ".hpp", ".c", ".h")]
SHIPPED = [p for p in CODE if not p.stem.endswith(("_test", "_bench")) and not {"bench", "example_plugin", "examples", "tests"} & set(p.relative_to(ROOT).parts)]


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def includes(path: Path) -> list[str]:
    return re.findall(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', path.read_text(), re.M)


def test_something_is_looked_at() -> None:
    assert len(SHIPPED) > 50


def test_top_level_is_as_designed() -> None:
    known = {"CMakeLists.txt", "CMakePresets.json", "LICENSE", "README.md", "harness", "results", "scripts", "srcu", "torture"}
    tops = {Path(relative(p)).parts[0] for p in TRACKED}
    assert {top for top in tops if not top.startswith(".")} <= known


@pytest.mark.parametrize("path", SHIPPED, ids=relative)
def test_who_may_include_whom(path: Path) -> None:
    room = Path(relative(path)).parts
    banned: tuple[str, ...] = ()
    if room[0] == "harness":
        banned = ("torture/", "srcu/", "srcutorture/", "urcu")
    elif room[0] == "srcu":
        banned = ("torture/", "harness/")
    elif room[:2] in (("torture", "threads"), ("torture", "oracle")):
        banned = ("torture/flavors/", "torture/cli/", "urcu")
    found = [name for name in includes(path) if name.startswith(banned)] if banned else []
    assert not found


@pytest.mark.parametrize("path", [p for p in SHIPPED if Path(relative(p)).parts[:2] in (("torture", "threads"), ("torture", "oracle"))],
                         ids=relative)
def test_threads_and_oracle_name_no_flavour(path: Path) -> None:
    code = re.sub(r"//.*", "", path.read_text())
    # Its default is the one exception: a parameter's value, not a comparison.
    code = code.replace('torture_type = "urcu-memb"', "")
    assert not re.search(r"urcu|busted_|trivial|hazptr", code)


@pytest.mark.parametrize("path", SHIPPED, ids=relative)
def test_every_atomic_names_its_order(path: Path) -> None:
    code = re.sub(r"//.*", "", path.read_text())
    unnamed = re.findall(r"[.>]\s*(?:load\(\)|(?:store|exchange|fetch_\w+)\((?:[^()]|\([^()]*\))*\))", code)
    # srcu/ names labelled orders (Ord::X), or relaxed; test_ordering.py holds it to more than this.
    assert not [call for call in unnamed if not re.search(r"memory_order|\bOrd::\w|\brelaxed\b|peek|\border(_of)?\b", call)]


@pytest.mark.parametrize("path", [p for p in TRACKED if p.suffix in (".cpp", ".hpp", ".c", ".h", ".py", ".sh")], ids=relative)
def test_file_is_one_idea(path: Path) -> None:
    assert len(path.read_text().splitlines()) < 400


def test_nothing_large_and_nothing_built() -> None:
    assert [relative(p) for p in TRACKED if p.exists() and p.stat().st_size > 1_000_000] == []
    assert [relative(p) for p in TRACKED if p.suffix in (".o", ".a", ".so", ".pyc")] == []


def test_no_path_of_a_machine() -> None:
    own = re.compile(rb"/(?:root|work|check|home)/")
    assert [relative(p) for p in TRACKED if p != Path(__file__) and p.suffix != ".png" and own.search(p.read_bytes())] == []


@pytest.mark.parametrize("script", [p for p in TRACKED if p.suffix == ".sh" or p.parent.name == ".ci"], ids=relative)
def test_shell_scripts_parse(script: Path) -> None:
    subprocess.run(["bash", "-n", script], check=True)
