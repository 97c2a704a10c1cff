"""The measurement of strategies on a page of its own, and in Markdown."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from . import text
from .cut_short import INTERRUPTED
from .judge import CONFIDENCE
from .outputs import clean, code, plain
from .page import facts, machine_line, tone
from .strategies import TOO_FEW, WORDS, Strategies, loud
from .strategies_answers import Answer, answers, percent
from .strategies_figures import draw_all
from .strategies_ratios import At, Judged, compare, judge, too_few
from .text import member

TITLE = "What each way of deferring costs"
EDGES = (50, 99, 99.9)
DEFERRAL = {"deferred_share": "Share of calls that are deferred", "precision": "Precision: share of deferrals that were needed",
            "needless_share": "Share of calls that are deferred without need",
            "missed_share": "Share of calls that had to be deferred and are not"}


@dataclass(frozen=True)
class Table:
    """Everything in it is text."""

    title: str
    about: str
    head: list[str]
    rows: list[list[str]]


def where(context: str) -> str:
    return WORDS.get(context, context)


def together(values: list[float | str | None]) -> str:
    """A unit that several have in common stands once, behind the last of them."""
    words = ["?" if value is None else value if isinstance(value, str) else text.latency(value) for value in values]
    told = [i for i, value in enumerate(values) if isinstance(value, float | int)]
    if len({words[i].partition(" ")[2] for i in told}) == 1:
        for i in told[:-1]:
            words[i] = words[i].partition(" ")[0]
    return " / ".join(words)


def quantile_words(run: Strategies, name: str, kind: str) -> str:
    values = [run.quantile(name, kind, edge) for edge in EDGES]
    return together(values) if any(value is not None for value in values) else "-"


def count_note(run: Strategies, names: list[str], kind: str) -> str:
    counts = sorted({value for name in names if (value := run.median(name, f"{kind}_count"))})
    if not counts:
        return ""
    many = f"{counts[0]:,.0f}" + (f" to {counts[-1]:,.0f}" if counts[-1] > counts[0] else "")
    return (f"Of {many} samples a process. Where those are too few for a percentile (fewer than ten beyond it), it is that of all "
            f"processes' samples together; where those are too few as well, it says {TOO_FEW}.")


def latency_table(run: Strategies, family: str, kind: str, title: str, variant: str = "") -> Table | None:
    contexts, subjects = run.contexts(family), run.subjects(family)
    names = [f"{family}/{one}/{c}{variant}" for one in subjects for c in contexts]
    rows = [[one, *(quantile_words(run, f"{family}/{one}/{c}{variant}", kind) for c in contexts)] for one in subjects]
    about = ("50 % / 99 % / 99.9 %, each a median over the processes. -: would hang, or was not measured. "
             f"{count_note(run, names, kind)}")
    told = any(cell != "-" for row in rows for cell in row[1:])
    return Table(title, about, ["strategy", *map(where, contexts)], rows) if told else None


def average_table(run: Strategies) -> Table | None:
    contexts = run.contexts("post")

    def word(name: str) -> str:
        value = run.median(name, "time_ns")
        return "-" if value is None else text.latency(value)

    rows = [[one, *(word(f"post/{one}/{c}") for c in contexts)] for one in run.subjects("post")]
    return Table("A later post, in batches", "Sixteen posts that find the grace period asked for, in one section of the context, so that the "
                 "clock counts for little. Where interrupts are off, what is staged is drained after the section: not in these times; with "
                 "no lock held it is in them. The median batch, and medians over the processes.", ["strategy", *map(where, contexts)], rows) if rows else None


def latency_tables(run: Strategies) -> list[Table]:
    wanted = [("post", "first", "The post that asks for a grace period"), ("post", "later", "A later post, one by one"),
              ("post", "first_with_context", "The post that asks, with entering and leaving the context, and the drain of what is staged"),
              ("post", "later_with_context", "A later post, with entering and leaving the context, and the drain of what is staged"),
              ("invoke", "start", "From the post to the start of its grace period"),
              ("invoke", "start_open", "The same from the time at which the post was meant to be"),
              ("invoke", "invoke", "From the post to its callback"),
              ("invoke", "invoke_open", "The same from the time at which the post was meant to be"),
              ("invoke", "late", "How late the prober itself was, which is part of what counts from the time meant")]
    cold = [("first", "The post that asks, right after 2 MiB went through the caches"),
            ("later", "A later post, right after 2 MiB went through the caches")]
    posts = sum(family == "post" for family, _, _ in wanted)
    found = [average_table(run), *(latency_table(run, *one) for one in wanted[:posts]),
             *(latency_table(run, "post", kind, title, "/cold") for kind, title in cold), *(latency_table(run, *one) for one in wanted[posts:])]
    return [one for one in found if one]


def never_needed(run: Strategies) -> Table | None:
    """The argument for a second entry point."""
    names = [f"post/{one}/none" for one in run.subjects("post", "none") if one != "direct"]
    names += sorted(name for name in run.benchmarks if name.startswith("post/") and "+call_srcu/" in name)
    rows = [[name.split("/")[1], *(compare(run, At(name, key), At("post/direct/none", key)).said for key in ("time_ns", "first_p50_ns"))]
            for name in names]
    return Table("What it costs callers that never needed it", "No lock held, to direct's call_srcu(). NAME+call_srcu: callers of "
                 "call_srcu() beside a second entry point.", ["strategy", "a later post", "the post that asks"], rows) if rows else None


def throughput_tables(run: Strategies) -> list[Table]:
    found = []
    for context in run.contexts("throughput"):
        subjects = [one for one in run.subjects("throughput") if run.steps("throughput", one, context, "posters")]
        steps = sorted({n for one in subjects for n in run.steps("throughput", one, context, "posters")})

        def word(one: str, n: int) -> str:
            name = f"throughput/{one}/{context}/posters:{n}"
            value = run.median(name, "callbacks_per_s")
            return "-" if value is None else text.count(value) if run.all_posted(name) else "not all posted"

        rows = [[one, *(word(one, n) for n in steps)] for one in subjects]
        found.append(Table(f"Callbacks a second, by posters: {where(context)}",
                           "All that was posted, by the time until the last callback has run; medians over the processes. Where not all "
                           "posters came to post in the time that there was, it says so instead.",
                           ["strategy", *map(str, steps)], rows))
    return [one for one in found if one.rows]


def share(run: Strategies, name: str, key: str) -> str:
    value = run.median(name, key)
    return "-" if value is None else percent(value)


def deferral_tables(run: Strategies) -> list[Table]:
    contexts, subjects = run.contexts("deferral"), run.subjects("deferral")
    found = []
    for key, title in DEFERRAL.items():
        rows = [[c.replace("_", " "), *(share(run, f"deferral/{one}/{c}", key) for one in subjects)] for c in contexts]
        found.append(Table(title, "", ["caller", *subjects], rows))
    return found if contexts else []


def counted_table(run: Strategies) -> Table | None:
    posts = member(run.counted, "posts")
    rows = []
    for at in posts:
        strategy, _, context = str(at).partition("/")
        counts = [run.counts(str(at), kind, what) or "-" for what in ("instructions", "lines") for kind in ("first", "later")]
        rows.append([strategy, where(context), *counts])
    head = ["strategy", "caller", "instructions: asks", "later", "cache lines: asks", "later"]
    about = (f"By {clean(run.counted.get('tool'))}: averages, counted twice; two numbers where they differ. Lines: misses of a post right "
             "after 2 MiB went through the first-level cache: of reads and writes under valgrind, of reads alone by the processor's counters.")
    return Table("Instructions and cache lines of a post", about, head, rows) if rows else None


def warnings(run: Strategies) -> list[str]:
    found = [why for why in (loud(run), too_few(run.runs)) if why]
    return [f"Nothing is compared here: {'; '.join(found)}."] if found else []


def process_words(run: Strategies) -> str:
    return f"{run.runs} process{'es' if run.runs != 1 else ''}, {len(run.benchmarks)} benchmarks each"


def load_facts(run: Strategies) -> list[tuple[str, str]]:
    """Of each process, so that a loud one is seen."""
    rows = [("Load average as each process began (its predecessors count)", run.loads),
            ("CPUs that others kept busy meanwhile", run.others)]
    return [(what, ", ".join("?" if math.isnan(value) else f"{value:.2g}" for value in values)) for what, values in rows
            if any(not math.isnan(value) for value in values)]


def bars_tally(judged: list[Judged]) -> str:
    words = [one.word.split()[0] for one in judged]
    return f"{words.count('met')} of {len(words)} met, {words.count('missed')} missed, of {words.count('cannot')} nothing can be told"


def view(run: Strategies) -> dict[str, Any]:
    judged = judge(run)
    never = never_needed(run)
    counted = counted_table(run)
    return {"title": TITLE, "confidence": f"{100 * CONFIDENCE:g}", "name": run.name, "word": run.word, "why": run.why,
            "tone": tone(run.word), "warnings": warnings(run),
            "rerun": run.rerun, "machine": machine_line(run), "facts": [*facts(run), *load_facts(run)],  # type: ignore[arg-type]
            "processes": process_words(run), "finished": run.word != INTERRUPTED, "answers": answers(run), "bars": judged,
            "tally": bars_tally(judged), "never": never, "latencies": latency_tables(run), "throughput": throughput_tables(run),
            "deferral": deferral_tables(run), "counted": counted,
            "why_counted": "" if counted else str(run.counted.get("why", "Not counted.")),
            "figures": draw_all(run)}


def render_strategies(run: Strategies, template: Path) -> str:
    environment = jinja2.Environment(loader=jinja2.FileSystemLoader(template.parent), autoescape=True,
                                     undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return environment.get_template(template.name).render(run=view(run))


def answers_block(run: Strategies) -> str:
    """For pages that quote the run."""
    lines = [f"{process_words(run).capitalize()}; {plain(machine_line(run))}.", ""]  # type: ignore[arg-type]
    lines += [line for warning in warnings(run) for line in (plain(warning), "")]
    for answer in answers(run):
        lines += [f"**{plain(answer.question)}**", "", *(f"- {plain(sentence)}" for sentence in answer.sentences), ""]
    return "\n".join([*lines, f"Bars: {bars_tally(judge(run))}.", ""])


def prose(answer: Answer) -> list[str]:
    return [f"**{plain(answer.question)}** {' '.join(plain(sentence) for sentence in answer.sentences)}", ""]


def strategies_summary(run: Strategies) -> str:
    judged = judge(run)
    lines = [f"## {TITLE}: {plain(run.name)}", "", f"{plain(run.word)}{': ' + plain(run.why) if run.why else ''}. {process_words(run)}. "
             f"{plain(machine_line(run))}", ""]  # type: ignore[arg-type]
    lines += [line for warning in warnings(run) for line in (plain(warning), "")]
    lines += [line for answer in answers(run) for line in prose(answer)]
    lines += [f"Bars: {bars_tally(judged)}.", "", "| bar | at most | ratio (interval) | same against same | |", "|---|---:|---:|---:|---|"]
    for one in judged:
        numbers = f"{one.bar.most:g} | {one.compared.ratio or ''} | {one.compared.noise}"
        lines.append(f"| {plain(one.bar.says)} | {numbers} | {plain(one.word)} |")
    return "\n".join([*lines, "", f"The same again: {code(run.rerun)}", ""])
