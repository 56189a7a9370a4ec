"""Intervals on a line: the difference from the champion, and windows in time."""

from datetime import UTC, datetime

from evaluation.comparison import Comparison
from evaluation.intervals import Interval
from evaluation.pages.blocks import Chart, Label, Shape, Table
from evaluation.pages.card.model import WindowSpan
from evaluation.pages.charts.axes import Axis
from evaluation.pages.charts.paths import dots, line, rectangles, vertical
from evaluation.pages.figures import count, signed


def draw_difference(comparison: Comparison, margin: float) -> Chart | None:
    """The difference with its interval, between "no difference" and the margin; None where none was measured."""
    found = comparison.difference
    if found is None or comparison.champion is None or comparison.challenger is None:
        return None
    value = comparison.challenger - comparison.champion
    reach = 1.25 * max(abs(found.low), abs(found.high), margin)
    x = Axis(-reach, reach)
    return Chart(
        title=f"Difference in {comparison.measure}, challenger less champion",
        says=f"{signed(value)}, {100 * found.level:.0f} % interval {signed(found.low)} to {signed(found.high)}; "
        f"a loss of up to {margin:g} is accepted.",
        shapes=(
            Shape("band lost", rectangles([(0, x.place(-margin), 0, 100)])),
            Shape("grid strong", vertical(x.place(0))),
            Shape("interval", line([(x.place(found.low), 50), (x.place(found.high), 50)])),
            Shape("here", dots([(x.place(value), 50)])),
        ),
        x=tuple(Label(label.at, label.text) for label in x.labels(5)),
        y=(),
        x_title="worse ← difference → better",
        marks=(Label(x.place(-margin), "margin", "left"),),
        table=_difference_table(comparison, value, found),
        lines=4,
    )


def _difference_table(comparison: Comparison, value: float, found: Interval) -> Table:
    rows = (
        ("champion", f"{comparison.champion:.3f}"),
        ("challenger", f"{comparison.challenger:.3f}"),
        ("difference", signed(value)),
        ("lower end", signed(found.low)),
        ("upper end", signed(found.high)),
    )
    return Table(f"Compared on {count(comparison.rows)} rows", ("", comparison.measure or ""), rows, (1,), folded=True)


def draw_windows(windows: tuple[WindowSpan, ...]) -> Chart | None:
    """A lane for each window, to scale; they overlap where an episode belongs to the later one. None without time."""
    if not all(window.first for window in windows):
        return None
    ends = [(_seconds(window.first), _seconds(window.last)) for window in windows]
    x = Axis(min(first for first, _ in ends), max(last for _, last in ends))
    height = 100 / len(windows)
    lanes = [100 - height * (k + 0.5) for k in range(len(windows))]
    boxes = [(x.place(first), x.place(last), lane - 0.3 * height, lane + 0.3 * height) for (first, last), lane in
             zip(ends, lanes, strict=True)]  # fmt: skip
    return Chart(
        title="Windows in time",
        says="; ".join(f"{window.name} {window.first[:10]} to {window.last[:10]}" for window in windows) + ".",
        shapes=tuple(Shape(f"window {w.name}", rectangles([box])) for w, box in zip(windows, boxes, strict=True)),
        x=_days(x),
        y=tuple(Label(lane, window.name) for lane, window in zip(lanes, windows, strict=True)),
        table=window_table(windows),
        lines=5,
        heading=False,
    )


def _days(x: Axis) -> tuple[Label, ...]:
    """The first and the last day, and up to three between."""
    marks = sorted({round(x.low + share * (x.high - x.low)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)})
    days = {datetime.fromtimestamp(mark, UTC).strftime("%Y-%m-%d"): mark for mark in reversed(marks)}
    return tuple(Label(x.place(mark), day) for day, mark in sorted(days.items()))


def window_table(windows: tuple[WindowSpan, ...]) -> Table:
    """Rows and ends of each window."""
    rows = tuple(
        (w.name, count(w.rows), "–" if w.anomalous is None else count(w.anomalous), w.first or "–", w.last or "–")
        for w in windows
    )
    return Table("Windows", ("window", "rows", "anomalous", "first row", "last row"), rows, (1, 2))


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
