"""Geometry of the charts: everything in the box, round labels, paths that say what they should."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation.pages.blocks import Label
from evaluation.pages.card.model import SearchHistory, TrialResult, WindowSpan
from evaluation.pages.charts.axes import Axis
from evaluation.pages.charts.paths import dots, line, rectangles
from evaluation.pages.charts.spans import draw_difference, draw_windows
from evaluation.pages.charts.trials import draw_trials
from tests.evaluation.pages.card.cards import COMPARED, FULL

FINITE = st.floats(-1e9, 1e9)


@given(FINITE, FINITE, FINITE)
def test_any_value_lies_on_the_axis(low: float, high: float, value: float) -> None:
    axis = Axis(min(low, high), max(low, high))
    assert 0 <= axis.place(value) <= 100
    assert all(0 <= label.at <= 100 for label in axis.labels())


@given(st.floats(1e-9, 1e9), st.floats(1.0001, 1e12), st.integers(2, 8))
def test_a_logarithmic_axis_has_a_few_labels_in_order(low: float, ratio: float, count: int) -> None:
    labels = Axis(low, low * ratio, "log").labels(count)
    assert 1 <= len(labels) <= count + 2
    assert [label.at for label in labels] == sorted(label.at for label in labels)


def test_labels_are_round() -> None:
    assert [label.text for label in Axis(0.0, 1.0).labels(4)] == ["0", "0.25", "0.5", "0.75", "1"]
    assert [label.text for label in Axis(-3.0, 97.0).labels(5)] == ["0", "20", "40", "60", "80"]
    assert [label.text for label in Axis(0.5, 20_000, "log").labels(4)] == ["1", "10", "100", "1,000", "10,000"]
    assert Axis(1.0, 100.0, "log").labels(4)[-1] == Label(100.0, "100")


def test_a_line_breaks_at_gaps_and_a_lonely_point_is_a_dot() -> None:
    assert line([(0, 0), (10, 100), None, (50, 50), None]) == "M0 100L10 0M50 50h0"
    assert line([]) == line([None]) == ""
    assert dots([(1, 2), (3, 4)]) == "M1 98h0M3 96h0"
    assert rectangles([(0, 10, 25, 75)]) == "M0 75H10V25H0z"


def test_the_difference_is_drawn_with_its_ends_and_the_margin() -> None:
    chart = draw_difference(COMPARED, 0.05)
    assert chart is not None
    assert "−0.035, 90 % interval −0.106 to +0.034" in chart.says
    margin, zero = chart.marks[0].at, 50.0
    interval = next(shape.path for shape in chart.shapes if shape.kind == "interval")
    low, high = (float(part.split()[0]) for part in interval[1:].split("L"))
    assert low < margin < zero < high
    assert draw_difference(replace(COMPARED, difference=None), 0.05) is None


def test_windows_have_a_lane_each_and_may_overlap() -> None:
    chart = draw_windows(FULL.data.windows)
    assert chart is not None
    assert [label.text for label in chart.y] == ["reference", "selection", "calibration", "test"]
    assert chart.x[0].text == "2026-01-05"
    assert draw_windows((WindowSpan("reference", 5, "", "", None),)) is None


def test_windows_of_one_moment_are_drawn_too() -> None:
    moment = "2026-01-05T00:00:00Z"
    chart = draw_windows(tuple(WindowSpan(name, 1, moment, moment, None) for name in ("reference", "test")))
    assert chart is not None
    assert "nan" not in "".join(shape.path for shape in chart.shapes)


def test_the_best_so_far_never_falls_and_leaves_out_what_may_not_be_chosen() -> None:
    values = [0.5, 0.9, 0.7, 0.8, None]
    trials = tuple(TrialResult(k, "f", {}, v, "too large" if k == 1 else "", k == 3) for k, v in enumerate(values))
    chart = draw_trials(SearchHistory("best of 5", "episode recall", 5, trials))
    best = next(shape.path for shape in chart.shapes if shape.kind == "best")
    heights = [float(point.split()[1]) for point in best[1:].split("L")]
    assert heights == sorted(heights, reverse=True)
    kinds = {shape.kind for shape in chart.shapes}
    assert {"dot usable", "dot excluded", "dot chosen"} <= kinds
    assert "1 without a value" in chart.says


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_trials_that_are_all_equal_are_drawn(value: float) -> None:
    trials = tuple(TrialResult(k, "f", {}, value, "", k == 0) for k in range(3))
    chart = draw_trials(SearchHistory("best of 3", "average precision", 3, trials))
    assert not any(math.isnan(label.at) for label in chart.y)
