"""A program of the build once more, with a mutant in it: its own commands, for the objects that differ."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from lib.mutant import ROOT, CannotBuild, Mutant


def called(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run([*map(str, command)], cwd=cwd, capture_output=True, text=True)
    if done.returncode != 0:
        lines = (done.stderr + done.stdout).strip().splitlines() or ["no message"]
        raise CannotBuild(next((line for line in lines if "error" in line or "FAILED" in line), lines[-1]))
    return done.stdout


def in_parallel(commands: list[list[str | Path]], cwd: Path) -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda command: called(*command, cwd=cwd), commands))


def patched(mutant: Mutant, where: Path) -> None:
    """Puts a copy of srcu/ below `where`, with the mutant in it."""
    shutil.copytree(ROOT / "srcu", where / "srcu", dirs_exist_ok=True)
    called("git", "apply", mutant.patch, cwd=where)


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


def in_copy(word: str, where: Path) -> list[str]:
    """A word of a compiler's command that takes from the copy what it took from the tree; of the tree, what is no copy."""
    if word == f"-I{ROOT}":
        return [f"-I{where}", word]
    return [word.replace(f"{ROOT}/srcu/", f"{where}/srcu/")]


def build_program(mutant: Mutant, where: Path, program: Path) -> Path:
    """From a copy that is patched(). An object that the link names itself comes ahead of what archives hold."""
    program = program.resolve()
    build_dir = next((folder for folder in program.parents if (folder / "build.ninja").exists()), None)
    if build_dir is None:
        raise CannotBuild(f"{program.parent} is no build directory of ninja's, from which {mutant.name} could be built")
    *compiles, link = called("ninja", "-t", "commands", str(program.relative_to(build_dir)), cwd=build_dir).splitlines()
    words = shlex.split(link.removeprefix(": && ").removesuffix(" && :"))
    at = words.index("-o")
    commands = [command for command in map(shlex.split, compiles) if "-c" in command]
    differ = built_from(build_dir, mutant.changed())
    named = {source_of(command) for command in commands if output_of(command) in words[:at]}
    again, objects = [], []
    for command in commands:
        out = output_of(command)
        # Of a source that has an object of its own in the link, what archives hold is not taken.
        if out not in differ or (source_of(command) in named and out not in words[:at]):
            continue
        (where / out).parent.mkdir(parents=True, exist_ok=True)
        objects.append(where / out)
        again.append([new for word in command for new in in_copy(word, where)] + ["-Wno-error"])  # what is broken may be unused
    if not again:
        raise CannotBuild(f"nothing that {mutant.name} changes is part of {program}: build it in this tree")
    in_parallel(again, where)
    mutated = where / program.name
    kept = [word for word in words[:at] if where / word not in objects]  # an object that is named itself, and not in an archive
    called(*kept, *objects, "-o", mutated, *words[at + 2:], cwd=build_dir)
    return mutated
