"""Kinds of words on command lines, for argparse."""

from __future__ import annotations

import argparse
import re


def number(words: str, least: int, most: int = 1_000_000) -> int:
    if not re.fullmatch(r"[+-]?\d{1,9}", words) or not least <= int(words) <= most:
        raise argparse.ArgumentTypeError(f"{words!r} is no whole number from {least} to {most}")
    return int(words)


def positive(words: str) -> int:
    """A count that is not 0: nothing done is no success."""
    return number(words, 1)


def from_zero(words: str) -> int:
    return number(words, 0)
