"""Kinds of words on command lines, for argparse."""

from __future__ import annotations


def positive(words: str) -> int:
    """A count that is not 0: nothing done is no success."""
    value = int(words)
    if value < 1:
        raise ValueError(words)
    return value
