"""The questions of the thread that all this was made for, each answered in sentences that the figures alone decide."""

from __future__ import annotations

from dataclasses import dataclass

from . import text
from .strategies import WORDS, Strategies
from .strategies_ratios import NOT_MEASURED, At, Compared, compare

NOLOCK = "nolock:"
USUAL = "nolock:irqs_off"  # what the second entry point is, where nothing else is said
LATER, ASKS = "time_ns", "first_p50_ns"
DRAINED = "later_with_context_p50_ns"  # what is staged is drained after the post, when interrupts go on
TRACEPOINTS = "tracepoints"


@dataclass(frozen=True)
class Answer:
    question: str
    sentences: list[str]


def where(context: str) -> str:
    return WORDS.get(context, context)


def time_of(run: Strategies, name: str, key: str) -> str:
    value = run.median(name, key)
    return text.latency(value) if value is not None else "not measured"


def against(run: Strategies, ours: At, theirs: At) -> str:
    """Both medians and what their ratio says."""
    compared = compare(run, ours, theirs)
    if compared.why == NOT_MEASURED:
        return NOT_MEASURED
    word = f", {compared.word}" if compared.ratio else ""
    return f"{time_of(run, ours.name, ours.key)} against {time_of(run, theirs.name, theirs.key)}, {compared.said}{word}"


def post(strategy: str, context: str, key: str) -> At:
    return At(f"post/{strategy}/{context}", key)


def overall(words: list[tuple[str, Compared]]) -> str:
    """Who pays, who does not, and of whom nothing can be told."""
    groups: dict[str, list[str]] = {}
    for who, compared in words:
        groups.setdefault(compared.word, []).append(who)
    order = ("slower", "faster", "no difference seen", "cannot tell")
    return "; ".join(f"{word} for {', '.join(groups[word])}" for word in order if word in groups)


def instructions(run: Strategies, context: str, strategies: list[str]) -> list[str]:
    """Counts stand where times are too noisy for small differences."""
    found = [(one, run.counts(f"{one}/{context}", "later", "instructions")) for one in strategies]
    words = ", ".join(f"{count} with {one}" for one, count in found if count)
    return [f"Instructions of a later post, {where(context)}: {words}."] if words else []


def always_or_second_entry(run: Strategies) -> Answer:
    """Who needs no deferral calls call_srcu() beside a second entry point; with one entry that defers always, he pays for it."""
    callers = [("none", LATER, "callers with no lock held"), ("none", ASKS, "those of them whose post asks for the grace period"),
               ("irqs_off", DRAINED, "callers with interrupts off and no lock, the drain included"),
               ("rq_lock", DRAINED, "callers with the runqueue's lock held, the drain included")]
    plain = f"{USUAL}+call_srcu/none"
    pairs = []
    for context, key, who in callers:
        theirs = At(f"post/{plain}", key) if context == "none" else post(USUAL if context == "rq_lock" else "direct", context, key)
        pairs.append((who, post("nolock:always", context, key), theirs))
    sentences = [f"A call_srcu() that always defers, against call_srcu() beside a second entry point (and that entry point where "
                 f"it is needed): {overall([(who, compare(run, ours, theirs)) for who, ours, theirs in pairs])}."]
    sentences += [f"For {who}: {against(run, ours, theirs)}." for who, ours, theirs in pairs]
    alone = against(run, *(post(one, "irqs_off", LATER) for one in ("nolock:always", "direct")))
    sentences.append(f"With interrupts off, up to when they go on and what is staged is drained, a post takes {alone}.")
    checks = against(run, post("defer_irqoff", "none", LATER), At(f"post/{plain}", LATER))
    steps = against(run, post("irq_work", "none", LATER), At(f"post/{plain}", LATER))
    sentences.append(f"A call_srcu() that looks whether interrupts are off (defer_irqoff) costs callers with no lock held {checks}; "
                     f"one with an irq_work between (irq_work) {steps}.")
    sentences += instructions(run, "none", [f"{USUAL}+call_srcu", "irq_work", "defer_irqoff", USUAL, "nolock:always"])
    for context in ("none", "irqs_off"):
        for one in ("nolock:always", "defer_irqoff"):
            whole = against(run, *(At(f"throughput/{strategy}/{context}/posters:1", LATER) for strategy in (one, "direct")))
            sentences.append(f"All in all, the drain included, a callback of one poster ({where(context)}) takes, {one} to direct: "
                             f"{whole}.")
    return Answer("Does always deferring in call_srcu() cost more than a second entry point, and whom?", sentences)


def delay(run: Strategies) -> Answer:
    sentences = []
    for key, what in (("start_p50_ns", "in the median"), ("start_p99_ns", "at 99 %")):
        ours, theirs = (At(f"invoke/{strategy}/none", key) for strategy in ("delayed", "direct"))
        sentences.append(f"From a post to the start of its grace period, {what}: {against(run, ours, theirs)}.")
    ours, theirs = post("delayed", "none", ASKS), post("direct", "none", ASKS)
    sentences.append(f"The post itself, where it asks for the grace period: {against(run, ours, theirs)}.")
    if safe := safe_places(run, "delayed"):
        missing = [where(c) for c in run.contexts("post") if c not in safe]
        places = f"It would hang, or might, in: {', '.join(missing)}."
        sentences.append(places if missing else "It is safe in every place that was measured.")
    return Answer("What does a delay > 0 cost?", sentences)


def safe_places(run: Strategies, strategy: str) -> list[str]:
    """Only pairs that live are measured."""
    return [context for context in run.contexts("post") if f"post/{strategy}/{context}" in run.benchmarks]


def general_queue(run: Strategies) -> Answer:
    sentences = []
    for context in ("rq_lock", "nmi"):
        later, asks = (against(run, post("bpf_defer", context, key), post(USUAL, context, key)) for key in (LATER, ASKS))
        start = against(run, *(At(f"invoke/{strategy}/{context}", "start_p50_ns") for strategy in ("bpf_defer", USUAL)))
        sentences.append(f"{where(context).capitalize() if context != 'nmi' else 'NMI'}: a later post {later}; the post that asks {asks}; "
                         f"from a post to the start of its grace period {start}.")
    plain = against(run, post("bpf_defer", "none", LATER), post(USUAL, "none", LATER))
    sentences.append(f"No lock held, where the queue defers all the same and the primitive's own entry point does not: {plain}.")
    sentences += instructions(run, "rq_lock", ["bpf_defer", USUAL])
    names = [f"throughput/{one}/irqs_off/posters:1" for one in ("bpf_defer", USUAL)]
    rates = [text.count(run.median(name, "callbacks_per_s") or 0) for name in names]
    sentences.append(f"Callbacks a second of one poster, interrupts off: {rates[0]} through the queue, {rates[1]} "
                     f"through the primitive's own list; the time for each: {against(run, *(At(name, LATER) for name in names))}.")
    callback = against(run, *(At(f"invoke/{one}/rq_lock", "invoke_p50_ns") for one in ("bpf_defer", USUAL)))
    sentences.append(f"From a post under the runqueue's lock to its callback: {callback}.")
    sentences.append("A domain with staged posts is one node of the queue there. A caller that brings a node for each call pays for more "
                     f"than these posts do: {own_nodes(run)}.")
    return Answer("What does a general defer queue cost against one for each primitive?", sentences)


def own_nodes(run: Strategies) -> str:
    words = []
    for context in ("rq_lock", "nmi"):
        later, start = (against(run, *(At(f"{family}/{one}/{context}", key) for one in ("bpf_defer-node", USUAL)))
                        for family, key in (("post", LATER), ("invoke", "start_p50_ns")))
        words.append(f"{where(context)}, a later post {later}, from a post to the start of its grace period {start}")
    return "; ".join(words)


def percent(share: float | None) -> str:
    return "not measured" if share is None else f"{100 * share:.3g} %"


def most_missed(run: Strategies, strategy: str, context: str) -> float | None:
    """In any process: one is enough to hang."""
    return max(run.values(f"deferral/{strategy}/{context}", "missed_share"), default=None)


def predicate(run: Strategies, strategy: str) -> str:
    def at(key: str, context: str = TRACEPOINTS) -> float | None:
        return run.median(f"deferral/{strategy}/{context}", key)

    contexts = [c for c in run.contexts("deferral") if c != TRACEPOINTS]
    needless = [where(c) for c in contexts if (at("needless_share", c) or 0) > 0.5]
    missed = [where(c) for c in contexts if most_missed(run, strategy, c)]
    words = [f"{strategy} defers {percent(at('deferred_share'))} of the calls at the tracepoints, "
             f"{percent(at('needless_share'))} without need"]
    if most := most_missed(run, strategy, TRACEPOINTS):
        words.append(f"and misses {percent(at('missed_share')) if at('missed_share') else f'up to {percent(most)}'} that had to be deferred")
    if needless:
        words.append(f"mostly without need in: {', '.join(needless)}")
    if missed:
        words.append(f"too seldom in: {', '.join(missed)}")
    return "; ".join(words) + "."


def least_needless(run: Strategies, among: list[str]) -> str:
    """And whom no difference to it is seen of."""
    def share(one: str) -> At:
        return At(f"deferral/{one}/{TRACEPOINTS}", "needless_share")

    best = min(among, key=lambda one: run.median(share(one).name, "needless_share") or 0)
    words = f"{best} defers least without need: {percent(run.median(share(best).name, 'needless_share'))} of the calls"
    same = [one for one in among if one != best and compare(run, share(one), share(best)).word != "slower"]
    return words + (f"; that it does better than {', '.join(same)} cannot be told" if same else "")


def predicates(run: Strategies) -> Answer:
    found = [one for one in run.subjects("deferral") if f"deferral/{one}/{TRACEPOINTS}" in run.benchmarks]
    needed = [value for one in found if (value := run.median(f"deferral/{one}/{TRACEPOINTS}", "needed_share")) is not None]
    least = [one for one in found if most_missed(run, one, TRACEPOINTS) == 0]
    sentences = []
    if needed:
        ends = sorted({percent(min(needed)), percent(max(needed))})
        sentences.append(f"At the tracepoints {' to '.join(ends)} of the calls had to be deferred: the direct path would have come "
                         "to a lock that its own thread held. Each predicate is asked on walks of its own.")
    if least:
        sentences.append(f"Of those that miss none there, {least_needless(run, least)}.")
    sentences += [predicate(run, one) for one in found]
    return Answer("How often does each predicate defer without need?", sentences or ["Not measured."])


def answers(run: Strategies) -> list[Answer]:
    return [always_or_second_entry(run), delay(run), general_queue(run), predicates(run)]
