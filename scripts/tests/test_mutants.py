"""scripts/mutants.py: every known way to break the library is noticed, by the check that its patch names."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import PROGRAM, ROOT, sanitizers

sys.path.insert(0, str(ROOT / "scripts"))

import mutants
from lib import mutant_objects, mutant_program
from lib.mutant import MUTANTS, CannotBuild, chosen, load

NAMES = [mutant.name for mutant in chosen([]) if mutant.on_real_cores()]
pytestmark = pytest.mark.skipif(bool(sanitizers()), reason="the program of this build has a sanitizer that a plugin has not")


SCENARIO_DURATION = "30s"  # those on the kernel model show themselves within seconds, or after a stall's limit; later under load


def duration_of(name: str) -> str:
    return SCENARIO_DURATION if "scenario" in load(MUTANTS / f"{name}.patch").header else "1m"


def call(*args: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([ROOT / "scripts" / "mutants.py", "--program", PROGRAM, *args], capture_output=True, text=True, timeout=300)


@pytest.mark.parametrize("name", NAMES)
def test_is_killed_by_the_check_that_it_names(name: str, tmp_path: Path) -> None:
    done = call(name, "--seeds", "1", "--duration", duration_of(name), "--json", tmp_path / "out.json")
    assert done.returncode == 0, done.stdout + done.stderr
    (result,) = json.loads((tmp_path / "out.json").read_text())
    assert result["name"] == name
    assert result["runs"][0]["check"] in result["caught_by"].split()


def test_one_that_lives_is_said() -> None:
    done = call("no_flip", "--seeds", "1", "--duration", "500ms")  # its phase does not come
    assert done.returncode == 1
    assert done.stdout.split()[:3] == ["no_flip", "0/1", "-"]
    assert "WANTED stalled_gp" in done.stdout


def test_unknown_name_is_refused_with_those_that_there_are() -> None:
    done = call("no_flop")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("mutants.py: no mutant 'no_flop'; there are: asks_and_leaves_in_two_steps")


def test_one_for_the_engine_alone_is_not_tortured() -> None:
    done = call("word_read_late")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "mutants.py: word_read_late is for the engine alone: add --engine\n"


def test_nothing_done_is_refused() -> None:
    done = call("no_flip", "--seeds", "0")
    assert done.returncode == 2 and "--seeds" in done.stderr


def test_objects_that_a_mutant_changes_are_not_from_the_stock(tmp_path: Path) -> None:
    parts = {"a.cpp": ["srcu/core/a.cpp", "srcu/core/shared.hpp"], "b.cpp": ["srcu/core/b.cpp"]}
    stock = mutant_objects.Stock(tmp_path, [Path("srcu/core") / name for name in parts])
    for source in stock.sources:
        lines = " \\\n".join(f"/tree/{part}" for part in parts[source.name])
        stock.object(source).with_suffix(".d").write_text(f"x.o: {lines}\n")
    assert [s.name for s in stock.unchanged({"srcu/core/b.cpp"})] == ["a.cpp"]
    assert [s.name for s in stock.unchanged({"srcu/core/shared.hpp"})] == ["b.cpp"]
    assert [s.name for s in stock.unchanged({"srcu/core/other.hpp"})] == ["a.cpp", "b.cpp"]


def test_the_stock_is_made_anew_when_a_source_or_the_command_changes(tmp_path: Path) -> None:
    (tmp_path / "srcu").mkdir()
    source = tmp_path / "srcu" / "a.cpp"
    source.write_text("int a;\n")
    made: list[int] = []

    def run(commands: list[list[str | Path]], cwd: Path) -> None:
        made.append(len(commands))

    def stock(*command: str) -> mutant_objects.Stock:
        return mutant_objects.stock_of(tmp_path, ["srcu"], [Path("srcu/a.cpp")], list(command), tmp_path / "kept", run)

    first = stock("cc")
    assert stock("cc").folder == first.folder and made == [1]
    assert stock("cc", "-O2").folder != first.folder and made == [1, 1]
    source.write_text("int b;\n")
    assert stock("cc", "-O2").folder != first.folder and made == [1, 1, 1]
    assert len(list((tmp_path / "kept").iterdir())) == 1


def test_patch_without_its_header_is_refused(tmp_path: Path) -> None:
    (tmp_path / "half.patch").write_text("broken: something\nflavor: srcu\n\n--- a/x\n")
    with pytest.raises(CannotBuild, match="half.patch: its header lacks caught_by, engine, source, survives"):
        load(tmp_path / "half.patch")


def test_patch_that_no_longer_fits_is_refused(tmp_path: Path) -> None:
    patch = tmp_path / "old.patch"
    patch.write_text((MUTANTS / "no_flip.patch").read_text().replace("show_rank(usage);", "shew_rank(usage);"))
    with pytest.raises(CannotBuild, match="patch failed: srcu/core/gp.cpp"):
        mutants.build(load(patch), tmp_path, PROGRAM)


def test_deferral_has_ten_mutants_at_least() -> None:
    deferral = [name for name in NAMES if "scenario" in load(MUTANTS / f"{name}.patch").header]
    assert len(deferral) >= 10


def test_scenario_needs_no_flavor_and_its_settings_are_words_of_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patch = tmp_path / "some.patch"
    header = "broken: b\nsource: s\nscenario: LOCKED-RQ\nset: strategy=direct 'locked_contexts=rq_lock nmi'\ncaught_by: c\nsurvives: s\nengine: none, e\n\n"
    body = (MUTANTS / "kick_under_lock.patch").read_text().split("\n\n", 1)[1]
    patch.write_text(header + body)
    monkeypatch.setattr(mutants, "build_program", lambda mutant, where, program: Path("mutated"))
    built = mutants.build(load(patch), tmp_path / "where", PROGRAM)
    settings = ["--set", "strategy=direct", "--set", "locked_contexts=rq_lock nmi"]
    assert built.command == [Path("mutated"), "run", "LOCKED-RQ", *settings]
    assert built.scenario == "LOCKED-RQ"


def test_objects_are_built_again_that_a_changed_header_is_part_of() -> None:
    found = mutant_program.built_from(PROGRAM.parent, {"srcu/platform/irq.hpp"})
    assert any(name.endswith("/platform/irq.cpp.o") for name in found)
    assert any(name.endswith("/torture_kernel.dir/cpu.cpp.o") for name in found)
    assert not any(name.endswith("/harness_base.dir/random.cpp.o") for name in found)


def test_program_outside_a_build_directory_is_refused(tmp_path: Path) -> None:
    done = call("kick_under_lock", "--program", tmp_path / "srcutorture")
    assert (done.returncode, done.stdout) == (3, "")
    assert "is no build directory of ninja's, from which kick_under_lock could be built" in done.stderr
