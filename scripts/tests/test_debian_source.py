"""Where the sources come from: the machine's own lists, read and never written."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from lib.debian_source import from_deb822, from_one_line, source_lines


def test_classic_list() -> None:
    text = "# comment\ndeb [arch=amd64] http://m/debian bookworm main\ndeb-src http://m/debian bookworm main\n\n"
    assert from_one_line(text) == ["deb-src [arch=amd64] http://m/debian bookworm main",
                                   "deb-src http://m/debian bookworm main"]


def test_deb822() -> None:
    text = ("# comment\nTypes: deb\nURIs: http://m/debian\nSuites: a b\nComponents: main\nSigned-By: /k.gpg\n\n"
            "Enabled: no\nTypes: deb\nURIs: http://n/\nSuites: c\nComponents: main\n")
    assert from_deb822(text) == ["deb-src [signed-by=/k.gpg] http://m/debian a main",
                                 "deb-src [signed-by=/k.gpg] http://m/debian b main"]


def test_lists_without_repeats_and_without_foreign_files(tmp_path: Path) -> None:
    (tmp_path / "a.list").write_text("deb http://m/ s main\ndeb http://m/ s main\n")
    (tmp_path / "b.list.disabled").write_text("deb http://n/ s main\n")
    assert source_lines([tmp_path / "a.list", tmp_path / "b.list.disabled"]) == ["deb-src http://m/ s main"]


def test_failure_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    done = subprocess.run([ROOT / "scripts/lib/debian_source.py", "liburcu", "--cache", tmp_path / "file" / "cache"],
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 3
    assert len(done.stderr.strip().splitlines()) == 1
