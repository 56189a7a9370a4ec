"""Labelled episodes: how many were detected, and how many went into quarantine where no score can see them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.rows import Rows


@dataclass(frozen=True)
class LostRows:
    """m quarantined rows whose label says 1: series names, times in microseconds, and whether a sensor-health rule
    told a person of them."""

    series: NDArray[np.object_]
    times: NDArray[np.int64]
    reported: NDArray[np.bool_]

    def take(self, mask: NDArray[np.bool_]) -> "LostRows":
        """The rows where ``mask`` is True."""
        return LostRows(self.series[mask], self.times[mask], self.reported[mask])


@dataclass(frozen=True)
class Episodes:
    """Runs of anomalous rows of one series. ``detected`` ones hold an alert row.

    quarantined: missed ones of which every row went to quarantine; reported: missed ones of which a sensor-health rule
    told. Both count as missed in ``recall``, which is None without episodes.
    """

    labelled: int
    detected: int
    quarantined: int
    reported: int

    @property
    def recall(self) -> float | None:
        """Share of the episodes that were detected."""
        return self.detected / self.labelled if self.labelled else None


def count_episodes(rows: Rows, flagged: NDArray[np.bool_], lost: LostRows | None = None) -> Episodes | None:
    """Episodes of rows with their (n,) alert rows, and of the rows lost to quarantine among them.

    A run ends where a row of the series carries another label. None without labels or without time, where rows have no
    neighbours.
    """
    if rows.labels is None or rows.times is None:
        return None
    n = len(rows)
    lost = lost or LostRows(np.empty(0, object), np.empty(0, np.int64), np.empty(0, bool))
    m = len(lost.times)
    names = {name: code for code, name in enumerate(rows.series_names)}
    lost_codes = np.array([names.setdefault(name, len(names)) for name in lost.series], np.int64)
    series, times = np.r_[rows.series, lost_codes], np.r_[rows.times, lost.times]
    order = np.lexsort((times, series))
    series = series[order]
    anomalous = np.r_[rows.anomalous, np.ones(m, bool)][order]
    kept = np.r_[np.ones(n, bool), np.zeros(m, bool)][order]
    alert = np.r_[flagged, np.zeros(m, bool)][order]
    told = np.r_[np.zeros(n, bool), lost.reported][order]
    starts = anomalous & np.r_[True, ~anomalous[:-1] | (series[1:] != series[:-1])][: n + m]
    if not starts.any():
        return Episodes(0, 0, 0, 0)
    run = np.cumsum(starts)[anomalous] - 1
    k = int(starts.sum())

    def any_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(run, mask[anomalous], k) > 0

    detected = any_of(alert)
    return Episodes(
        labelled=k,
        detected=int(detected.sum()),
        quarantined=int((~detected & ~any_of(kept)).sum()),
        reported=int((~detected & any_of(told)).sum()),
    )
