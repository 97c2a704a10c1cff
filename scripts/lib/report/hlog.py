"""Reads HdrHistogram V2 interval logs: the .hlog files of a run."""

from __future__ import annotations

import base64
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .text import whole_lines


@dataclass(frozen=True)
class Interval:
    """What one tag recorded in one stretch of time; values in nanoseconds, ascending."""

    tag: str
    start_s: float
    length_s: float
    values: np.ndarray
    counts: np.ndarray


def value_of(index: np.ndarray, digits: int) -> np.ndarray:
    """The highest value of each counter, for lowest discernible value 1."""
    magnitude = (2 * 10**digits - 1).bit_length()
    half = 1 << (magnitude - 1)
    bucket = np.maximum(index // half - 1, 0)
    sub = np.where(index < 2 * half, index, index % half + half)
    return ((sub + 1) << bucket) - 1


def varints(payload: bytes) -> np.ndarray:
    """ZigZag LEB128 numbers, at most nine bytes each, of which the ninth carries eight bits."""
    data = np.frombuffer(payload, dtype=np.uint8).astype(np.uint64)
    last = data < 0x80
    starts = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    lengths = np.diff(np.concatenate([starts, [len(data)]]))
    if lengths.max(initial=0) > 8 or not last[-1]:
        return slow_varints(payload)
    place = np.arange(len(data)) - np.repeat(starts, lengths)
    raw = np.add.reduceat((data & np.uint64(0x7F)) << (7 * place).astype(np.uint64), starts).astype(np.int64)
    return (raw >> 1) ^ -(raw & 1)


def slow_varints(payload: bytes) -> np.ndarray:
    """The same byte by byte: for counts beyond 2^55, whose ninth byte looks like no other."""
    found, at = [], 0
    while at < len(payload):
        raw = 0
        for number in range(9):
            byte = payload[at]
            at += 1
            raw |= (byte if number == 8 else byte & 0x7F) << 7 * number
            if byte < 0x80:
                break
        found.append((raw >> 1) ^ -(raw & 1))
    return np.array(found, dtype=np.int64)


def decode_counts(payload: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Indices and counts of the counters that are not zero; a negative number is a run of zeros."""
    if not payload:
        return np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    numbers = varints(payload)
    steps = np.where(numbers < 0, -numbers, 1)
    indices = np.cumsum(steps) - steps
    return indices[numbers > 0], numbers[numbers > 0]


def decode(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Values and counts of one encoded histogram; ValueError if it is none."""
    try:
        packed = base64.b64decode(text, validate=True)
        cookie, length = struct.unpack_from(">II", packed)
        plain = zlib.decompress(packed[8 : 8 + length])
        inner, payload_length, _, digits = struct.unpack_from(">IIII", plain)
        if (cookie, inner) != (0x1C849314, 0x1C849313):
            raise ValueError("not an HdrHistogram V2")
        indices, counts = decode_counts(plain[40 : 40 + payload_length])
    except (struct.error, zlib.error, IndexError) as error:
        raise ValueError(f"not an HdrHistogram V2: {error}") from error
    return value_of(indices, digits), counts


def read_hlog(path: Path) -> Iterator[Interval]:
    """All intervals of a log; lines that are cut or foreign are skipped."""
    for line in whole_lines(path):
        fields = line.split(",")
        if line.startswith(("#", '"')) or not line.startswith("Tag=") or len(fields) != 5:
            continue
        try:
            values, counts = decode(fields[4])
            yield Interval(fields[0][4:], float(fields[1]), float(fields[2]), values, counts)
        except ValueError:
            continue


def merge(intervals: list[Interval]) -> tuple[np.ndarray, np.ndarray]:
    """One histogram of many intervals: sorted values and their counts."""
    if not intervals:
        return np.array([], dtype=np.int64), np.array([], dtype=np.int64)
    values, where = np.unique(np.concatenate([i.values for i in intervals]), return_inverse=True)
    counts = np.bincount(where, weights=np.concatenate([i.counts for i in intervals])).astype(np.int64)
    return values, counts


def percentile(values: np.ndarray, counts: np.ndarray, percent: float) -> float:
    """The value below which `percent` of the counts lie; 0 for an empty histogram."""
    if len(values) == 0:
        return 0.0
    passed = np.cumsum(counts)
    return float(values[np.searchsorted(passed, np.ceil(passed[-1] * percent / 100.0))])
