"""The scores of one series about an event, with its alerts."""

from evaluation.pages.blocks import Chart, Label, Shape, Table
from evaluation.pages.card.model import Timeline
from evaluation.pages.charts.axes import Axis
from evaluation.pages.charts.paths import dots, horizontal, line, rectangles
from evaluation.pages.figures import figure

_ROOM = 1.15  # above the highest score, and below the lowest


def draw_timeline(shown: Timeline, scale: str) -> Chart:
    """Hours from the event's first row; the band is the event, dots are alert rows, the dashed line the threshold."""
    hours = [shown.from_h + (k + 0.5) * shown.step_h for k in range(len(shown.scores))]
    x = Axis(shown.from_h, shown.from_h + len(hours) * shown.step_h)
    y = _scores(shown, scale)
    points = [None if s is None else (x.place(h), y.place(s)) for h, s in zip(hours, shown.scores, strict=True)]
    alerts = [point for k in shown.alerts if (point := points[k]) is not None]
    band = "band labelled" if shown.outcome in ("detected", "missed") else "band"
    end = max(x.place(shown.end_h + shown.step_h), x.place(0) + 0.8)
    return Chart(
        title=f"{shown.outcome}: {shown.series} from {shown.start}",
        says=_says(shown),
        shapes=(
            Shape(band, rectangles([(x.place(0), end, 0, 100)])),
            Shape("threshold", horizontal(y.place(shown.threshold))),
            Shape("scores", line(points)),
            Shape("alerts", dots(alerts)),
        ),
        x=tuple(Label(label.at, f"{label.text} h") for label in x.labels(4)),
        y=y.labels(3),
        table=_table(shown, hours),
        lines=6,
        heading=False,
    )


def _scores(shown: Timeline, scale: str) -> Axis:
    known = [s for s in shown.scores if s is not None] + [shown.threshold]
    low, high = min(known), max(known)
    if scale == "log" and low > 0:
        return Axis(low / _ROOM, high * _ROOM, "log")
    room = (_ROOM - 1) * (high - low)
    return Axis(low - room, high + room)


def _says(shown: Timeline) -> str:
    top = max((s for s in shown.scores if s is not None), default=None)
    return (
        f"Highest score {figure(top)}, threshold {figure(shown.threshold)}, {len(shown.alerts)} points with an alert."
    )


def _table(shown: Timeline, hours: list[float]) -> Table:
    """One row for each run of points on one side of the threshold, so that it stays short."""
    rows: list[tuple[str, str, str]] = []
    begin, alert, top = 0, False, float("-inf")
    for k, score in enumerate([*shown.scores, None]):
        now = k in shown.alerts
        if k == len(shown.scores) or (now != alert and k > begin):
            rows.append((f"{figure(hours[begin])} to {figure(hours[k - 1])}", _top(top), "alert" if alert else ""))
            begin, top = k, float("-inf")
        alert = now
        top = top if score is None else max(top, score)
    return Table("Scores by stretch", ("hours", "highest score", ""), tuple(rows), (1,), folded=True)


def _top(score: float) -> str:
    return "no row" if score == float("-inf") else figure(score)
