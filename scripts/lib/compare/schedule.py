"""Which side runs when: every side once a round, so that whatever drifts or bursts hits all alike."""

from __future__ import annotations

import random
from typing import TypeVar

Side = TypeVar("Side")


def rounds(sides: list[Side], count: int, seed: int) -> list[list[Side]]:
    """Rounds in pairs: the order of the first is drawn, the second has the reverse of it (ABBA). What drifts steadily then
    weighs the same on each side, and what comes back with a period meets no side more often than another."""
    draw = random.Random(seed)
    found: list[list[Side]] = []
    while len(found) < count:
        order = draw.sample(sides, len(sides))
        found += [order, order[::-1]]
    return found[:count]
