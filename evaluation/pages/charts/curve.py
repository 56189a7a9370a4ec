"""Precision by recall, with the point where the threshold stands."""

from evaluation.pages.blocks import Chart, Label, Shape, Table
from evaluation.pages.card.model import Curve
from evaluation.pages.charts.axes import Axis
from evaluation.pages.charts.paths import dots, horizontal, line
from evaluation.pages.figures import count, share

_UNIT = Axis(0.0, 1.0)
_ROWS = 11  # of the table


def draw_curve(curve: Curve) -> Chart:
    """Rows of fully labelled spans; the dotted line is what guessing gives."""
    points = [(100 * r, 100 * p) for r, p in zip(curve.recall, curve.precision, strict=True)]
    here = [] if curve.precision_at is None else [(100 * curve.recall_at, 100 * curve.precision_at)]
    every = tuple(Label(at, f"{at:.0f} %") for at in (0.0, 25.0, 50.0, 75.0, 100.0))
    precision = "–" if curve.precision_at is None else share(curve.precision_at)
    return Chart(
        title="Precision by recall, rows",
        says=f"At the threshold {share(curve.recall_at)} of the anomalous rows are alert rows, and {precision} of the "
        f"alert rows are anomalous; {share(curve.anomalous_share)} of {count(curve.rows)} rows are.",
        shapes=(
            Shape("grid", "".join(horizontal(label.at) for label in every)),
            Shape("chance", horizontal(_UNIT.place(curve.anomalous_share))),
            Shape("curve", line(points)),
            Shape("here", dots(here)),
        ),
        x=every,
        y=every,
        x_title="recall of anomalous rows",
        y_title="precision",
        legend=(("curve", "at any threshold"), ("here", "at the threshold"), ("chance", "guessing")),
        table=_table(curve),
    )


def _table(curve: Curve) -> Table:
    rows = []
    for wanted in range(_ROWS):
        at = next((k for k, r in enumerate(curve.recall) if r >= wanted / (_ROWS - 1)), None)
        if at is not None:
            rows.append((share(curve.recall[at]), share(curve.precision[at])))
    return Table("Precision by recall", ("recall", "precision"), tuple(rows), (0, 1), folded=True)
