"""The log's reader against bytes made by hand from the format's description."""

from __future__ import annotations

import base64
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report.hlog import decode, merge, percentile, read_hlog, value_of


def encoded(payload: bytes, digits: int = 2) -> str:
    plain = struct.pack(">IIIIQQd", 0x1C849313, len(payload), 0, digits, 1, 3_600_000_000_000, 1.0) + payload
    packed = zlib.compress(plain)
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(packed)) + packed).decode()


def test_decode() -> None:
    # five zeros (-5 -> 9), then 1 (-> 2), then 300 (-> 600 -> d8 04)
    values, counts = decode(encoded(bytes([9, 2, 0xD8, 0x04])))
    assert list(values) == [5, 6]
    assert list(counts) == [1, 300]


def test_nine_byte_count() -> None:
    _, counts = decode(encoded(bytes([0x80] * 8 + [0x80])))
    assert list(counts) == [1 << 62]


def test_layout_of_two_digits() -> None:
    assert list(value_of(np.array([0, 255, 256, 383, 384]), 2)) == [0, 255, 257, 511, 515]


@pytest.mark.parametrize("text", ["", "!!!", "AAAA", encoded(b"")[:-8], base64.b64encode(b"x" * 40).decode()])
def test_foreign_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        decode(text)


def test_file_with_cut_and_foreign_lines(tmp_path: Path) -> None:
    good = "Tag=gp.normal,1.0,1.0,0.001," + encoded(bytes([9, 2]))
    path = tmp_path / "gp.hlog"
    path.write_text(f'#[comment]\n"Start"\n{good}\nnonsense\nTag=a,b,c,d,e\n{good}\n{good[:40]}')
    found = list(read_hlog(path))
    assert len(found) == 2
    values, counts = merge(found)
    assert (list(values), list(counts)) == ([5], [2])


def test_percentile() -> None:
    values, counts = np.array([10, 20, 30]), np.array([50, 49, 1])
    assert [percentile(values, counts, p) for p in (50, 99, 100)] == [10, 20, 30]
    assert percentile(np.array([]), np.array([]), 50) == 0
