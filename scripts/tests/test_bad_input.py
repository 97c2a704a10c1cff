"""Wrong input gets one line that names the cure, exit status 2, and leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from conftest import Program

BAD = [
    (["--flavor", "urcu-mem"], "urcu-memb"),
    (["basics"], "basic"),
    (["0*basic"], "N*SCENARIO"),
    (["--set", "nreader=2"], "nreaders"),
    (["--set", "nreaders"], "key=value"),
    (["--set", "nreaders=-5"], "out of range"),
    (["--set", "nreaders=two"], "whole number"),
    (["--set", "phase_length=1.5"], "duration"),
    (["--set", "workload=tree"], "pointer, list or hash"),
    (["--set", "phases=chaos"], "ordering races liveness control"),
    (["--place", "scater"], "scatter"),
    (["--place", "list:99999"], "99999"),
    (["--duration", "soon"], "soon"),
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
]


@pytest.mark.parametrize(("args", "cure"), BAD, ids=lambda value: " ".join(value) if isinstance(value, list) else "")
def test_bad_option(program: Program, args: list[str], cure: str) -> None:
    ended = program.run(*args)
    assert ended.status == 2, ended.err
    assert cure in ended.err
    assert len(ended.err.strip().splitlines()) == 1, ended.err
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


@pytest.mark.parametrize("spoil", ["missing", "empty", "foreign", "file"])
def test_check_refuses_what_is_no_run(program: Program, tmp_path: Path, spoil: str) -> None:
    target = tmp_path / "dir"
    if spoil == "file":
        target.write_text("x")
    elif spoil != "missing":
        target.mkdir()
        if spoil == "foreign":
            (target / "plan.json").write_text("{}")
    ended = program.call("check", str(target))
    assert ended.status == 2
    assert len(ended.err.strip().splitlines()) == 1


def test_no_subcommand_and_unknown_list(program: Program) -> None:
    assert program.call().status == 2
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
