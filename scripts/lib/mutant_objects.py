"""Objects of sources that a mutant leaves as they are, compiled once for all mutants and kept in the build directory."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

Command = list[str | Path]
Run = Callable[[list[Command], Path], None]


@dataclass
class Stock:
    """`folder` holds an object and a list of its parts for each of `sources`, which are named from the root."""

    folder: Path
    sources: list[Path]

    def object(self, source: Path) -> Path:
        return self.folder / f"{str(source).replace('/', '.')}.o"

    def unchanged(self, changed: set[str]) -> list[Path]:
        """Sources of which no part has changed."""
        def parts(source: Path) -> list[str]:
            return self.object(source).with_suffix(".d").read_text().replace("\\\n", " ").split()

        return [source for source in self.sources if not any(part.endswith(f"/{name}") for part in parts(source) for name in changed)]


def digest(root: Path, rooms: list[str], command: Command) -> str:
    seen = hashlib.sha256(repr([str(word) for word in command]).encode())
    for room in rooms:
        for file in sorted(p for p in (root / room).rglob("*") if p.is_file()) or [root / room]:
            seen.update(str(file).encode() + b"\0" + file.read_bytes())
    return seen.hexdigest()[:16]


def stock_of(root: Path, rooms: list[str], sources: list[Path], command: Command, kept: Path, run: Run) -> Stock:
    """The one in `kept`, if it is of these sources and this command; else it is compiled, and takes the place of what was there."""
    stock = Stock(kept / digest(root, rooms, command), sources)
    if stock.folder.exists():
        return stock
    kept.mkdir(parents=True, exist_ok=True)
    making = Stock(Path(tempfile.mkdtemp(dir=kept)), sources)
    run([[*command, "-MMD", "-c", root / source, "-o", making.object(source)] for source in sources], root)
    for other in kept.iterdir():
        if other not in (making.folder, stock.folder):
            shutil.rmtree(other, ignore_errors=True)
    try:
        os.rename(making.folder, stock.folder)
    except OSError:  # somebody else was faster
        shutil.rmtree(making.folder)
    return stock
