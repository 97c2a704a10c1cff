"""The report's figures as matplotlib has them: units, marks, windows, nothing lost and nothing overlapping."""

from __future__ import annotations

import itertools
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))

from lib.report import canvas, distributions, over_time, text
from lib.report.distributions import compare, grace_periods
from lib.report.figures import FIGURES, draw_all
from lib.report.hlog import Series, counter_values
from lib.report.load import Scenario
from lib.report.recording import Recording, common, load_recording, read_events
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

EVERY = [draw.__name__ for draw in FIGURES]


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> dict[str, Figure]:
    """Those that get finished, by title."""
    caught: dict[str, Figure] = {}
    plain = canvas.finished

    def catch(figure: Figure, title: str, caption: str, *, wide: bool) -> canvas.Drawn:
        caught[title] = figure
        return plain(figure, title, caption, wide=wide)

    monkeypatch.setattr(over_time, "finished", catch)
    monkeypatch.setattr(distributions, "finished", catch)
    return caught


@pytest.fixture
def recording(run_dir: Path) -> Recording:
    return load_recording(run_dir / "basic")


def crowded(recording: Recording) -> Recording:
    """With all that may stand in a legend."""
    recording.series = {tag: recording.series["gp.normal"] for tag in canvas.TAG_STYLES}
    values = counter_values(2)
    recording.series["barrier"] = replace(recording.series["gp.normal"], counts=np.where((values > 20) & (values < 5e8), 5, 0))
    for i, name in enumerate(("stutter", "pause", "shuffle", "flood")):
        recording.windows[name] = [(0.1 * i, 0.1 * i + 0.05)]
    return recording


def long_series(n: int, worst: np.ndarray) -> Series:
    values = counter_values(2)
    return Series(np.arange(n, dtype=float), np.ones(n), np.full(n, 1000), worst, values, np.zeros(len(values)),
                  np.ones((300, 378)), np.linspace(0, n, 301))


def test_every_axis_says_what_it_shows(recording: Recording, figures: dict[str, Figure]) -> None:
    drawn = draw_all(Scenario(Path("s"), {}), crowded(recording))
    assert len(drawn) == len(figures) == len(EVERY)
    for figure in figures.values():
        for axes in figure.axes:
            assert axes.get_title() or axes.get_ylabel()
            assert axes.get_title() or axes.get_xlabel() or axes.get_shared_x_axes().get_siblings(axes) != [axes]
    for title in ("Grace-period latency over time", "Grace periods by time and latency", "Backlog"):
        assert figures[title].axes[0].get_xlabel() == "time since the start, seconds"
    marks = [label.get_text() for label in figures["Grace-period latency over time"].axes[0].get_yticklabels()]
    assert "1 ms" in marks and "100 µs" in marks
    assert all(one.caption.rstrip(".") for one in drawn)


def visible_words(axes: Axes, renderer: object) -> list[Bbox]:
    """Extents of labels, and of the marks within the limits: matplotlib keeps those outside, but does not draw them."""
    inside = axes.get_window_extent(renderer)
    x_marks = [mark.get_window_extent(renderer) for mark in axes.get_xticklabels()]
    y_marks = [mark.get_window_extent(renderer) for mark in axes.get_yticklabels()]
    return [*(box for box in x_marks if inside.x0 - 1 <= (box.x0 + box.x1) / 2 <= inside.x1 + 1),
            *(box for box in y_marks if inside.y0 - 1 <= (box.y0 + box.y1) / 2 <= inside.y1 + 1),
            *(label.get_window_extent(renderer) for label in (axes.xaxis.label, axes.yaxis.label) if label.get_text())]


def test_nothing_overlaps_or_is_cut_off(recording: Recording, figures: dict[str, Figure]) -> None:
    draw_all(Scenario(Path("s"), {}), crowded(recording))
    compare([(f"SCENARIO-{i}", f"2026.11.22-15.10.23-{j}", grace_periods(recording.series)) for i in range(6) for j in range(2)])
    for title, figure in figures.items():
        figure.canvas.draw()  # anew: it was saved at another resolution
        renderer = figure.canvas.get_renderer()
        for axes in figure.axes:
            boxes = visible_words(axes, renderer)
            if legend := axes.get_legend():
                boxes.append(legend.get_window_extent(renderer))
                common = Bbox.intersection(axes.get_window_extent(renderer), boxes[-1])
                assert common is None or min(common.width, common.height) < 4, title
            marks = [box for box in boxes if box.y1 < axes.get_window_extent(renderer).y0]
            assert not any(a.padded(4).overlaps(b) for a, b in itertools.pairwise(marks)), title
            for box in boxes:
                assert figure.bbox.padded(1).containsx(box.x0) and figure.bbox.padded(1).containsx(box.x1), title
                assert figure.bbox.padded(1).containsy(box.y0) and figure.bbox.padded(1).containsy(box.y1), title


def test_times_line_up(recording: Recording, figures: dict[str, Figure]) -> None:
    draw_all(Scenario(Path("s"), {}), recording)
    axes = [figures[title].axes[0] for title in ("Grace-period latency over time", "Grace periods by time and latency", "Backlog")]
    assert len({(round(a.get_position().x0, 6), round(a.get_position().x1, 6), a.get_xlim()) for a in axes}) == 1


def test_stall_is_a_red_triangle_at_its_limit(recording: Recording, figures: dict[str, Figure]) -> None:
    failures = [{"check": "stalled_gp", "first_s": 3.5}, {"check": "too_short_gp", "first_s": 1.0}]
    over_time.timeline(Scenario(Path("s"), {}, failures=failures), recording)
    axes = figures["Grace-period latency over time"].axes[0]
    triangles = [line for line in axes.lines if line.get_marker() == "^" and line.get_color() == canvas.RED]
    assert [(line.get_xdata()[0], line.get_ydata()[0]) for line in triangles] == [(3.5, 4e9)]
    assert axes.get_ylim()[1] > 4e9
    assert {"stalled_gp", "too_short_gp"} <= {word.get_text() for word in axes.texts}


def test_stop_latency_is_the_limit_where_it_was_given(run_dir: Path) -> None:
    assert load_recording(run_dir / "basic").stall_limit_s == 4
    events = run_dir / "basic" / "events.jsonl"
    start, rest = events.read_text().split("\n", 1)
    events.write_text(json.dumps(json.loads(start) | {"stop_latency_ns": 50_000_000}) + "\n" + rest)
    assert load_recording(run_dir / "basic").stall_limit_s == 0.05


def test_windows_of_injectors(recording: Recording) -> None:
    events = [{"t_s": 1, "event": "phase", "name": "a", "stutter": False}, {"t_s": 1.5, "event": "flood", "on": True},
              {"t_s": 1.8, "event": "flood", "on": False}, {"t_s": 1.9, "event": "flood", "on": True},
              {"t_s": 2, "event": "phase", "name": "b", "stutter": True}, {"t_s": 2.5, "event": "shuffle", "idle_pu": 1},
              {"t_s": 3, "event": "phase", "name": "a", "stutter": False}, {"t_s": 3.5, "event": "shuffle", "idle_pu": None},
              {"t_s": 2.9, "event": "stutter", "on": True}, {"t_s": 9, "event": "end"}, {"t_s": 60, "event": "child_ended"}]
    phases, windows, end_s = read_events(events)
    assert phases == [(1, "a"), (2, "b"), (3, "a")]
    assert windows.closed(end_s) == {"flood": [(1.5, 1.8), (1.9, 9)], "stutter": [(2, 3)], "shuffle": [(2.5, 3.5)], "pause": [(2.9, 3)]}
    assert len(recording.windows["stutter"]) == 2 and len(recording.windows["flood"]) >= 1, "as the program writes them"


def test_common_spans() -> None:
    assert common([(0, 4), (5, 6), (8, 9)], [(1, 2), (3, 5.5), (5.8, 7)]) == [(1, 2), (3, 4), (5, 5.5), (5.8, 6)]
    assert common([], [(1, 2)]) == common([(0, 1)], [(1, 2)]) == []


def test_real_windows_are_bounded(program) -> None:
    done = program.run("--flavor", "busted_no_wait", "--set", "keep_going=1", "--set", "stutter=500ms", "--duration", "3s")
    assert done.status == 1
    done = program.call("run", "--flavor", "trivial", "--set", "fwd_progress_holdoff=1ms", "--set", "cbflood_max=1000", "--duration", "4s",
                        "--out", "floods")
    assert done.status == 0, done.err

    def switches(path: Path, kind: str) -> list[tuple[float, bool]]:
        lines = map(json.loads, (path / "basic" / "events.jsonl").read_text().splitlines())
        return [(line["t_s"], line["on"]) for line in lines if line["event"] == kind]

    pauses = switches(done.dir, "stutter")
    assert 4 <= len(pauses) <= 8 and [on for _, on in pauses][:4] == [True, False] * 2
    floods = switches(program.cwd / "floods", "flood")
    begun = [at for at, on in floods if on]
    assert 2 <= len(begun) <= 5, "many floods, one a second written down"
    assert (np.diff(begun) >= 0.99).all()
    assert switches(program.cwd / "floods", "stutter") == [], "pauses of 20 ms are too many"


@pytest.mark.parametrize("n", [10, 1501, 28_800])
def test_no_peak_is_lost_and_points_are_bounded(n: int, recording: Recording, figures: dict[str, Figure]) -> None:
    worst = np.full(n, 1e6)
    worst[n // 3] = 9e8
    recording.series = {"gp.normal": long_series(n, worst)}
    recording.phase_starts, recording.phase_names = np.arange(n, dtype=float), ["a", "b", "c", "d"] * (n // 4 + 1)
    recording.phase_names = recording.phase_names[:n]
    recording.end_s = float(n)
    drawn = over_time.timeline(Scenario(Path("s"), {}), recording)
    lines = figures["Grace-period latency over time"].axes[0].lines
    assert max(max(line.get_ydata(), default=0) for line in lines) == 9e8
    assert sum(len(line.get_xdata()) for line in lines) <= 3 * over_time.MOST_POINTS
    assert ("900 ms" in drawn.caption) and (("too fast to be shaded" in drawn.caption) == (n > 300))
    hours = figures["Grace-period latency over time"].axes[0].get_xlabel().endswith("hours")
    assert hours == (n > 7200)


def test_times_of_a_foreign_file_do_no_harm(recording: Recording) -> None:
    for end_s in (0.0, 1e-9, 1e12, 1e300):
        recording.end_s = end_s
        assert len(draw_all(Scenario(Path("s"), {}), recording)) == len(EVERY)


def test_a_single_grace_period_is_drawn_too(recording: Recording) -> None:
    counts = np.where(np.arange(len(counter_values(2))) == 700, 1, 0)
    one = replace(long_series(1, np.array([5e6])), counts=counts, edges_s=np.linspace(0, 1, 301))
    recording.series = {tag: one for tag in canvas.TAG_STYLES}
    assert len(draw_all(Scenario(Path("s"), {}), recording)) == len(EVERY)
    assert compare([("a", "", grace_periods(recording.series)), ("b", "", grace_periods({}))])


def test_scenarios_side_by_side_look_different(recording: Recording, figures: dict[str, Figure]) -> None:
    compare([(f"S{i}", "", grace_periods(recording.series)) for i in range(2 * len(canvas.CYCLE))])
    looks = [(line.get_color(), line.get_marker(), line.get_fillstyle()) for line in figures["Side by side"].axes[0].get_lines()]
    assert len(set(looks)) == len(looks) == 2 * len(canvas.CYCLE)


@pytest.mark.parametrize(("words", "value"), [
    ("351 ns", text.latency(351)), ("1 µs", text.latency(999.9)), ("17.2 µs", text.latency(17_240)), ("1.42 s", text.latency(1.4249e9)),
    ("0 ns", text.latency(0)), ("5.42 ms", text.span(0.00542)), ("60 s", text.span(60)), ("2 min", text.span(120)),
    ("8 h", text.span(28_800)), ("48 h", text.span(48 * 3600)), ("999,999", text.count(999_999)), ("366 M", text.count(365_538_305)),
    ("1.23 T", text.count(1.234e12)), ("1.64", text.count(1.6401)), ("0", text.count(0)), ("9.16 KiB", text.size(9384)),
    ("248 B", text.size(248))])
def test_numbers_as_people_read_them(words: str, value: str) -> None:
    assert value == words
