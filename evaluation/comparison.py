"""Champion against challenger on the same rows: the difference of one measure, and what its interval allows to say."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.clusters import NOT_AVAILABLE, cluster
from evaluation.episodes import NOTHING_LOST, LostRows
from evaluation.intervals import TOO_CONCENTRATED, Interval, bootstrap
from evaluation.paired import Judged, Measure, paired
from features.rows import Rows

LEVEL = 0.90
Outcome = Literal["pass", "refuse", "inconclusive"]


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
    measure, values, interval = paired(one, other, kept, lost, by)
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
