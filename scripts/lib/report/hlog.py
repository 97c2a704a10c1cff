"""Reads HdrHistogram V2 interval logs: the .hlog files of a run.

A day's log holds some hundred thousand histograms, so each is decoded once, many at a time, and only what the figures
need is kept: a sum, each interval's median and worst, and a grid of time by latency.
"""

from __future__ import annotations

import binascii
import math
import struct
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

BATCH = 512
COLUMNS = 300
BINS_PER_OCTAVE = 6
BINS = 63 * BINS_PER_OCTAVE


def counter_values(digits: int) -> np.ndarray:
    """The highest value of each counter, for lowest discernible value 1 and values up to 2^63."""
    magnitude = (2 * 10**digits - 1).bit_length()
    half = 1 << (magnitude - 1)
    index = np.arange((65 - magnitude) * half)
    bucket = np.maximum(index // half - 1, 0)
    sub = np.where(index < 2 * half, index, index % half + half)
    return ((sub + 1) << bucket) - 1


@dataclass
class Series:
    """What one tag recorded: interval by interval, and in sum. Values in nanoseconds."""

    start_s: np.ndarray
    length_s: np.ndarray
    median: np.ndarray
    worst: np.ndarray
    values: np.ndarray
    counts: np.ndarray
    grid: np.ndarray  # time by latency: between edges_s, and 2^(bin / BINS_PER_OCTAVE)
    edges_s: np.ndarray

    def distribution(self) -> tuple[np.ndarray, np.ndarray]:
        """The values that occurred, ascending, and how often each did."""
        there = self.counts > 0
        return self.values[there], self.counts[there]


@dataclass
class Rows:
    """Lines of one tag, not decoded yet."""

    start_s: list[float] = field(default_factory=list)
    length_s: list[float] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)


def inflate(text: bytes) -> tuple[int, bytes]:
    """Digits and packed counters of one encoded histogram; ValueError if it is none."""
    try:
        packed = binascii.a2b_base64(text, strict_mode=True)
        cookie, length = struct.unpack_from(">II", packed)
        plain = zlib.decompress(packed[8 : 8 + length])
        inner, size, offset, digits, lowest = struct.unpack_from(">IIIIQ", plain)
    except (binascii.Error, struct.error, zlib.error) as error:
        raise ValueError(f"not an HdrHistogram V2: {error}") from error
    if (cookie, inner, offset, lowest) != (0x1C849314, 0x1C849313, 0, 1) or not 0 < digits <= 5:
        raise ValueError("not an HdrHistogram V2 of the kind that is read here")
    return digits, plain[40 : 40 + size]


def zigzag(raw: np.ndarray) -> np.ndarray:
    return (raw >> 1) ^ -(raw & 1)


def varints(payloads: list[bytes]) -> tuple[np.ndarray, np.ndarray]:
    """ZigZag LEB128 numbers of all payloads in a row, and how many are each one's."""
    data = np.frombuffer(b"".join(payloads), dtype=np.uint8)
    offsets = np.cumsum([0, *map(len, payloads[:-1])])
    last = data < 0x80
    ends = np.flatnonzero(last) + 1
    starts = np.concatenate([[0], ends[:-1]])
    if (ends - starts).max(initial=0) > 8 or not all(payload[-1] < 0x80 for payload in payloads):
        found = [slow_varints(payload) for payload in payloads]
        return np.concatenate(found), np.array([len(one) for one in found])
    lengths = ends - starts
    raw = (data[starts] & 0x7F).astype(np.int64)
    longer = np.flatnonzero(lengths > 1)
    place = 1
    while len(longer):
        raw[longer] |= (data[starts[longer] + place].astype(np.int64) & 0x7F) << 7 * place
        place += 1
        longer = longer[lengths[longer] > place]
    return zigzag(raw), np.add.reduceat(last, offsets, dtype=np.int64)


def slow_varints(payload: bytes) -> np.ndarray:
    """The same byte by byte: for counts beyond 2^55, whose ninth byte carries eight bits and looks like no other.
    Nothing for a payload that is cut."""
    found, at = [], 0
    while at < len(payload):
        raw = 0
        for place in range(9):
            if at == len(payload):
                return np.array([], dtype=np.int64)
            byte = payload[at]
            at += 1
            raw |= (byte if place == 8 else byte & 0x7F) << 7 * place
            if byte < 0x80:
                break
        found.append((raw >> 1) ^ -(raw & 1))
    return np.array(found, dtype=np.int64)


def decode(payloads: list[bytes]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Payload, counter and count of each counter that is not zero; a negative number is a run of zeros."""
    numbers, amounts = varints(payloads)
    before = np.cumsum(np.where(numbers < 0, -numbers, 1))
    before -= np.where(numbers < 0, -numbers, 1)
    first = np.cumsum(amounts) - amounts
    there = np.flatnonzero(numbers > 0)
    owner = np.repeat(np.arange(len(payloads)), amounts)[there]
    return owner, before[there] - before[first[owner]], numbers[there]


class Gatherer:
    """Adds up batches of one tag's histograms."""

    def __init__(self, digits: int, rows: Rows, edges_s: np.ndarray) -> None:
        self.rows = rows
        self.edges_s = edges_s
        self.values = counter_values(digits)
        self.bin_of = np.minimum(np.log2(np.maximum(self.values, 1)) * BINS_PER_OCTAVE, BINS - 1).astype(np.int64)
        self.counts = np.zeros(len(self.values))
        self.grid = np.zeros((len(edges_s) - 1) * BINS)
        self.kept: list[np.ndarray] = []
        self.medians: list[np.ndarray] = []
        self.worsts: list[np.ndarray] = []

    def add(self, begin: int) -> None:
        owner, index, count = decode(self.rows.payloads[begin : begin + BATCH])
        foreign = np.unique(owner[(index < 0) | (index >= len(self.values))])
        if len(foreign):
            sound = ~np.isin(owner, foreign)
            owner, index, count = owner[sound], index[sound], count[sound]
        if len(owner) == 0:
            return
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        passed = np.cumsum(count)
        before = passed[first] - count[first]
        totals = np.add.reduceat(count, first)
        middle = np.searchsorted(passed, before + (totals + 1) // 2)
        self.kept.append(begin + owner[first])
        self.medians.append(self.values[index[middle]])
        self.worsts.append(self.values[index[np.append(first[1:], len(index)) - 1]])
        self.counts += np.bincount(index, count, len(self.values))
        column = np.searchsorted(self.edges_s[1:-1], self.rows.start_s[begin : begin + BATCH], side="right")
        self.grid += np.bincount(column[owner] * BINS + self.bin_of[index], count, len(self.grid))

    def series(self) -> Series | None:
        if not self.kept:
            return None
        kept = np.concatenate(self.kept)
        return Series(np.array(self.rows.start_s)[kept], np.array(self.rows.length_s)[kept], np.concatenate(self.medians),
                      np.concatenate(self.worsts), self.values, self.counts, self.grid.reshape(-1, BINS), self.edges_s)


def read_rows(path: Path) -> tuple[int, dict[str, Rows]]:
    """Digits, and the lines by tag; those that are cut, foreign, or of other digits than the first are skipped."""
    common, tags = 0, {}
    for line in path.read_bytes().split(b"\n")[:-1] if path.is_file() else []:
        fields = line.split(b",")
        if not line.startswith(b"Tag=") or len(fields) != 5:
            continue
        try:
            digits, payload = inflate(fields[4])
            start_s, length_s = float(fields[1]), float(fields[2])
        except ValueError:
            continue
        common = common or digits
        if payload and digits == common and math.isfinite(start_s) and math.isfinite(length_s):
            rows = tags.setdefault(fields[0][4:].decode("utf-8", "replace"), Rows())
            rows.start_s.append(start_s)
            rows.length_s.append(length_s)
            rows.payloads.append(payload)
    return common, tags


def edges_of(tags: dict[str, Rows]) -> np.ndarray:
    """Times between which the grid has a column: an interval each, or equally many where they are many."""
    starts = np.unique(np.concatenate([rows.start_s for rows in tags.values()]))
    end_s = max(start + length for rows in tags.values() for start, length in zip(rows.start_s, rows.length_s))
    return np.append(starts[:: -(-len(starts) // COLUMNS)], max(end_s, starts[-1] + 1e-9))


def read_hlog(path: Path) -> dict[str, Series]:
    """All tags of a log."""
    digits, tags = read_rows(path)
    found = {}
    for tag, rows in tags.items():
        gatherer = Gatherer(digits, rows, edges_of(tags))
        for begin in range(0, len(rows.payloads), BATCH):
            gatherer.add(begin)
        if (series := gatherer.series()) is not None:
            found[tag] = series
    return found


def percentile(values: np.ndarray, counts: np.ndarray, percent: float) -> float:
    """The value below which `percent` of the counts lie; 0 for an empty histogram."""
    if len(values) == 0:
        return 0.0
    passed = np.cumsum(counts)
    return float(values[np.searchsorted(passed, np.ceil(passed[-1] * percent / 100.0))])
