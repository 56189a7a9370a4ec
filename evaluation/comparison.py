"""Champion against challenger on the same rows: the difference of one measure, and what its interval allows to say."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.episodes import NOTHING_LOST, LostRows, list_episodes
from evaluation.evidence import RANKING_ROWS
from evaluation.injection import InjectedFaults
from evaluation.intervals import (
    NOT_AVAILABLE,
    TOO_CONCENTRATED,
    Bootstrap,
    Interval,
    bootstrap,
    cluster,
    ratio_interval,
    t_interval,
)  # fmt: skip
from evaluation.measures import ranking
from evaluation.ranking import rank
from evaluation.spans import labelled_spans
from features.rows import Rows

LEVEL = 0.90
Measure = Literal["episode recall", "average precision", "recall of injected faults"]
Outcome = Literal["pass", "refuse", "inconclusive"]


@dataclass(frozen=True)
class Judged:
    """What one bundle says of the common rows by its own transform, baselines and threshold: (n,) scores and alert
    rows; the injected faults, where they were asked for."""

    scores: NDArray[np.float32]
    flagged: NDArray[np.bool_]
    injected: InjectedFaults | None = None


@dataclass(frozen=True)
class Comparison:
    """``difference`` of a measure, challenger less champion, at 90 %, and the verdict on it.

    measure: None for the first model, which has no champion; rows: compared; left_out: rows of either's training
    windows. Whatever the figures, a pass says "not worse by more than the margin", never "better".
    """

    outcome: Literal["pass", "refuse", "inconclusive", "first"]
    sentence: str
    measure: Measure | None = None
    champion: float | None = None
    challenger: float | None = None
    difference: Interval | None = None
    rows: int = 0
    left_out: int = 0


FIRST = Comparison("first", "there is no champion to compare with")


def compare(
    champion: Judged,
    challenger: Judged,
    rows: Rows,
    left_out: NDArray[np.bool_],
    *,
    margin: float,
    seed: int,
    lost: LostRows = NOTHING_LOST,
) -> Comparison:
    """Pass if the lower bound of the paired 90 % interval is above -margin, refuse if the upper one is below.

    The measure: episode recall where there are labelled episodes and time, average precision where there are labels
    alone, else recall of injected faults. rows: n test rows that both can score; left_out: (n,) True for rows of
    either's training windows; lost: quarantined anomalous rows of the same span.
    """
    kept = rows.take(~left_out)
    dropped = int(left_out.sum())
    if not len(kept):
        return Comparison("inconclusive", "every test row lies in a training window of either", left_out=dropped)
    one, other = (Judged(j.scores[~left_out], j.flagged[~left_out], j.injected) for j in (champion, challenger))
    clusters = cluster(kept, seed)
    by = None if clusters is None else bootstrap(clusters, seed, level=LEVEL)
    measure, values, interval = _measure(one, other, kept, lost, by)
    if measure is None:
        return Comparison("inconclusive", "nothing can be compared", rows=len(kept), left_out=dropped)
    outcome: Outcome = "inconclusive"
    if values[0] <= margin:
        nothing = f"the champion's {measure} is {values[0]:.3f}: it has no more than the margin of {margin:g} to lose"
        return Comparison(outcome, nothing, measure, *values, interval, len(kept), dropped)
    if interval is not None and interval.low > -margin:
        outcome = "pass"
    elif interval is not None and interval.high < -margin:
        outcome = "refuse"
    missing = NOT_AVAILABLE if by is None else TOO_CONCENTRATED
    return Comparison(
        outcome,
        _sentence(measure, values, interval, margin, outcome, missing),
        measure,
        *values,
        interval,
        len(kept),
        dropped,
    )


def _measure(
    one: Judged, other: Judged, rows: Rows, lost: LostRows, by: Bootstrap | None
) -> tuple[Measure | None, tuple[float, float], Interval | None]:
    first, second = (list_episodes(rows, judged.flagged, lost) for judged in (one, other))
    if first is not None and second is not None and len(first.units):
        values = float(first.detected.mean()), float(second.detected.mean())
        change = second.detected.astype(np.float64) - first.detected
        return "episode recall", values, _paired(change, first.units, first.starts_us, by)
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
    return "recall of injected faults", (a.recall, b.recall), _paired(change, places.units, places.times, by)


def _paired(
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


def _sentence(
    measure: Measure,
    values: tuple[float, float],
    interval: Interval | None,
    margin: float,
    outcome: Outcome,
    missing: str,
) -> str:
    change = f"{measure} {values[1]:.3f}, the champion's {values[0]:.3f}"
    if interval is None:
        return f"{change}; {missing}"
    span = f"difference {values[1] - values[0]:+.3f}, 90 % interval {interval.low:+.3f} to {interval.high:+.3f}"
    verdict = {
        "pass": f"not worse by more than {margin:g}",
        "refuse": f"worse by more than {margin:g}",
        "inconclusive": f"these rows cannot tell whether it is worse by more than {margin:g}",
    }[outcome]
    return f"{change}; {span}: {verdict}"
