"""Posts under locks: the thread's bugs are seen, their fixes hold, and every context is really come to."""

from __future__ import annotations

import json

import pytest
from conftest import Program, sanitizers

# By scenario: the checks that may come first, what the prover's evidence names, and the fix that its description gives.
BUGS = {
    "THREAD-BUG-1": ("wait_context", ["srcu_data.lock", "rq->__lock"], ["srcu_locks=raw", "strategy=irq_work"]),
    "THREAD-BUG-2": ("lock_cycle", ["srcu_usage.lock", "pool->lock", "p->pi_lock", "rq->__lock"], ["strategy=irq_work"]),
    "THREAD-BUG-LAZY": ("lock_cycle", ["rtpcp.lock", "timer_base.lock"], ["strategy=irq_work"]),
}


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_of_the_thread_is_seen(program: Program, name: str) -> None:
    check, locks, _ = BUGS[name]
    ended = program.run(name, "--duration", "10s")
    assert ended.status == 1, ended.err
    assert ended.verdict()["verdict"] == "DEADLOCK"
    first = ended.verdict(name)["failures"][0]
    assert first["check"] == check
    for lock in locks:
        assert lock in first["evidence"]
    listed = {line.split("\t")[0]: line.split("\t")[1:] for line in program.call("list", "scenarios").out.splitlines()}
    assert listed[name][0] == check


@pytest.mark.parametrize("name", BUGS)
def test_its_fix_holds(program: Program, name: str) -> None:
    fix = [f"--set {one}" for one in BUGS[name][2]]
    listed = next(line for line in program.call("list", "scenarios").out.splitlines() if line.startswith(name + "\t"))
    assert all(one in listed for one in fix)
    ended = program.run(name, "--duration", "4s", *" ".join(fix).split())
    assert ended.status == 0, ended.out


def test_posts_in_the_drains_interrupt_may_not_take_locks_that_sleep(program: Program) -> None:
    ended = program.run("THREAD-BUG-1", "--duration", "8s", "--set", "strategy=defer_irqoff", "--set", "preempt_rt=0")
    assert ended.status == 1, ended.out
    first = ended.verdict("THREAD-BUG-1")["failures"][0]
    assert first["check"] == "wait_context"
    assert "srcu_data.lock {3:3}" in first["evidence"]
    assert "this thread holds no lock" in first["evidence"]


# Each strategy that claims to bear every context. nolock:held_lock_table asks a count of held locks, which has to cover all
# that the prover has for held.
@pytest.mark.parametrize("strategy", ["defer_irqoff", "nolock:always", "nolock:irqs_off", "nolock:held_lock_table", "bpf_defer"])
def test_a_strategy_that_bears_all_contexts_is_not_reported(program: Program, strategy: str) -> None:
    ended = program.run("LOCKED-ALL", "--duration", "5s", "--set", f"strategy={strategy}")
    assert ended.status == 0, ended.out


def test_half_of_the_first_bugs_fix_lays_bare_the_second(program: Program) -> None:
    ended = program.run("THREAD-BUG-1", "--duration", "10s", "--set", "srcu_locks=raw")
    assert ended.status == 1, ended.out
    first = ended.verdict("THREAD-BUG-1")["failures"][0]
    assert first["check"] == "lock_cycle"
    assert all(lock in first["evidence"] for lock in BUGS["THREAD-BUG-2"][1])


@pytest.mark.parametrize("name, settings", [("LOCKED-ALL", []), ("LOCKED-ALL", ["self_ipi=0"]), ("RT-ALL", [])])
def test_posts_come_from_every_context(program: Program, name: str, settings: list[str]) -> None:
    ended = program.run(name, "--duration", "6s", *[word for one in settings for word in ("--set", one)])
    assert ended.status == 0, ended.out
    events = [json.loads(line) for line in (ended.dir / name / "events.jsonl").read_text().splitlines()]
    end = next(event for event in events if event["event"] == "end")
    posts = end["locked_posts"]
    assert end["locked_invoked"] == {context: posts[context] for context in end["locked_invoked"]}
    contexts = {line.split("\t")[0] for line in program.call("list", "contexts").out.splitlines()}
    assert {one for one in contexts if not one.startswith(("snp", "tp:"))} <= posts.keys()
    assert all(count > 0 for count in posts.values()), posts


NEVER_FIRES = ["--set", "self_ipi=0", "--set", "tick_runs_irq_works=0", "--set", "locked_contexts=none"]


@pytest.mark.parametrize("strategy", ["irq_work", "nolock:always"])
def test_a_post_that_waits_for_an_irq_work_that_never_fires_is_seen(program: Program, strategy: str) -> None:
    """Regression of v7.0: machines whose kernel believed that they can interrupt themselves."""
    ended = program.run("LOCKED-RQ", "--duration", "20s", *NEVER_FIRES, "--set", f"strategy={strategy}", "--set", "stall_limit=3s")
    assert ended.status == 1, ended.out
    assert ended.verdict("LOCKED-RQ")["failures"][0]["check"] in ("stalled_gp", "lost_callback", "no_forward_progress")


def test_who_needs_no_irq_work_is_not_harmed(program: Program) -> None:
    ended = program.run("LOCKED-RQ", "--duration", "5s", *NEVER_FIRES, "--set", "strategy=direct", "--set", "nmi_calls=0")
    assert ended.status == 0, ended.out


@pytest.mark.skipif(bool(sanitizers()), reason="the search for deadlocks is the point here, not memory")
def test_direct_deadlocks_under_the_runqueues_lock(program: Program) -> None:
    ended = program.run("LOCKED-RQ", "--duration", "10s", "--set", "strategy=direct")
    assert ended.status == 1, ended.out
    assert ended.verdict("LOCKED-RQ")["failures"][0]["check"] in ("lock_cycle", "self_deadlock")


@pytest.mark.parametrize("words, said", [
    (["LOCKED-RQ", "--set", "locked_contexts=rq_lok"], "rq_lock"),
    (["LOCKED-RQ", "--set", "locked_contexts= "], "no context is named"),
    (["LOCKED-RQ", "--set", "locked_contexts=snp_lock"], "snp_lock"),
    (["LOCKED-RQ", "--set", "srcu_locks=mutex"], "spinlock"),
    (["LOCKED-RQ", "--flavor", "urcu-memb"], "this project's SRCU"),
    (["SRCU-N", "--set", "emulated_cpus=1"], "2"),
    (["LOCKED-RQ", "--set", "tick_runs_irq_works=0"], "self_ipi=0"),
])
def test_what_makes_no_sense_is_refused(program: Program, words: list[str], said: str) -> None:
    ended = program.run(*words)
    assert ended.status == 2
    assert len(ended.err.splitlines()) == 1
    assert said in ended.err
    assert not ended.dir.exists()


def test_all_leaves_known_bugs_out(program: Program) -> None:
    planned = program.run("--all", "--dry-run").out
    assert "LOCKED-ALL" in planned
    assert "THREAD-BUG" not in planned
