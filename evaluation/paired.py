"""The difference between two models in one measure, on the same rows and resampled together."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.episodes import LostRows, list_episodes
from evaluation.evidence import RANKING_ROWS
from evaluation.injection import InjectedFaults
from evaluation.intervals import Bootstrap, Interval, ratio_interval, t_interval
from evaluation.measures import ranking
from evaluation.ranking import rank
from evaluation.spans import labelled_spans
from features.rows import Rows

Measure = Literal["episode recall", "average precision", "recall of injected faults"]


@dataclass(frozen=True)
class Judged:
    """What one bundle says of the common rows by its own transform, baselines and threshold: (n,) scores and alert
    rows; the injected faults, where they were asked for."""

    scores: NDArray[np.float32]
    flagged: NDArray[np.bool_]
    injected: InjectedFaults | None = None


def paired(
    one: Judged, other: Judged, rows: Rows, lost: LostRows, by: Bootstrap | None
) -> tuple[Measure | None, tuple[float, float], Interval | None]:
    """The measure that these rows allow, champion's and challenger's figure, and the interval of their difference.

    Episode recall where there are labelled episodes and time, average precision where there are labels alone, else
    recall of injected faults; None where not even faults were injected.
    """
    first, second = (list_episodes(rows, judged.flagged, lost) for judged in (one, other))
    if first is not None and second is not None and len(first.units):
        values = float(first.detected.mean()), float(second.detected.mean())
        change = second.detected.astype(np.float64) - first.detected
        return "episode recall", values, _difference(change, first.units, first.starts_us, by)
    spans = labelled_spans(rows)
    if rows.times is None and rows.labels is not None:
        found = [ranking(judged.scores[spans], rows.labels[spans])[1] for judged in (one, other)]
        if found[0] is not None and found[1] is not None:
            interval = None if by is None else _precision(one, other, rows, spans, (found[0], found[1]), by)
            return "average precision", (found[0], found[1]), interval
    if one.injected is None or other.injected is None:
        return None, (0.0, 0.0), None
    a, b, places = one.injected, other.injected, one.injected.places
    change = (b.detected.astype(np.float64) - a.detected).mean(axis=(0, 1))
    return "recall of injected faults", (a.recall, b.recall), _difference(change, places.units, places.times, by)


def _difference(
    change: NDArray[np.float64], units: NDArray[np.int64], times: NDArray[np.int64] | None, by: Bootstrap | None
) -> Interval | None:
    if by is None:
        return None
    codes = by.clusters.of(units, times)
    return ratio_interval(by.sums(change, codes), by.sums(np.ones(len(change)), codes), by, "difference")


def _precision(
    one: Judged, other: Judged, rows: Rows, spans: NDArray[np.bool_], values: tuple[float, float], by: Bootstrap
) -> Interval | None:
    at = np.flatnonzero(spans)
    if len(at) > RANKING_ROWS:
        at = np.sort(np.random.default_rng(0).choice(at, RANKING_ROWS, replace=False))
    assert rows.labels is not None
    truth, codes = rows.labels[at] == 1, by.clusters.of(rows.independent[at], None)
    first, second = (rank(judged.scores[at], truth, codes, by) for judged in (one, other))
    change = second.precision - first.precision
    return t_interval(
        values[1] - values[0], change[np.isfinite(change)], first.carrying, by, "difference",
        extra=1 / (float(truth.sum()) * max(first.carrying, 1.0)),
    )  # fmt: skip
