"""The distribution of test scores by label, with the thresholds."""

import math
from itertools import pairwise

from evaluation.pages.blocks import Chart, Label, Shape, Table
from evaluation.pages.card.model import ScoreBins, Threshold
from evaluation.pages.charts.axes import Axis
from evaluation.pages.charts.paths import Point, horizontal, line, rectangles, vertical
from evaluation.pages.figures import count, figure

_KINDS = (("normal", "labelled normal"), ("anomalous", "labelled anomalous"), ("unknown", "without a label"))
_LEAST = 1.5  # of 100: a bin that holds one row must be seen


def draw_distribution(bins: ScoreBins, thresholds: tuple[Threshold, ...]) -> Chart:
    """Counts on a logarithmic axis: the tail decides, and holds few rows."""
    counted = [(kind, words, getattr(bins, kind)) for kind, words in _KINDS if any(getattr(bins, kind))]
    top = 10 ** math.ceil(math.log10(max(max(counts) for _, _, counts in counted)) + 1e-9)
    height = Axis(0.5, float(max(top, 10)), "log")
    x = Axis(bins.edges[0], bins.edges[-1], bins.scale)
    shapes = [Shape("grid", "".join(horizontal(label.at) for label in height.labels(4)))]
    for kind, _, counts in counted:
        shapes.append(Shape(f"fill {kind}", rectangles(_boxes(bins.edges, counts, x, height))))
    for kind, _, counts in counted:
        shapes.append(Shape(f"outline {kind}", line(_outline(bins.edges, counts, x, height))))
    shapes += [Shape("threshold", vertical(x.place(t.value))) for t in thresholds[:1]]
    return Chart(
        title="Scores of the test window",
        says=_says(bins, thresholds),
        shapes=tuple(shapes),
        x=x.labels(6),
        y=height.labels(4),
        x_title="anomaly score" + (", logarithmic" if bins.scale == "log" else ""),
        y_title="rows, logarithmic",
        marks=tuple(Label(x.place(t.value), f"threshold {figure(t.value)}", _side(x.place(t.value)))
                    for t in thresholds[:1]),
        legend=tuple((kind, words) for kind, words, _ in counted),
        table=_table(bins, counted),
    )  # fmt: skip


def _boxes(
    edges: tuple[float, ...], counts: tuple[int, ...], x: Axis, height: Axis
) -> list[tuple[float, float, float, float]]:
    ends = pairwise(x.place(edge) for edge in edges)
    return [(left, right, 0.0, _top(n, height)) for (left, right), n in zip(ends, counts, strict=True) if n]


def _outline(edges: tuple[float, ...], counts: tuple[int, ...], x: Axis, height: Axis) -> list[Point | None]:
    """The upper edge of the bars, down to the floor where a bin is empty."""
    points: list[Point | None] = [(x.place(edges[0]), 0.0)]
    for (left, right), n in zip(pairwise(x.place(edge) for edge in edges), counts, strict=True):
        points += [(left, _top(n, height)), (right, _top(n, height))]
    return [*points, (x.place(edges[-1]), 0.0)]


def _top(n: int, height: Axis) -> float:
    return max(_LEAST, height.place(n)) if n else 0.0


def _says(bins: ScoreBins, thresholds: tuple[Threshold, ...]) -> str:
    """What lies at or above the first threshold, by label."""
    at = thresholds[0].value
    parts = []
    for kind, words in _KINDS:
        counts = getattr(bins, kind)
        above = sum(n for edge, n in zip(bins.edges, counts, strict=False) if edge >= at)
        if any(counts):
            parts.append(f"{count(above)} of {count(sum(counts))} rows {words}")
    return f"At or above the threshold of {figure(at)}: {', '.join(parts)}."


def _table(bins: ScoreBins, counted: list[tuple[str, str, tuple[int, ...]]]) -> Table:
    columns = ("from", "below", *(words for _, words, _ in counted))
    rows = []
    for k, (left, right) in enumerate(zip(bins.edges, bins.edges[1:], strict=False)):
        values = [counts[k] for _, _, counts in counted]
        if any(values):
            rows.append((figure(left), figure(right), *map(count, values)))
    return Table("Rows by score", columns, tuple(rows), tuple(range(len(columns))), folded=True)


def _side(at: float) -> str:
    return "left" if at > 60 else "right"
