#!/usr/bin/python3
"""Breaks the SRCU library in known ways, and sees whether the torture notices.

Each torture/mutants/NAME.patch is applied to a copy of srcu/ and run with a few seeds. Printed: how often it was killed,
by which check, and how long that took (median). Ends with 1 if a mutant lived, or was noticed by another check than its
patch names.

A patch whose header names a flavor is built as a plugin, which the program tortures with scenario basic. One that names a
scenario of the kernel model instead, and perhaps what to set, becomes a program of its own: its objects are linked ahead of
the built program's archives, for the model is part of the program and knows the library's insides.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from lib.arguments import positive
from lib.mutant_objects import stock_of

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = ROOT / "torture" / "mutants"
TABLES = {"srcu": "srcu_normal", "srcud": "srcu_dynamic", "srcu-nmisafe": "srcu_nmisafe", "srcu-updown": "srcu_updown",
          "srcu-fast": "srcu_fast", "srcu-fast-updown": "srcu_fast_updown", "tasks-trace": "tasks_trace"}
FLAGS = ["-std=c++20", "-O2", "-g1", "-fPIC", "-fvisibility=hidden", "-fno-exceptions", "-fno-rtti", "-ftls-model=initial-exec",
         '-DSRCU_API=__attribute__((visibility("hidden")))']  # or the program's own, sound copy would be tortured
CHAOS_FLAGS = ["-fsanitize=thread", "--param=tsan-instrument-func-entry-exit=0", "--param=tsan-distinguish-volatile=1", "-Wno-tsan"]
if platform.machine() == "x86_64":
    CHAOS_FLAGS.append("-DSRCU_ONE_INSTRUCTION")  # the count is a mutant's, not a call's


class CannotBuild(Exception):
    """One line: what is wrong and what to do."""


@dataclass
class Mutant:
    """A patch and what its header says: broken, source, flavor or scenario (and set), caught_by, survives."""

    name: str
    patch: Path
    header: dict[str, str]


@dataclass
class Built:
    """Where runs of a mutant may leave things, and how one begins."""

    where: Path
    command: list[str | Path]
    scenario: str


@dataclass
class Outcome:
    """One run of one mutant."""

    check: str | None
    seconds: float
    chaos: int | None = None  # how often it was disturbed; none: it was not to be


def load(patch: Path) -> Mutant:
    header: dict[str, str] = {}
    for line in patch.read_text().split("\n\n", 1)[0].splitlines():
        key, _, value = line.partition(": ")
        header[key] = value
    wanted = {"broken", "source", "caught_by", "survives"} | ({"scenario"} if "scenario" in header else {"flavor"})
    if missing := wanted - header.keys():
        raise CannotBuild(f"{patch.name}: its header lacks {', '.join(sorted(missing))}")
    return Mutant(patch.stem, patch, header)


def called(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no message"]
        raise CannotBuild(next((line for line in lines if "error" in line or "FAILED" in line), lines[-1]))
    return done.stdout


def in_parallel(commands: list[list[str | Path]], cwd: Path) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: called(*command, cwd=cwd), commands))


def build(mutant: Mutant, where: Path, program: Path, chaos: bool = False) -> Built:
    """A patched copy below `where`, made into something to torture."""
    shutil.copytree(ROOT / "srcu", where / "srcu", dirs_exist_ok=True)
    called("git", "apply", mutant.patch, cwd=where)
    asked = ["--chaos"] if chaos else []
    if "scenario" not in mutant.header:
        kept = program.parent / "mutants" / ("chaos" if chaos else "plain")
        plugin = build_plugin(mutant, where, CHAOS_FLAGS if chaos else [], kept)
        return Built(where, [program, "run", "basic", *asked, "--plugin", plugin], "basic")
    words = [word for setting in shlex.split(mutant.header.get("set", "")) for word in ("--set", setting)]
    scenario = mutant.header["scenario"]
    original = program.with_name("srcutorture-chaos") if chaos else program
    return Built(where, [build_program(mutant, where, original), "run", scenario, *asked, *words], scenario)


def changed_by(mutant: Mutant) -> set[str]:
    return set(re.findall(r"^\+\+\+ b/(\S+)", mutant.patch.read_text(), re.M))


def build_plugin(mutant: Mutant, where: Path, flags: list[str], kept: Path) -> Path:
    """`kept`: where objects of what no mutant changes are."""
    rooms = ["torture/flavors", "torture/mutants"]
    for part in rooms:
        shutil.copytree(ROOT / part, where / part, dirs_exist_ok=True)
    for part in ("torture/ops.h", "torture/ops.hpp"):
        shutil.copy(ROOT / part, where / part)
    sources = [p.relative_to(ROOT) for room in ("core", "defer", "host", "platform") for p in sorted((ROOT / "srcu" / room).glob("*.cpp"))
               if not p.stem.endswith(("_test", "_bench"))] + [Path("torture/flavors/srcu.cpp")]

    def compiler(root: Path) -> list[str | Path]:
        return ["c++", *FLAGS, *flags, "-I", root, "-I", root / "srcu/include"]

    stock = stock_of(ROOT, ["srcu", *rooms, "torture/ops.h", "torture/ops.hpp"], sources, compiler(ROOT), kept, in_parallel)
    unchanged = stock.unchanged(changed_by(mutant))
    again = [where / source for source in [*sources, Path("torture/mutants/plugin.cpp")] if source not in unchanged]
    table = f"-DMUTANT_TABLE={TABLES[mutant.header['flavor']]}"
    in_parallel([[*compiler(where), table, "-c", p, "-o", p.with_suffix(".o")] for p in again], where)
    plugin = where / "mutant.so"
    called("c++", "-shared", "-o", plugin, *(p.with_suffix(".o") for p in again), *map(stock.object, unchanged), "-lpthread", cwd=where)
    return plugin


def built_from(build_dir: Path, changed: set[str]) -> set[str]:
    """The objects in the build directory that a changed file is part of, as ninja has noted them."""
    found, current = set(), ""
    for line in called("ninja", "-t", "deps", cwd=build_dir).splitlines():
        if not line.startswith(" "):
            current = line.partition(":")[0]
        elif any(line.endswith(f"/{name}") for name in changed):
            found.add(current)
    return found


def output_of(command: list[str]) -> str:
    return command[command.index("-o") + 1]


def source_of(command: list[str]) -> str:
    return command[command.index("-c") + 1]


def build_program(mutant: Mutant, where: Path, program: Path) -> Path:
    """The program's own commands once more, for the objects that differ. Whoever has one takes none from an archive."""
    build_dir = program.resolve().parent
    if not (build_dir / "build.ninja").exists():
        raise CannotBuild(f"{build_dir} is no build directory of ninja's, from which {mutant.name} could be built")
    *compiles, link = called("ninja", "-t", "commands", program.name, cwd=build_dir).splitlines()
    words = shlex.split(link.removeprefix(": && ").removesuffix(" && :"))
    at = words.index("-o")
    commands = [command for command in map(shlex.split, compiles) if "-c" in command]
    differ = built_from(build_dir, changed_by(mutant))
    named = {source_of(command) for command in commands if output_of(command) in words[:at]}
    again, objects = [], []
    for command in commands:
        out = output_of(command)
        # Of a source that has an object of its own in the link, what archives hold is not taken.
        if out not in differ or (source_of(command) in named and out not in words[:at]):
            continue
        (where / out).parent.mkdir(parents=True, exist_ok=True)
        objects.append(where / out)
        again.append([word.replace(f"{ROOT}/srcu/", f"{where}/srcu/") for word in command])
    if not again:
        raise CannotBuild(f"nothing that {mutant.name} changes is part of {program}: build it in this tree")
    in_parallel(again, where)
    mutated = where / "srcutorture"
    kept = [word for word in words[:at] if where / word not in objects]  # an object that is named itself, and not in an archive
    called(*kept, *objects, "-o", mutated, *words[at + 2:], cwd=build_dir)
    return mutated


def torture(built: Built, seed: int, duration: str) -> Outcome:
    out = built.where / f"run-{seed}"
    command = [*built.command, "--duration", duration, "--seed", hex(seed), "--out", out]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    verdict_file = out / built.scenario / "verdict.json"
    if done.returncode not in (0, 1, 4) or not verdict_file.exists():
        raise CannotBuild(f"the torture did not run: {(done.stderr.strip().splitlines() or ['no message'])[-1]}")
    verdict = json.loads(verdict_file.read_text())
    failures = verdict["failures"]
    chaos = verdict["injectors"].get("chaos")
    if not failures:
        return Outcome(None, verdict["duration_s"], chaos)
    return Outcome(failures[0]["check"], failures[0]["first_s"], chaos)


def report(mutant: Mutant, outcomes: list[Outcome]) -> bool:
    """Prints a mutant's line. True if every run killed it by the check that it names."""
    killed = [o for o in outcomes if o.check]
    checks = sorted({o.check for o in killed if o.check})
    median = f"{statistics.median(o.seconds for o in killed):.2f} s" if killed else "-"
    expected = set(mutant.header["caught_by"].split())
    good = len(killed) == len(outcomes) and set(checks) <= expected
    print(f"{mutant.name:24} {len(killed)}/{len(outcomes)} {median:>9}  {' '.join(checks) or '-':32}"
          f"{'' if good else 'WANTED ' + mutant.header['caught_by']}", flush=True)
    return good


def chosen(names: list[str]) -> list[Mutant]:
    all_mutants = {p.stem: p for p in sorted(MUTANTS.glob("*.patch"))}
    for name in names:
        if name not in all_mutants:
            raise CannotBuild(f"no mutant '{name}'; there are: {' '.join(all_mutants)}")
    return [load(all_mutants[name]) for name in names or all_mutants]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mutants", nargs="*", help="names (default: all)")
    parser.add_argument("--seeds", type=positive, default=3, help="runs of each (default: %(default)s)")
    parser.add_argument("--duration", default="30s", help="longest run (default: %(default)s)")
    parser.add_argument("--program", type=Path, default=ROOT / "build" / "release" / "srcutorture")
    parser.add_argument("--chaos", action="store_true", help="compiled for it, and run with it")
    parser.add_argument("--json", type=Path, help="also write the outcomes here")
    parser.add_argument("--list", action="store_true", help="names and what is broken")
    arguments = parser.parse_args()
    good, results = True, []
    try:
        for mutant in chosen(arguments.mutants):
            if arguments.list:
                print(f"{mutant.name}\t{mutant.header['caught_by']}\t{mutant.header['broken']}")
                continue
            with tempfile.TemporaryDirectory(prefix="mutant-") as where:
                built = build(mutant, Path(where), arguments.program.resolve(), arguments.chaos)
                outcomes = [torture(built, 0x5EED + i, arguments.duration) for i in range(arguments.seeds)]
            good &= report(mutant, outcomes)
            results.append({"name": mutant.name, **mutant.header, "runs": [vars(o) for o in outcomes]})
        if arguments.json:
            arguments.json.write_text(json.dumps(results, indent=2) + "\n")
    except (CannotBuild, OSError) as error:
        print(f"mutants.py: {error}", file=sys.stderr)
        return 3
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
