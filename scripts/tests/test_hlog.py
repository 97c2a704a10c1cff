"""The log's reader against bytes made by hand from the format's description."""

from __future__ import annotations

import base64
import random
import struct
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report import hlog
from lib.report.hlog import COLUMNS, counter_values, decode, inflate, percentile, read_hlog, slow_varints, varints


def encoded(payload: bytes, digits: int = 2, lowest: int = 1) -> str:
    plain = struct.pack(">IIIIQQd", 0x1C849313, len(payload), 0, digits, lowest, 3_600_000_000_000, 1.0) + payload
    packed = zlib.compress(plain)
    return base64.b64encode(struct.pack(">II", 0x1C849314, len(packed)) + packed).decode()


def line(payload: bytes, start_s: float = 1.0, tag: str = "gp.normal", **how: int) -> str:
    return f"Tag={tag},{start_s},1.0,0.001,{encoded(payload, **how)}\n"


def packed(numbers: list[int]) -> bytes:
    """ZigZag LEB128, for numbers below 2^55."""
    out = bytearray()
    for n in numbers:
        raw = (n << 1) ^ (n >> 63)
        while raw >= 0x80:
            out.append(raw & 0x7F | 0x80)
            raw >>= 7
        out.append(raw)
    return bytes(out)


def test_decode() -> None:
    # five zeros (-5 -> 9), then 1 (-> 2), then 300 (-> 600 -> d8 04); a second one begins at the first counter again
    digits, payload = inflate(encoded(bytes([9, 2, 0xD8, 0x04])).encode())
    assert digits == 2
    owner, index, count = decode([payload, packed([7])])
    assert (list(owner), list(index), list(count)) == ([0, 0, 1], [5, 6, 0], [1, 300, 7])


def test_many_at_once_are_as_one_by_one() -> None:
    chance = random.Random(1)
    payloads = [packed([chance.choice([1, -1]) * chance.getrandbits(chance.randrange(1, 54)) for _ in range(chance.randrange(1, 40))])
                for _ in range(200)]
    numbers, amounts = varints(payloads)
    one_by_one = [slow_varints(payload) for payload in payloads]
    assert list(amounts) == [len(one) for one in one_by_one]
    assert (numbers == np.concatenate(one_by_one)).all()


def test_nine_byte_count() -> None:
    owner, _, count = decode([packed([3]), bytes([0x80] * 8 + [0x80])])
    assert (list(owner), list(count)) == ([0, 1], [3, 1 << 62])


def test_cut_payload_spoils_no_other() -> None:
    owner, _, count = decode([packed([3]), bytes([2, 0x80]), packed([4])])
    assert (list(owner), list(count)) == ([0, 2], [3, 4])


def test_layout_of_two_digits() -> None:
    values = counter_values(2)
    assert [values[i] for i in (0, 255, 256, 383, 384)] == [0, 255, 257, 511, 515]
    assert values[-1] == 2**63 - 1 and (np.diff(values) > 0).all()


@pytest.mark.parametrize("text", ["", "!!!", "AAAA", encoded(b"")[:-8], base64.b64encode(b"x" * 40).decode(), encoded(b"\2", lowest=1000),
                                  encoded(b"\2", digits=0)])
def test_foreign_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        inflate(text.encode())


def test_file_with_cut_and_foreign_lines(tmp_path: Path) -> None:
    good = line(bytes([9, 2]))
    path = tmp_path / "gp.hlog"
    path.write_text(f'#[comment]\n"Start"\n{good}nonsense\nTag=a,b,c,d,e\n{line(b"", 2)}{line(packed([-10**9, 5]), 3)}'
                    f"{line(packed([1]), 4, digits=3)}{line(packed([1]), float('nan'))}{line(bytes([9, 2]), 7)}{good[:40]}")
    series = read_hlog(path)["gp.normal"]
    assert (list(series.start_s), list(series.median), list(series.worst)) == ([1, 7], [5, 5], [5, 5])
    assert [list(part) for part in series.distribution()] == [[5], [2]]


def test_missing_file() -> None:
    assert read_hlog(Path("nowhere")) == {}


def test_sums_medians_and_grid(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the lines fall into batches."""
    monkeypatch.setattr(hlog, "BATCH", 3)
    path = tmp_path / "gp.hlog"
    many = 2 * COLUMNS + 17
    path.write_text("".join(line(packed([-i - 1, 10, -100, 9, -50, 1]), i) + line(packed([-20, 4]), i, "barrier") for i in range(many)))
    found = read_hlog(path)
    series = found["gp.normal"]
    values = counter_values(2)
    assert (series.median == values[1:many + 1]).all()
    assert (series.worst == values[153:many + 153]).all()
    assert series.counts.sum() == 20 * many == series.grid.sum()
    assert found["barrier"].counts[20] == 4 * many
    assert COLUMNS / 3 <= len(series.grid) <= COLUMNS
    assert len(series.edges_s) == len(series.grid) + 1 and series.edges_s[-1] == many
    assert (series.grid.sum(axis=1)[:-1] == 20 * 3).all()


def test_percentile() -> None:
    values, counts = np.array([10, 20, 30]), np.array([50, 49, 1])
    assert [percentile(values, counts, p) for p in (50, 99, 100)] == [10, 20, 30]
    assert percentile(np.array([]), np.array([]), 50) == 0
