"""A known way to break the library: torture/mutants/NAME.patch, with a header of keys above the patch itself."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = ROOT / "torture" / "mutants"


class CannotBuild(Exception):
    """One line: what is wrong and what to do."""


@dataclass
class Mutant:
    """A patch and what its header says: broken, source, caught_by, survives, engine; for real cores flavor, or scenario (and set)."""

    name: str
    patch: Path
    header: dict[str, str]

    def on_real_cores(self) -> bool:
        return "flavor" in self.header or "scenario" in self.header

    def changed(self) -> set[str]:
        """Files, as they are named from the root."""
        return set(re.findall(r"^\+\+\+ b/(\S+)", self.patch.read_text(), re.M))


def load(patch: Path) -> Mutant:
    header: dict[str, str] = {}
    for line in patch.read_text().split("\n\n", 1)[0].splitlines():
        key, _, value = line.partition(": ")
        header[key] = value
    wanted = {"broken", "source", "caught_by", "survives", "engine"}
    if missing := wanted - header.keys():
        raise CannotBuild(f"{patch.name}: its header lacks {', '.join(sorted(missing))}")
    return Mutant(patch.stem, patch, header)


def chosen(names: list[str]) -> list[Mutant]:
    """Those of these names, or all."""
    all_mutants = {p.stem: p for p in sorted(MUTANTS.glob("*.patch"))}
    for name in names:
        if name not in all_mutants:
            raise CannotBuild(f"no mutant '{name}'; there are: {' '.join(all_mutants)}")
    return [load(all_mutants[name]) for name in names or all_mutants]
