"""Wrong input gets one line that names the cure, exit status 2, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Program
from sandbox import installed

BAD = [
    (["--flavor", "urcu-mem"], "urcu-memb"),
    (["basics"], "basic"),
    (["0*basic"], "N*SCENARIO"),
    (["--set", "nreader=2"], "nreaders"),
    (["--set", "nreaders"], "key=value"),
    (["--set", "nreaders=-5"], "out of range"),
    (["--set", "nreaders=two"], "whole number"),
    (["--set", "phase_length=1.5"], "duration"),
    (["--set", "signal_period=19us"], "out of range"),
    (["--set", "workload=tree"], "pointer, list or hash"),
    (["--flavor", "srcud", "--set", "strategy=nolock:irq_off"], "nolock:irqs_off"),
    (["--flavor", "urcu-memb", "--set", "strategy=direct"], "this project's SRCU"),
    (["NMI-STEP", "--set", "nmi_strategies=direct"], "nolock:always"),
    (["--set", "phases=chaos"], "ordering races liveness control"),
    (["--place", "scater"], "scatter"),
    (["--place", "list:99999"], "99999"),
    (["--duration", "soon"], "--duration: 'soon'"),
    (["--fail-on", "latency=soon"], "--fail-on latency: 'soon'"),
    (["--duration", "-5s"], "-5s"),
    (["--seed", "0xZZ"], "0x1234"),
    (["--fail-on", "sneezes"], "near_miss"),
    (["--stop-latency", "soon"], "'soon': write a duration from 1ms to 1d"),
    (["--stop-latency", ""], "from 1ms"),
    (["--stop-latency", "-5ms"], "'-5ms'"),
    (["--stop-latency", "100us"], "from 1ms"),
    (["--stop-latency", "2d"], "to 1d"),
    (["--plugin", "/no/such.so"], "no such file"),
    (["--frobnicate"], "--frobnicate"),
    (["smokey"], "did you mean smoke"),
    (["3*smok"], "did you mean smoke"),
    (["--duration", "999999999d"], "36500d"),
    (["--duration", "1e99d"], "36500d"),
    (["--duration", "1e400d"], "36500d"),
    (["--fail-on", "latency=1e99s"], "36500d"),
    (["--stop-latency", "1e99s"], "to 1d"),
    (["--duration", ""], "--duration"),
    (["--flavor", ""], "--flavor"),
    (["--plugin", ""], "--plugin"),
    (["--seed", ""], "--seed"),
    (["--place", ""], "--place"),
    (["--fail-on", ""], "--fail-on"),
    (["--set", ""], "--set"),
]

# What each of the loader's faults says; the file is plugin_for_test.c.
PLUGINS = [
    (["-DPLUGIN_EMPTY"], "exports no srcutorture_ops"),
    (["-DPLUGIN_VERSION=99"], "version 99"),
    (["-DPLUGIN_SIZE=16"], "size 16"),
    (["-DPLUGIN_SYNCHRONIZE=NULL"], "neither synchronize nor call"),
]

# Lines of a scenario file, and what the error says behind its name.
BAD_SCENARIOS = [
    ("nreaders = 2\nnwriters = = 3\n", ":2:12: "),
    ("nreaders = 2\nnreader = 3\n", ":2:11: nreader: "),
    ("nreaders = 200\n", ":1:12: nreaders: nreaders=200 is out of range"),
    ("\nnreaders = [2]\n", ":2:12: nreaders: takes a whole number"),
    ('phase_length = "soon"\n', ":1:16: phase_length: "),
    ('\ntorture_type = "urcu-mem"\n', ":2:16: torture_type: no flavour 'urcu-mem'; did you mean urcu-memb?"),
    ('place = "scater"\n', ":1:9: place: "),
    ('workload = "tree"\n', ":1:12: workload: "),
    ('phases = "chaos"\n', ":1:10: phases: "),
    ('locked_contexts = "rq_lok"\n', ":1:19: locked_contexts: "),
    ('srcu_locks = "mutex"\n', ":1:14: srcu_locks: "),
    ('session = "nmi"\n', ":1:11: session: "),
    ('torture_type = "srcud"\nstrategy = "nolocks"\n', ":2:12: strategy: "),
]
BAD_SETS = [
    ("smoke = [\n", ":"),
    ('smoke = ["basic", 3]\n', ":1:19: smoke: a set is a list of names in quotes"),
    ("smoke = 3\n", ":1:9: a set is a list of names"),
    ("smoke = []\n", ":1:9: smoke: a set names at least one scenario"),
    ('urcu = ["basic"]\nsmoke = ["basic", "2*urcu"]\n', ":2:19: smoke: 'urcu' is a set itself"),
]


@pytest.mark.parametrize(("args", "cure"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_bad_option(program: Program, args: list[str], cure: str) -> None:
    ended = program.run(*args)
    assert ended.status == 2, ended.err
    assert cure in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
    assert not program.dir.exists()


def test_empty_out_is_refused(program: Program) -> None:
    ended = program.call("run", "--flavor", "urcu-memb", "--duration", "1s", "--out", "")
    assert (ended.status, len(ended.err.strip().splitlines())) == (2, 1), ended.err
    assert "--out" in ended.err
    assert not list(program.cwd.iterdir())


def test_plugin_that_is_no_shared_object(program: Program) -> None:
    (program.cwd / "words.so").write_text("no object")
    ended = program.run("--plugin", "./words.so")
    assert (ended.status, len(ended.err.strip().splitlines())) == (2, 1), ended.err
    assert "words.so does not load" in ended.err
    assert not program.dir.exists()


@pytest.mark.parametrize(("flags", "words"), PLUGINS, ids=lambda value: value[0] if isinstance(value, list) else "")
def test_plugin_that_does_not_fit(program: Program, flags: list[str], words: str) -> None:
    source = ROOT / "torture" / "flavors" / "plugin_for_test.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-I", ROOT, *flags, "-o", program.cwd / "bad.so", source], check=True)
    ended = program.run("--plugin", "./bad.so")
    assert (ended.status, len(ended.err.strip().splitlines())) == (2, 1), ended.err
    assert "bad.so" in ended.err and words in ended.err
    assert not program.dir.exists()


def test_plugin_beside_another_flavor_is_refused(program: Program) -> None:
    source = ROOT / "torture" / "flavors" / "plugin_for_test.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-I", ROOT, "-o", program.cwd / "good.so", source], check=True)
    ended = program.run("--plugin", "./good.so", "--flavor", "trivial")
    assert (ended.status, len(ended.err.strip().splitlines())) == (2, 1), ended.err
    assert "brings flavour 'test-plugin', but --flavor trivial asks for another" in ended.err
    assert not program.dir.exists()


def test_plugin_that_ends_who_loads_it_is_refused(program: Program) -> None:
    source = ROOT / "torture" / "flavors" / "plugin_for_test.c"
    for at_load, words in (("abort", "by SIGABRT"), ("start_thread", "start it in create()")):
        subprocess.run(["cc", "-shared", "-fPIC", "-I", ROOT, f"-DPLUGIN_AT_LOAD={at_load}", "-o", program.cwd / "bad.so", source],
                       check=True)
        ended = program.run("--plugin", "./bad.so")
        assert (ended.status, len(ended.err.strip().splitlines())) == (2, 1), ended.err
        assert words in ended.err
        assert not program.dir.exists()


def test_words_of_the_command_line_are_not_blamed_on_the_file(tmp_path: Path) -> None:
    program, scenarios = with_scenarios(tmp_path)
    (scenarios / "GOOD.toml").write_text('workload = "list"\nplace = "none"\n')
    for wrong in (["--set", "workload=tree"], ["--place", "scater"]):
        assert "GOOD.toml" not in program.run("GOOD", *wrong).err


def with_scenarios(tmp_path: Path) -> tuple[Program, Path]:
    """The program beside a folder of scenarios of its own."""
    place = tmp_path / "place"
    place.mkdir()
    return Program(tmp_path, installed(place)), place / "share" / "srcutorture"


@pytest.mark.parametrize(("lines", "words"), BAD_SCENARIOS)
def test_error_in_a_scenario_has_file_line_and_column(tmp_path: Path, lines: str, words: str) -> None:
    program, scenarios = with_scenarios(tmp_path)
    (scenarios / "BAD.toml").write_text(lines)
    ended = program.run("BAD")
    assert (ended.status, len(ended.err.strip().splitlines())) == (2, 1), ended.err
    assert f"{scenarios / 'BAD.toml'}{words}" in ended.err, ended.err
    assert not program.dir.exists()


@pytest.mark.parametrize(("lines", "words"), BAD_SETS)
def test_error_in_the_sets_has_file_line_and_column(tmp_path: Path, lines: str, words: str) -> None:
    program, scenarios = with_scenarios(tmp_path)
    (scenarios / "sets.toml").write_text(lines)
    ended = program.run("basic")
    assert (ended.status, len(ended.err.strip().splitlines())) == (2, 1), ended.err
    assert f"{scenarios / 'sets.toml'}{words}" in ended.err, ended.err
    assert not program.dir.exists()


def test_out_that_is_used_is_refused_and_left_alone(program: Program) -> None:
    program.dir.mkdir()
    (program.dir / "mine").write_text("mine")
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s")
    assert ended.status == 2
    assert [p.name for p in program.dir.iterdir()] == ["mine"]


def test_out_that_cannot_be_made_is_broken(program: Program) -> None:
    ended = program.call("run", "--flavor", "urcu-memb", "--duration", "1s", "--out", "/proc/nowhere/x")
    assert ended.status == 3
    assert "--out" in ended.err


@pytest.mark.parametrize("spoil", ["missing", "empty", "foreign", "file", "pipe"])
def test_check_refuses_what_is_no_run(program: Program, tmp_path: Path, spoil: str) -> None:
    target = tmp_path / "dir"
    if spoil == "file":
        target.write_text("x")
    elif spoil == "pipe":
        target.mkdir()
        os.mkfifo(target / "plan.json")
    elif spoil != "missing":
        target.mkdir()
        if spoil == "foreign":
            (target / "plan.json").write_text("{}")
    ended = program.call("check", str(target))
    assert ended.status == 2
    assert len(ended.err.strip().splitlines()) == 1


def test_check_neither_waits_for_a_pipe_nor_obeys_what_files_say(program: Program) -> None:
    ended = program.run("--flavor", "busted_no_wait", "--duration", "5s")
    events = ended.dir / "basic" / "events.jsonl"
    events.write_text(events.read_text().replace('"message":"', '"message":"\\u001b]0;x\\u0007'))
    told = program.call("check", str(ended.dir))
    assert told.status == 1 and "too_short_gp" in told.out
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", told.out)
    events.unlink()
    os.mkfifo(events)
    assert program.call("check", str(ended.dir)).status == 1  # verdict.json is there


def test_no_subcommand_and_unknown_list(program: Program) -> None:
    assert program.call().status == 2
    mistyped = program.call("topologi", "--threads", "2")
    assert (mistyped.status, len(mistyped.err.strip().splitlines())) == (2, 1)
    assert "'topologi'; did you mean topology?" in mistyped.err
    assert program.call("list", "flavours").status == 2
    assert "flavors" in program.call("list", "flavours").err


@pytest.mark.parametrize("what", ["scenarios", "sets", "flavors", "placements", "params", "checks", "strategies"])
def test_lists_have_a_name_and_a_sentence(program: Program, what: str) -> None:
    ended = program.call("list", what)
    assert ended.status == 0
    for line in ended.out.splitlines():
        name, *_, sentence = line.split("\t")
        assert name and sentence
    assert program.call("list", what, "--json").status == 0


def test_placements_are_explained(program: Program) -> None:
    lines = dict(line.split("\t") for line in program.call("list", "placements").out.splitlines())
    assert "siblings" in lines["compact"] and "last-level cache" in lines["same-llc"]
    assert all(" " in sentence and "see:" not in sentence for sentence in lines.values()), lines
    assert len(set(lines.values())) == len(lines)


def test_dry_run_prints_the_command_that_runs(program: Program) -> None:
    ended = program.run("--dry-run", "basic", "--duration", "2s", "--seed", "0x5eed")
    command = ended.out.splitlines()[-1]
    assert "--dry-run" not in command
    assert command.endswith("run basic --duration 2s --seed 0x5eed"), command


def test_seed_of_the_command_is_an_option(program: Program) -> None:
    ended = program.run("--dry-run", "--duration", "2s", "--seed", "0x5eed", "--", "basic")
    assert ended.out.splitlines()[-1].endswith("run --duration 2s --seed 0x5eed -- basic"), ended.out


def test_units_of_durations_are_listed(program: Program) -> None:
    lines = dict(line.split("\t") for line in program.call("list", "params").out.splitlines())
    assert "(default 4s; " in lines["stall_limit"] and "a bare number is seconds" in lines["stall_limit"]
    assert lines["garbage_bound"].endswith(" bytes)") and "seconds" not in lines["nreaders"]


def test_dry_run_creates_nothing(program: Program) -> None:
    ended = program.run("--dry-run", "smoke")
    assert ended.status == 0
    assert "reader/0" in ended.out and "--seed 0x" in ended.out
    assert not program.dir.exists()


def test_topology_of_a_described_machine(program: Program) -> None:
    ended = program.call("topology", "--synthetic", "pack:2 numa:2 core:8 pu:2", "--place", "readers@numa:0 updaters@numa:1")
    assert ended.status == 0
    assert "64 PUs" in ended.out
    assert program.call("topology", "--synthetic", "potatoes").status == 2


def test_topology_takes_one_description(program: Program) -> None:
    (program.cwd / "machine.xml").write_text("<topology/>")
    both = program.call("topology", "--xml", "machine.xml", "--synthetic", "core:2 pu:2")
    assert (both.status, len(both.err.strip().splitlines())) == (2, 1), both.err
    assert "--xml" in both.err and "--synthetic" in both.err
    for option in ("--xml", "--synthetic", "--svg", "--place"):
        empty = program.call("topology", option, "")
        assert (empty.status, len(empty.err.strip().splitlines())) == (2, 1), empty.err
        assert option in empty.err


def test_picture_that_cannot_be_written_names_itself_and_the_cure(program: Program) -> None:
    ended = program.call("topology", "--synthetic", "core:2 pu:2", "--svg", "nowhere/x.svg")
    assert ended.status == 3
    assert "nowhere/x.svg: No such file or directory; make its directory first" in ended.err
    assert ".tmp" not in ended.err
