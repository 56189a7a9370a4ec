"""Figures with their intervals, as tiles and as a table."""

from evaluation.evidence import Figure
from evaluation.pages.blocks import Table, Tile, Tiles
from evaluation.pages.card.model import Card
from evaluation.pages.figures import count, figure, measured, rate

NAMES = {
    "alert_rate": "Alert rows",
    "onsets": "Onsets a series and day",
    "episode_recall": "Episodes detected",
    "median_delay": "Median delay",
    "false_onsets": "False onsets a series and day",
    "auroc": "AUROC",
    "average_precision": "Average precision",
    "injected_faults_recall": "Injected faults detected",
}
_FIRST = (
    *("episode_recall", "median_delay", "false_onsets", "average_precision", "auroc"),
    *("onsets", "alert_rate", "injected_faults_recall"),
)
_TILES = 6


def named(figure_name: str) -> str:
    """What people call a figure."""
    return NAMES.get(figure_name, figure_name.replace("_", " ").capitalize())


def interval(found: Figure) -> str:
    """Its interval in words, or the reason why there is none."""
    if found.interval is None:
        return found.reason
    low, high = (measured(end, found.unit) for end in (found.interval.low, found.interval.high))
    return f"{low} to {high}"


def headline(card: Card) -> Tiles:
    """The figures that a person asks for first; those that could not be measured are left to the table."""
    known = [f for name in _FIRST if (f := card.figure(name)) is not None and f.value is not None]
    return Tiles(tuple(_tile(card, found) for found in known[:_TILES]))


def _tile(card: Card, found: Figure) -> Tile:
    value = measured(found.value, found.unit)
    if found.name == "episode_recall" and card.episodes is not None:
        value = f"{card.episodes.detected} of {card.episodes.labelled}"
    return Tile(named(found.name), value, _range(found))


def _range(found: Figure) -> str:
    return f"{interval(found)} ({100 * found.interval.level:.0f} %)" if found.interval else "no interval"


def figure_table(card: Card) -> Table:
    """Every figure of the test window."""
    rows = tuple((named(f.name), measured(f.value, f.unit), interval(f), _method(f)) for f in card.figures)
    caption = f"{count(card.test_rows)} rows of the test window, {count(card.judged_rows)} in fully labelled spans"
    return Table(caption, ("figure", "value", "interval", "how"), rows, (1,))


def _method(found: Figure) -> str:
    if found.interval is None:
        return ""
    return f"{100 * found.interval.level:.0f} %, {found.interval.method}, {found.interval.clusters} clusters"


def threshold_table(card: Card) -> Table:
    """Thresholds with the budget that set them, and what the calibration window makes of it."""
    rows = []
    for one in card.thresholds:
        unit = "of the rows" if one.budget.kind == "row_rate" else "onsets per series and day"
        rows.append(
            (
                one.rows,
                figure(one.value),
                f"{one.budget.limit:g} {unit}",
                rate(one.budget.realised),
                f"{rate(one.budget.low)} to {rate(one.budget.high)}",
                count(one.budget.exceedances),
            )
        )
    columns = ("rows", "threshold", "budget", "realised", "90 % range", "exceedances")
    return Table("A row is an alert row at or above its threshold; figures are of the calibration window", columns,
                 tuple(rows), (1, 3, 4, 5))  # fmt: skip
