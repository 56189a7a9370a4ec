"""Labelled episodes: which were detected and when, and which went into quarantine where no score can see them."""

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


NOTHING_LOST = LostRows(np.empty(0, object), np.empty(0, np.int64), np.empty(0, bool))


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


@dataclass(frozen=True)
class EpisodeList:
    """k episodes, by series and time.

    series: (k,) codes into ``series_names``; starts_us, ends_us: (k,) times of the first and the last row; units: (k,)
    codes as in ``Rows.independent``, higher ones for series that no row is from; delays_us: (k,) from the first row to
    the first alert row, -1 where there is none; quarantined: every row was lost; reported: a sensor-health rule told
    of one.
    """

    series: NDArray[np.int64]
    series_names: tuple[str, ...]
    starts_us: NDArray[np.int64]
    ends_us: NDArray[np.int64]
    units: NDArray[np.int64]
    delays_us: NDArray[np.int64]
    quarantined: NDArray[np.bool_]
    reported: NDArray[np.bool_]

    @property
    def detected(self) -> NDArray[np.bool_]:
        """(k,) True for episodes that hold an alert row."""
        return np.asarray(self.delays_us >= 0)


def list_episodes(rows: Rows, flagged: NDArray[np.bool_], lost: LostRows = NOTHING_LOST) -> EpisodeList | None:
    """Episodes of rows with their (n,) alert rows, and of the rows lost to quarantine among them.

    A run ends where a row of the series carries another label. None without labels or without time, where rows have no
    neighbours.
    """
    if rows.labels is None or rows.times is None:
        return None
    n, m = len(rows), len(lost.times)
    names = {name: code for code, name in enumerate(rows.series_names)}
    lost_codes = np.array([names.setdefault(name, len(names)) for name in lost.series], np.int64)
    series, times = np.r_[rows.series, lost_codes], np.r_[rows.times, lost.times]
    order = np.lexsort((times, series))
    series, times = series[order], times[order]
    anomalous = np.r_[rows.anomalous, np.ones(m, bool)][order]
    kept = np.r_[np.ones(n, bool), np.zeros(m, bool)][order]
    alert = np.r_[flagged, np.zeros(m, bool)][order]
    told = np.r_[np.zeros(n, bool), lost.reported][order]
    starts = np.flatnonzero(anomalous & np.r_[True, ~anomalous[:-1] | (series[1:] != series[:-1])][: n + m])
    k = len(starts)
    run = np.searchsorted(starts, np.flatnonzero(anomalous), side="right") - 1

    def any_of(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
        return np.bincount(run, mask[anomalous], k) > 0

    hits = np.flatnonzero(anomalous & alert)
    of, first = np.unique(np.searchsorted(starts, hits, side="right") - 1, return_index=True)
    delays = np.full(k, -1, np.int64)
    delays[of] = times[hits[first]] - times[starts[of]]
    units = np.arange(len(names)) + (0 if rows.groups is None else len(rows.group_names))
    units[rows.series] = rows.independent
    return EpisodeList(
        series=series[starts],
        series_names=tuple(names),
        starts_us=times[starts],
        ends_us=times[np.flatnonzero(anomalous)[np.searchsorted(run, np.arange(k), side="right") - 1]],
        units=units[series[starts]],
        delays_us=delays,
        quarantined=(delays < 0) & ~any_of(kept),
        reported=(delays < 0) & any_of(told),
    )


def count_episodes(rows: Rows, flagged: NDArray[np.bool_], lost: LostRows | None = None) -> Episodes | None:
    """Numbers of episodes; None without labels or without time."""
    found = list_episodes(rows, flagged, lost or NOTHING_LOST)
    return None if found is None else summarise(found)


def summarise(found: EpisodeList) -> Episodes:
    """How many episodes were labelled, detected, in quarantine and reported."""
    counts = [int(np.sum(part)) for part in (found.detected, found.quarantined, found.reported)]
    return Episodes(len(found.starts_us), *counts)
