"""Sound flavours pass; each broken one is caught, first of all by the check that it names."""

from __future__ import annotations

import re
import subprocess

import pytest
from conftest import PROGRAM, Program


def broken_flavors() -> list[tuple[str, str]]:
    listed = subprocess.run([PROGRAM, "list", "flavors"], capture_output=True, text=True, check=True).stdout
    rows = [line.split("\t") for line in listed.splitlines()]
    return [(row[0], row[1]) for row in rows if len(row) == 3]


@pytest.mark.parametrize(("flavor", "check"), broken_flavors())
def test_broken_flavor_is_caught_first_by_its_check(program: Program, flavor: str, check: str) -> None:
    ended = program.run("--flavor", flavor, "--duration", "20s", "--seed", "0x5eed")
    verdict = ended.verdict("basic")
    assert ended.status == 1
    assert verdict["failures"][0]["check"] == check
    assert verdict["failures"][0]["first_s"] < 10
    assert verdict["signature"].startswith(check)


def test_each_check_that_a_flavour_can_trip_has_one() -> None:
    assert len(broken_flavors()) == 13
    listed = subprocess.run([PROGRAM, "list", "checks"], capture_output=True, text=True, check=True).stdout
    checks = {line.split("\t")[0] for line in listed.splitlines()}
    # A crash and a sanitizer's report are tripped in test_lost_nothing.py and test_sanitizers.py; the others are the lock prover's.
    elsewhere = {"crash", "use_after_free", "lock_cycle", "wait_context", "self_deadlock"}
    assert {check for _, check in broken_flavors()} == checks - elsewhere


def test_sums_of_sections_are_compared_at_the_end_too(program: Program) -> None:
    """In this phase readers are never parked."""
    verdict = program.run("--flavor", "busted_counter_mismatch", "--duration", "3s", "--set", "phases=liveness",
                          "--set", "phase_length=1h").verdict("basic")
    assert [failure["check"] for failure in verdict["failures"]] == ["counter_mismatch"]
    assert verdict["failures"][0]["first_s"] >= 3


@pytest.mark.parametrize("flavor", ["urcu-memb", "urcu-mb", "urcu-qsbr", "urcu-bp", "hazptr", "hazptr-defer", "trivial"])
@pytest.mark.parametrize("workload", ["pointer", "list", "hash"])
def test_sound_flavor_passes(program: Program, flavor: str, workload: str) -> None:
    ended = program.run("--flavor", flavor, "--duration", "3s", "--seed", "0x5eed", "--set", f"workload={workload}",
                        "--set", "phase_length=400ms", "--set", "fwd_progress_holdoff=200ms", "--set", "nwriters=2")
    verdict = ended.verdict("basic")
    assert (ended.status, verdict["verdict"]) == (0, "SUCCESS"), ended.err
    assert verdict["canary"] == "caught"
    assert verdict["counts"]["callbacks_posted"] == verdict["counts"]["callbacks_invoked"]
    assert verdict["counts"]["barriers"] > 0
    assert 3 * 3600 / 3.5 < verdict["bound_per_hour_95"] <= 3600


def test_signal_readers_run_where_the_flavor_allows_them(program: Program) -> None:
    verdict = program.run("--flavor", "urcu-memb", "--duration", "2s").verdict("basic")
    assert verdict["injectors"]["signals"] > 0
    assert verdict["counts"]["signal_reads"] > 0


@pytest.mark.parametrize(("flavor", "posts"), [("hazptr", False), ("hazptr-defer", True)])
def test_hazard_pointers_are_retired_by_handlers_only_through_the_queue(program: Program, flavor: str, posts: bool) -> None:
    counts = program.run("--flavor", flavor, "--duration", "3s").verdict("basic")["counts"]
    assert counts["signal_reads"] > 0
    assert (counts["signal_posts"] > 0) is posts


def test_what_is_left_out_is_said(program: Program) -> None:
    ended = program.run("--flavor", "urcu-qsbr", "--duration", "2s")
    assert "no readers in signal handlers" in (ended.dir / "basic" / "console.log").read_text()
    assert ended.verdict("basic")["counts"]["signal_reads"] == 0


def test_kind_of_grace_period_that_the_flavor_lacks_is_skipped(program: Program) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "2s", "--set", "gp_exp=1")
    assert (ended.status, ended.verdict()["verdict"]) == (4, "SKIPPED")


@pytest.mark.parametrize("kind", ["gp_sync", "gp_exp", "gp_poll", "gp_cond", "gp_normal"])
def test_each_kind_of_grace_period_can_be_had_alone(program: Program, kind: str) -> None:
    ended = program.run("--flavor", "srcu", "--duration", "1s", "--set", f"{kind}=1")
    assert (ended.status, ended.verdict()["verdict"]) == (0, "SUCCESS"), ended.err
    assert ended.verdict("basic")["canary"] == "caught"


def test_sections_that_another_thread_closes_are_closed_at_the_end(program: Program) -> None:
    """Also where the thread that opens them sat the last phase out, as it does this one."""
    ended = program.run("SRCU-UPDOWN", "--duration", "500ms", "--set", "phases=ordering", "--set", "least_reads=1", "--set",
                        "least_gps=1")
    assert (ended.status, ended.verdict()["verdict"]) == (0, "SUCCESS"), ended.err


@pytest.mark.parametrize(("least", "what"), [("least_gps", "grace periods"), ("least_reads", "reads"),
                                             ("least_overlaps", "overlapping reads")])
def test_too_little_is_inconclusive(program: Program, least: str, what: str) -> None:
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s", "--set", f"{least}=1000000000")
    assert (ended.status, ended.verdict()["verdict"]) == (4, "INCONCLUSIVE")
    assert re.fullmatch(rf"only [1-9]\d* {what}, the scenario asks for 1000000000", ended.verdict("basic")["why"])


def test_blind_torture_is_broken(program: Program) -> None:
    """Without readers nothing can be seen, so the canary lives, and no verdict is worth anything."""
    ended = program.run("--flavor", "urcu-memb", "--duration", "1s", "--set", "nreaders=0", "--set", "read_exit_burst=0",
                        "--set", "least_reads=0")
    assert (ended.status, ended.verdict()["verdict"]) == (3, "BROKEN")
    assert ended.verdict("basic")["canary"] == "missed"
