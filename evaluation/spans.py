"""Where labels can be trusted to say normal: fully labelled spans, and alerts that lie outside every anomaly."""

import numpy as np
from numpy.typing import NDArray

from features.rows import Rows

SPAN_ROWS = 12


def labelled_spans(rows: Rows) -> NDArray[np.bool_]:
    """(n,) True for rows of fully labelled spans: runs of at least 12 rows of a series, each with a known label.

    Single rows that someone looked at, because they were alerts perhaps, do not tell how many anomalies there are. A
    series of fewer rows counts when all of it is labelled. Without time, rows have no neighbours: every known one does.
    """
    if rows.labels is None or not len(rows):
        return np.zeros(len(rows), bool)
    known = rows.labels >= 0
    if rows.times is None:
        return np.asarray(known)
    run = np.cumsum(np.r_[True, (np.diff(rows.series) != 0) | (np.diff(known.astype(np.int8)) != 0)]) - 1
    needed = np.minimum(SPAN_ROWS, np.bincount(rows.series)[rows.series])
    return np.asarray(known & (np.bincount(run)[run] >= needed))


def false_onsets(starts: NDArray[np.bool_], flagged: NDArray[np.bool_], rows: Rows) -> NDArray[np.bool_]:
    """(n,) True at onsets of runs that begin on a normal row and hold no anomalous one."""
    assert rows.labels is not None
    at = np.flatnonzero(flagged)
    run = np.cumsum(starts[at]) - 1
    touching = np.bincount(run, rows.anomalous[at], int(starts.sum())) > 0
    false = starts & (rows.labels == 0)
    false[np.flatnonzero(starts)[touching]] = False
    return np.asarray(false)
