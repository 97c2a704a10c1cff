"""The page of a measurement of strategies, on a stored one and on spoilt ones."""

from __future__ import annotations

import html
import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, report

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report.strategies import load_strategies
from lib.report.strategies_answers import answers
from lib.report.strategies_figures import ecdf, growth, heatmap, percentile_plot, scaling, throughput
from lib.report.strategies_page import latency_tables, strategies_summary, throughput_tables
from lib.report.strategies_ratios import bars, judge

BARS = len(bars())
STORED = ROOT / "scripts" / "tests" / "data" / "strategies"
Found = dict[str, Any]


def copied(where: Path) -> Path:
    """Of a stored measurement, nine processes and a few strategies; the machine was loud, and is quiet here, with more samples."""
    copy = Path(shutil.copytree(STORED, where / "strategies"))
    change(copy, lambda manifest: manifest["machine"]["load"].update({"at the start": 0.5}), "manifest.json")
    change(copy, lambda found: samples(found, "(first|start|start_open|invoke)", 1200))
    return copy


def samples(found: Found, kinds: str, count: int) -> None:
    for columns in found["benchmarks"].values():
        columns.update({key: count for key in columns if re.fullmatch(f"{kinds}_count", key)})


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    return copied(tmp_path)


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With its page, which takes its time: figures."""
    copy = copied(tmp_path_factory.mktemp("unchanged"))
    page_of(copy)
    return copy


def change(run_dir: Path, how: Callable[[Found], Any], name: str = "strategies.json") -> None:
    file = run_dir / name
    found = json.loads(file.read_text())
    how(found)
    file.write_text(json.dumps(found))


def scale(found: Found, pattern: str, key: str, factor: float) -> None:
    """What was measured there took that much longer."""
    for name, columns in found["benchmarks"].items():
        if re.fullmatch(pattern, name):
            values = columns[key] if isinstance(columns[key], list) else [columns[key]]
            columns[key] = [value * factor for value in values] if len(values) > 1 else values[0] * factor


def level(found: Found, key: str, values: dict[str, float]) -> None:
    """Nine processes that agree to a thousandth."""
    for name, value in values.items():
        found["benchmarks"][name][key] = [value * (1 + 0.0001 * i) for i in range(len(found["runs"]))]


def page_of(run_dir: Path) -> str:
    done = report(run_dir)
    assert done.returncode == 0, done.stderr
    return html.unescape((run_dir / "report.html").read_text())


def bar(run_dir: Path, says: str) -> str:
    return next(one.word for one in judge(load_strategies(run_dir)) if one.bar.says == says)


def said(run_dir: Path) -> str:
    return " ".join(sentence for answer in answers(load_strategies(run_dir)) for sentence in answer.sentences)


def caption(page: str, title: str) -> str:
    return re.search(rf"<figure><h3>{re.escape(title)}</h3>.*<figcaption>([^<]*)</figcaption>", page)[1]


LATER = "irq_work to direct, no lock held, a later post"
LEVEL = {"post/direct/none": 20.0, "post/direct-again/none": 20.1, "post/irq_work/none": 21.0}


def test_page_is_one_file_without_network(unchanged: Path) -> None:
    page = html.unescape((unchanged / "report.html").read_text())
    assert not re.findall(r'(?:src|href)="(?!data:|#)', page)
    assert "<script" not in page
    assert json.loads((unchanged / "plan.json").read_text())["rerun"] in page
    assert not list(unchanged.rglob("*.tmp"))


@pytest.mark.parametrize("title", [
    "Cost of a post that asks for a grace period, by context and strategy, 99 %",
    "Cost of a later post, by context and strategy, 99 %", "Post to start of its grace period, by context and strategy, 99 %",
    "Cost of a later post: no lock held", "Cost of a post that asks for a grace period: no lock held",
    "Cost of a post that asks for a grace period: runqueue's lock", "Post to start of its grace period: no lock held",
    "Intended post to start of its grace period: runqueue's lock", "Post to callback: no lock held", "Cost of a later post, by percentile",
    "Post to start of its grace period, by percentile", "Intended post to start of its grace period, by percentile",
    "Callbacks a second, by number of posters", "Cost of a post, by number of emulated CPUs"])
def test_every_figure_is_drawn_and_says_a_sentence(unchanged: Path, title: str) -> None:
    page = html.unescape((unchanged / "report.html").read_text())
    assert page.count('src="data:image/png;base64,') == 14
    assert len(caption(page, title).split()) > 8


@pytest.mark.parametrize("cost, word", [
    (21.0, "met"), (22.5, "met"), (25.3, "missed by 10 %"), (60.0, "missed by 161 %"),
    *((cost, "cannot tell: no further from the bar than the same came out from itself") for cost in (22.9, 23.1))])
def test_bars_are_judged(run_dir: Path, cost: float, word: str) -> None:
    change(run_dir, lambda found: level(found, "time_ns", {**LEVEL, "post/irq_work/none": cost}))
    assert bar(run_dir, LATER) == word


def test_a_bar_within_the_interval_is_not_judged(run_dir: Path) -> None:
    def unsteady(found: Found) -> None:
        level(found, "time_ns", LEVEL)
        found["benchmarks"]["post/irq_work/none"]["time_ns"] = [20, 21, 22, 22.8, 23.1, 23.2, 24, 25, 26]

    change(run_dir, unsteady)
    assert bar(run_dir, LATER) == "cannot tell: the bar lies within the interval"


@pytest.mark.parametrize("how, why", [
    (lambda found: found.update(runs=found["runs"][:8]), "too few processes"),
    (lambda found: found["benchmarks"].pop("post/irq_work/none"), "not measured"),
    (lambda found: found["benchmarks"]["post/irq_work/none"].update(time_ns=[10, 10, 10, 20, 20, 30, 30, 30, 30]), "spread"),
    (lambda found: scale(found, "post/direct-again/none", "time_ns", 2), "two series of A could come to differ by 101 %"),
    (lambda found: level(found, "time_ns", {"post/direct/none": 0.0}), "too short for the clock")])
def test_what_says_nothing_gets_no_ratio(run_dir: Path, how: Callable[[Found], Any], why: str) -> None:
    change(run_dir, lambda found: (level(found, "time_ns", LEVEL), how(found)))
    assert bar(run_dir, LATER).startswith("cannot tell: ") and why in bar(run_dir, LATER)
    row = next(line for line in strategies_summary(load_strategies(run_dir)).splitlines() if LATER in line)
    assert f"| {LATER} | 1.15 |  |" in row


def test_a_loud_machine_compares_nothing(run_dir: Path) -> None:
    change(run_dir, lambda manifest: manifest["machine"]["load"].update({"at the start": 3.5}), "manifest.json")
    page = page_of(run_dir)
    assert "Nothing is compared here: the machine was too loud, with a load of 3.5 on 2 CPUs at the start." in page
    assert f'<td class="says">{LATER}</td>' in page and bar(run_dir, LATER) == "cannot tell: too loud"
    assert not re.search(r"\d times( |,|\.)", page)
    assert f"0 of {BARS} met, 0 missed, of {BARS} nothing can be told" in page


@pytest.mark.parametrize("busy, word", [(0.31, "too loud"), (0.29, "met")])
def test_who_comes_later_is_seen_too(run_dir: Path, busy: float, word: str) -> None:
    """On two CPUs, in the seventh process alone."""
    change(run_dir, lambda found: (level(found, "time_ns", LEVEL), [one.update(others=0.02) for one in found["runs"]],
                                   found["runs"][6].update(others=busy)))
    assert word in bar(run_dir, LATER)
    told = "in 1 of 9 processes others kept more than 0.3 of 2 CPUs busy, up to 0.31" in strategies_summary(load_strategies(run_dir))
    assert told == (word == "too loud")


def test_a_contexts_noise_is_its_own(run_dir: Path) -> None:
    """Of two copies with interrupts off that differ, nothing follows for callers with the runqueue's lock, nor for those with none."""
    change(run_dir, lambda found: (level(found, "time_ns", {**LEVEL, "post/bpf_defer/rq_lock": 10.0, "post/nolock:irqs_off/rq_lock": 10.0}),
                                   scale(found, "post/direct-again/irqs_off", "time_ns", 9)))
    compared = {one.bar.says: one.compared for one in judge(load_strategies(run_dir))}
    assert compared["bpf_defer to nolock, rq_lock, a later post"].noise == "no A/A copy"
    assert compared[LATER].noise == "1 (1 to 1.01)"
    again = {"post/nolock:irqs_off-again/rq_lock": {"time_ns": [11.0] * 9}}
    change(run_dir, lambda found: found["benchmarks"].update(again))
    assert re.fullmatch(r"1\.1 \(1\.1 to 1\.1\)", bars_of(run_dir)["bpf_defer to nolock, rq_lock, a later post"].noise)


def bars_of(run_dir: Path) -> dict[str, Any]:
    return {one.bar.says: one.compared for one in judge(load_strategies(run_dir))}


def test_processes_are_compared_with_themselves(run_dir: Path) -> None:
    """What makes a whole process slow is no noise between its benchmarks."""
    factors = [1, 1.3, 0.8, 1.1, 0.9, 1.25, 0.85, 1.2, 1]
    change(run_dir, lambda found: [found["benchmarks"][name].update(time_ns=[value * factor for factor in factors])
                                   for name, value in LEVEL.items()])
    assert bar(run_dir, LATER) == "met"
    assert str(bars_of(run_dir)[LATER].ratio) == "1.05 (1.05 to 1.05)"


def test_a_percentile_of_few_is_not_shown(run_dir: Path) -> None:
    change(run_dir, lambda found: samples(found, "(first|start|start_open|invoke)", 300))
    p99 = "post to start of grace period, 99 %, irq_work with rq_lock held to direct with none"
    assert bar(run_dir, p99) == "cannot tell: too few samples for 99 %, 300 a process"
    run = load_strategies(run_dir)
    assert [run.quantile("post/direct/none", "first", percent) for percent in (99, 99.9)] == ["too few"] * 2
    assert heatmap(run, "post", "first", "x") is None
    assert "99" not in caption_of_percentiles(run)
    row = next(table for table in latency_tables(run) if table.title == "The post that asks for a grace period").rows[0]
    assert row[1].count("too few") == 2 and row[0] == "direct"


def caption_of_percentiles(run: Any) -> str:
    return percentile_plot(run, "invoke", "start", "x").caption


def test_few_in_each_may_be_enough_in_all(run_dir: Path) -> None:
    together = {"first_all_p99_ns": 4321}
    change(run_dir, lambda found: (samples(found, "first", 112), found["benchmarks"]["post/direct/none"].update(together)))
    run = load_strategies(run_dir)
    assert run.quantile("post/direct/none", "first", 99) == 4321
    assert run.quantile("post/direct/none", "first", 99.9) == "too few"
    assert heatmap(run, "post", "first", "x") is not None


def test_what_is_cold_has_a_table(run_dir: Path) -> None:
    cold = {"post/direct/none/cold": {"first_p50_ns": [4000.0] * 9, "first_count": 24}}
    change(run_dir, lambda found: found["benchmarks"].update(cold))
    found = [table for table in latency_tables(load_strategies(run_dir)) if "went through the caches" in table.title]
    assert len(found) == 1 and found[0].rows[0][1].startswith("4 ") and "Of 24 samples a process" in found[0].about


@pytest.mark.parametrize("active, told", [(63, False), (64, True), ([64] * 8 + [63], False)])
def test_posters_that_did_not_all_post_say_nothing(run_dir: Path, active: int | list[int], told: bool) -> None:
    name = "throughput/direct/none/posters:64"
    change(run_dir, lambda found: found["benchmarks"][name].update(active_posters=active))
    run = load_strategies(run_dir)
    table = next(table for table in throughput_tables(run) if table.title.endswith("no lock held"))
    cell = next(row for row in table.rows if row[0] == "direct")[table.head.index("64")]
    assert (cell == "not all posted") != told
    drawn = scaling(run, "throughput", "none", "posters", "callbacks_per_s")["direct"]
    assert (64 in [posters for posters, _ in drawn]) == told


def test_more_cpus_cost_where_that_can_be_told(run_dir: Path) -> None:
    def how(found: Found) -> None:
        for one, cost in (("direct", 20), ("direct-again", 20), ("irq_work", 60)):
            for cpus in (1, 64):
                found["benchmarks"][f"post/{one}/none/cpus:{cpus}"] = {"time_ns": [20.0] * 9}
            level(found, "time_ns", {f"post/{one}/none/cpus:64": cost})

    change(run_dir, how)
    run = load_strategies(run_dir)
    seen = growth(run, "time_ns", scaling(run, "post", "none", "cpus", "time_ns"))
    assert "slower with irq_work" in seen and re.search("no difference seen with [^,]*direct", seen)


def test_predicates_that_cannot_be_told_apart_are_not_ranked(run_dir: Path) -> None:
    names = [f"deferral/{one}/tracepoints" for one in ("nolock:always", "nolock:irqs_off")]

    def shares(second: float) -> str:
        change(run_dir, lambda found: (level(found, "missed_share", dict.fromkeys(names, 0)),
                                       level(found, "needless_share", {names[0]: 0.3, names[1]: second})))
        return said(run_dir)

    assert "nolock:always defers least without need: 30 % of the calls; that it does better than nolock:irqs_off cannot be told" in shares(0.3)
    assert "nolock:always defers least without need: 30 % of the calls." in shares(0.5)


def test_who_misses_one_in_any_process_misses_some(run_dir: Path) -> None:
    names = [f"deferral/{one}/tracepoints" for one in ("nolock:always", "nolock:irqs_off")]

    def how(found: Found) -> None:
        level(found, "missed_share", dict.fromkeys(names, 0))
        level(found, "needless_share", {names[0]: 0.5, names[1]: 0.3})
        found["benchmarks"][names[1]]["missed_share"] = [0] * 8 + [0.01]

    change(run_dir, how)
    assert "nolock:always defers least without need" in said(run_dir)
    assert re.search(r"nolock:irqs_off defers [^;]*; and misses up to 1 % that had to be deferred", said(run_dir))


@pytest.mark.parametrize("factor, word", [(3.0, "slower for callers with no lock held"),
                                          (1.0, "no difference seen for callers with no lock held"),
                                          (0.3, "faster for callers with no lock held")])
def test_the_first_answer_follows_the_figures(run_dir: Path, factor: float, word: str) -> None:
    names = {"post/nolock:irqs_off+call_srcu/none": 20.0, "post/nolock:always/none": 20 * factor,
             "post/direct/none": 20, "post/direct-again/none": 20}
    change(run_dir, lambda found: level(found, "time_ns", names))
    assert word in said(run_dir)
    assert f"For callers with no lock held: {20 * factor:.3g} ns against 20 ns" in said(run_dir)
    assert word in strategies_summary(load_strategies(run_dir))


def test_the_delay_and_the_queue_are_those_of_the_file(run_dir: Path) -> None:
    def how(found: Found) -> None:
        level(found, "start_p50_ns", {"invoke/delayed/none": 4e6, "invoke/direct/none": 1e4, "invoke/direct-again/none": 1e4})
        level(found, "time_ns", {"post/bpf_defer/rq_lock": 12, "post/nolock:irqs_off/rq_lock": 8})

    change(run_dir, how)
    page = said(run_dir)
    assert "in the median: 4 ms against 10 µs, 400 times" in page
    assert "Runqueue's lock: a later post 12 ns against 8 ns, 1.5 times" in page


def test_predicates_are_those_of_the_file(run_dir: Path) -> None:
    def how(found: Found) -> None:
        level(found, "needless_share", {"deferral/nolock:always/tracepoints": 0.125, "deferral/nolock:irqs_off/irqs_off": 0.75})
        level(found, "missed_share", {"deferral/nolock:always/tracepoints": 0.25, "deferral/nolock:always/rq_lock": 0.5})

    change(run_dir, how)
    page = said(run_dir)
    assert re.search(r"nolock:always defers [\d.]+ % of the calls at the tracepoints, 12.5 % without need; and misses 25 %", page)
    assert re.search(r"nolock:always defers [^<]*too seldom in: runqueue's lock", page)
    assert re.search(r"nolock:irqs_off defers [^<]*mostly without need in: [^<]*interrupts off", page)


def test_captions_follow_the_figures(run_dir: Path) -> None:
    def heat(found: Found) -> None:
        scale(found, "post/bpf_defer/rq_lock", "first_p99_ns", 1e6)
        scale(found, "throughput/irq_work/none/.*", "callbacks_per_s", 1e4)
        for percent in (1, 5, 10, 25, 50, 75, 90, 95, 99, 99.9):
            scale(found, "post/irq_work/none", f"later_p{percent:g}_ns", 100)

    change(run_dir, heat)
    run = load_strategies(run_dir)
    assert "to 1.7" in (seen := heatmap(run, "post", "first", "x").caption) and "(bpf_defer, runqueue's lock)" in seen
    assert re.search(r"no lock held, irq_work gets [\d.]+ [GT] a second", throughput(run).caption)
    assert re.search(r"µs with irq_work\.", ecdf(run, "post", "none", "later", "x").caption)


def test_counts_that_do_not_repeat_show_both(run_dir: Path) -> None:
    counts = {"direct/none": {"first": {"instructions": [700, 700], "lines": [40, 44]},
                              "later": {"instructions": [227.0, 227.4], "lines": None}}}
    change(run_dir, lambda found: found.update(benchmarks={}, counted={"tool": "callgrind", "why": "", "posts": counts}))
    assert re.search(r"<td>direct</td><td class=\"n\">no lock held</td><td class=\"n\">700</td><td class=\"n\">227</td>"
                     r"<td class=\"n\">40 to 44</td><td class=\"n\">-</td>", page_of(run_dir))


def test_counts_stand_in_the_answers(run_dir: Path) -> None:
    counts = {f"{one}/none": {"later": {"instructions": [n, n]}} for one, n in (("nolock:irqs_off+call_srcu", 227), ("nolock:irqs_off", 234))}
    change(run_dir, lambda found: found.update(counted={"tool": "callgrind", "why": "", "posts": counts}))
    assert "Instructions of a later post, no lock held: 227 with nolock:irqs_off+call_srcu, 234 with nolock:irqs_off." in said(run_dir)


def test_what_was_not_counted_says_why(run_dir: Path) -> None:
    change(run_dir, lambda found: found.update(benchmarks={}, counted={"tool": "", "why": "valgrind is not installed", "posts": {}}))
    assert "valgrind is not installed" in page_of(run_dir)


def test_untrusted_text_cannot_act(run_dir: Path) -> None:
    evil = "</td><script>alert(1)<!--</script>|`y`$x^{$"

    def how(found: Found) -> None:
        for name, columns in list(found["benchmarks"].items()):
            found["benchmarks"][name.replace("irq_work", evil.replace("/", "")).replace("/rq_lock", "/" + evil.replace("/", ""))] = columns
        found["counted"] = {"tool": evil, "why": evil, "posts": {f"{evil}/none": {"first": {"instructions": [1, 1]}}}}

    change(run_dir, how)
    change(run_dir, lambda verdict: verdict.update(verdict=evil, why=evil), "verdict.json")
    change(run_dir, lambda manifest: manifest.update(started=evil), "manifest.json")
    done = report(run_dir)
    assert done.returncode == 0, done.stderr
    assert "<script" not in (run_dir / "report.html").read_text()
    assert "<script" not in (run_dir / "summary.md").read_text()


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"benchmarks": 7, "runs": 3}', pytest.param("[" * 100_000, id="deep"),
                                  '{"runs": [1], "benchmarks": {"post": 3, "post/x/none": [], "post/direct/none": '
                                  '{"time_ns": "x", "first_p50_ns": [null, {}, 1e999], "later_p50_ns": [-3]}}}',
                                  '{"runs": [], "benchmarks": {"post/direct/none": {"time_ns": [1]}}}',
                                  '{"runs": [0], "benchmarks": {"throughput/direct/none/posters:0": {"callbacks_per_s": [0]}, '
                                  '"post/direct/none/cpus:1": {"time_ns": [0]}, "deferral/x/y": {}}, "counted": {"posts": {"a": 3}}}'])
def test_spoilt_measurement_has_a_page(run_dir: Path, text: str) -> None:
    (run_dir / "strategies.json").write_text(text)
    page = page_of(run_dir)
    assert f"0 of {BARS} met" in page and "Nothing is compared here" in page


@pytest.mark.parametrize("missing", ["strategies.json", "manifest.json", "verdict.json"])
def test_missing_file_has_a_page(run_dir: Path, missing: str) -> None:
    (run_dir / missing).unlink()
    assert ("INTERRUPTED" in page_of(run_dir)) == (missing == "verdict.json")


def test_it_stands_alone(run_dir: Path) -> None:
    done = report(run_dir, ROOT / "scripts" / "tests" / "data" / "run")
    assert done.returncode == 2
    assert "alone" in done.stderr and len(done.stderr.splitlines()) == 1
