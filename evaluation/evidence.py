"""The figures of one window with their intervals: what is known of a detector, and why the rest is not."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import DAY_US, onsets
from evaluation.clusters import NOT_AVAILABLE, cluster
from evaluation.episodes import NOTHING_LOST, Episodes, LostRows, list_episodes, summarise
from evaluation.intervals import TOO_CONCENTRATED, Bootstrap, Interval, bootstrap, ratio_interval
from evaluation.measures import ranking
from evaluation.ranking import median_interval, ranking_intervals
from evaluation.spans import false_onsets, labelled_spans
from features.rows import Rows

RANKING_ROWS = 50_000
_NO_TIME = "the table has no time"


@dataclass(frozen=True)
class Figure:
    """One measure. ``value`` and ``interval`` are None for the ``reason`` given; unit: "share", "1/day", "s" or "1"."""

    name: str
    value: float | None
    unit: str
    interval: Interval | None = None
    reason: str = ""


@dataclass(frozen=True)
class Evidence:
    """Figures of ``rows`` rows, by name; judged_rows: those of fully labelled spans, on which rankings are taken.

    anomalous_share: of the judged rows; None where there are none.
    """

    rows: int
    judged_rows: int
    anomalous_share: float | None
    figures: tuple[Figure, ...]
    episodes: Episodes | None

    def __getitem__(self, name: str) -> Figure:
        return next(figure for figure in self.figures if figure.name == name)


def judge_window(
    scores: NDArray[np.float32],
    flagged: NDArray[np.bool_],
    rows: Rows,
    *,
    merge_us: int,
    period_us: int,
    lost: LostRows = NOTHING_LOST,
    seed: int = 0,
    level: float = 0.95,
) -> Evidence:
    """Figures of (n,) scores and alert rows: a row counts as it was scored, no alert is spread over an episode.

    alert_rate (share of rows), onsets (per series and day), and with labels episode_recall, median_delay (from the
    first row of an episode to its first alert row, over detected ones), false_onsets (runs of alert rows that begin on
    a row labelled normal and touch no anomalous one, per series and day of rows labelled normal), auroc and
    average_precision on fully labelled spans. ``lost``: anomalous rows in quarantine, whose episodes count as missed.
    """
    by, codes = resampled(rows, seed, level)
    spans = labelled_spans(rows)
    found = None if rows.labels is None else list_episodes(rows, flagged, lost)
    starts = _starts(flagged, rows, merge_us, period_us)
    figures = [*_alerts(flagged, starts, rows, period_us, codes, by)]
    no_labels = "no row has a label"
    if found is None:
        reason = _NO_TIME if rows.times is None and rows.labels is not None else no_labels
        figures += [Figure(name, None, unit, reason=reason) for name, unit in
                    (("episode_recall", "share"), ("median_delay", "s"))]  # fmt: skip
    else:
        of = None if by is None else by.clusters.of(found.units, found.starts_us)
        figures.append(ratio_figure("episode_recall", "share", found.detected, np.ones(len(found.units)), of, by))
        hit = found.detected
        figures.append(_delay(found.delays_us[hit] / 1e6, None if of is None else of[hit], by))
    if starts is None or rows.labels is None:
        figures.append(Figure("false_onsets", None, "1/day", reason=no_labels if rows.labels is None else _NO_TIME))
    else:
        false = false_onsets(starts, flagged, rows)
        days = (rows.labels == 0) * (period_us / DAY_US)
        figures.append(ratio_figure("false_onsets", "1/day", false, days, codes, by))
    figures += _ranking(scores, rows, spans, codes, by, seed)
    share = float(rows.anomalous[spans].mean()) if spans.any() else None
    return Evidence(len(rows), int(spans.sum()), share, tuple(figures), None if found is None else summarise(found))


def judge_alerts(
    flagged: NDArray[np.bool_], rows: Rows, *, merge_us: int, period_us: int, seed: int = 0, level: float = 0.95
) -> tuple[Figure, Figure]:
    """The two figures of (n,) alert rows that need no label: alert_rate and onsets, as in ``judge_window``."""
    by, codes = resampled(rows, seed, level)
    return _alerts(flagged, _starts(flagged, rows, merge_us, period_us), rows, period_us, codes, by)


def resampled(rows: Rows, seed: int, level: float) -> tuple[Bootstrap | None, NDArray[np.int64] | None]:
    """What n rows are resampled by, and (n,) their clusters; None where they hold too few of them."""
    clusters = cluster(rows, seed)
    if clusters is None:
        return None, None
    return bootstrap(clusters, seed, level=level), clusters.of(rows.independent, rows.times)


def _starts(flagged: NDArray[np.bool_], rows: Rows, merge_us: int, period_us: int) -> NDArray[np.bool_] | None:
    return None if rows.times is None or not period_us else onsets(flagged, rows, merge_us)


def _alerts(
    flagged: NDArray[np.bool_],
    starts: NDArray[np.bool_] | None,
    rows: Rows,
    period_us: int,
    codes: NDArray[np.int64] | None,
    by: Bootstrap | None,
) -> tuple[Figure, Figure]:
    rate = ratio_figure("alert_rate", "share", flagged, np.ones(len(rows)), codes, by)
    if starts is None:
        return rate, Figure("onsets", None, "1/day", reason=_NO_TIME)
    return rate, ratio_figure("onsets", "1/day", starts, np.full(len(rows), period_us / DAY_US), codes, by)


def ratio_figure(
    name: str,
    unit: str,
    counted: NDArray[np.bool_] | NDArray[np.float64],
    exposure: NDArray[np.float64],
    codes: NDArray[np.int64] | None,
    by: Bootstrap | None,
) -> Figure:
    """The sum of (n,) counts, or of shares of one, by that of (n,) exposures, with its interval by (n,) clusters."""
    total = float(exposure.sum())
    if not total:
        return Figure(name, None, unit, reason="the window holds nothing to count it on")
    value = float(counted.sum() / total)
    if by is None or codes is None:
        return Figure(name, value, unit, reason=NOT_AVAILABLE)
    sums = by.sums(counted.astype(np.float64), codes), by.sums(exposure, codes)
    found = ratio_interval(*sums, by, "share" if unit == "share" else "rate")
    return Figure(name, value, unit, found, "" if found else TOO_CONCENTRATED)


def _delay(seconds: NDArray[np.float64], codes: NDArray[np.int64] | None, by: Bootstrap | None) -> Figure:
    if not len(seconds):
        return Figure("median_delay", None, "s", reason="no episode was detected")
    found = None if by is None or codes is None else median_interval(seconds, codes, by)
    reason = "" if found else NOT_AVAILABLE if by is None else TOO_CONCENTRATED
    return Figure("median_delay", float(np.median(seconds)), "s", found, reason)


def _ranking(
    scores: NDArray[np.float32],
    rows: Rows,
    spans: NDArray[np.bool_],
    codes: NDArray[np.int64] | None,
    by: Bootstrap | None,
    seed: int,
) -> list[Figure]:
    names = ("auroc", "average_precision")
    if rows.labels is None:
        return [Figure(name, None, "1", reason="no row has a label") for name in names]
    auroc, precision, _ = ranking(scores[spans], rows.labels[spans])
    if auroc is None or precision is None:
        rule = "the fully labelled spans do not hold both kinds of label"
        return [Figure(name, None, "1", reason=rule) for name in names]
    values = (auroc, precision)
    if by is None or codes is None:
        return [Figure(name, value, "1", reason=NOT_AVAILABLE) for name, value in zip(names, values, strict=True)]
    at = np.flatnonzero(spans)
    if len(at) > RANKING_ROWS:
        at = np.sort(np.random.default_rng(seed).choice(at, RANKING_ROWS, replace=False))
    truth = rows.labels[at] == 1
    intervals = ranking_intervals(scores[at], truth, codes[at], by, values)
    return [
        Figure(name, value, "1", found, "" if found else TOO_CONCENTRATED)
        for name, value, found in zip(names, values, intervals, strict=True)
    ]
