"""Kinds of words on command lines, for argparse."""

from __future__ import annotations

import argparse
import math
import re
import sys
from pathlib import Path
from typing import NoReturn


class OneLine(argparse.ArgumentParser):
    """What is wrong with a call, in a line."""

    def error(self, message: str) -> NoReturn:
        script = self.prog.split()[0]  # without a subcommand's name
        print(f"{script}: {' '.join(message.split())}; see --help", file=sys.stderr)
        sys.exit(2)


def number(words: str, least: int, most: int = 1_000_000) -> int:
    if not re.fullmatch(r"[+-]?\d{1,9}", words) or not least <= int(words) <= most:
        raise argparse.ArgumentTypeError(f"{words!r} is no whole number from {least} to {most}")
    return int(words)


def positive(words: str) -> int:
    """A count that is not 0: nothing done is no success."""
    return number(words, 1)


def from_zero(words: str) -> int:
    return number(words, 0)


def seconds(words: str) -> float:
    """Not so many that nobody could wait, nor too few to count."""
    try:
        value = float(words)
    except ValueError:
        value = math.nan
    if not 1e-6 <= value <= 1e6:
        raise argparse.ArgumentTypeError(f"{words!r} is no time in seconds, from 0.000001 to 1000000")
    return value


def program(words: str) -> Path:
    """Never one that only PATH knows."""
    return Path(words).absolute()


def files_name(words: str) -> Path:
    """To which endings are put."""
    if not (path := Path(words)).name or path.name == ".." or "\0" in words:
        raise argparse.ArgumentTypeError(f"{words!r} is no name of a file")
    return path


def with_ending(name: Path, ending: str) -> Path:
    """The name may have dots in it."""
    return name.with_name(name.name + ending)
