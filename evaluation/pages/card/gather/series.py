"""Which series the alerts of the test window come from."""

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import onsets
from evaluation.episodes import EpisodeList
from evaluation.pages.card.model import KindRecall, SeriesAlerts, SeriesCount
from features.rows import Rows

_TOP = 20
QUARANTINED = "rows in quarantine"
UNNAMED = "not named"


def count_by_series(flagged: NDArray[np.bool_], rows: Rows, merge_us: int) -> SeriesAlerts:
    """Onsets of each series with rows, alert rows where there is no time; the 20 with most, and the rest."""
    timed = rows.times is not None
    events = onsets(flagged, rows, merge_us) if timed else flagged
    codes = np.unique(rows.series)
    counts = np.bincount(np.searchsorted(codes, rows.series[events]), minlength=len(codes))
    order = np.argsort(-counts, kind="stable")
    top = [k for k in order[:_TOP].tolist() if counts[k]]
    return SeriesAlerts(
        unit="onsets" if timed else "alert rows",
        events=int(counts.sum()),
        series=len(codes),
        silent=int((counts == 0).sum()),
        top=tuple(SeriesCount(rows.series_names[codes[k]], int(counts[k])) for k in top),
        rest_series=int((counts > 0).sum()) - len(top),
        rest_events=int(counts.sum() - counts[top].sum()),
    )


def episode_kinds(episodes: EpisodeList, rows: Rows, kinds: NDArray[np.object_] | None) -> tuple[str, ...]:
    """The kind of each episode: that of its first row with one, of (n,) kinds of rows ("" or None where none is)."""
    found = []
    for series, start, end in zip(episodes.series, episodes.starts_us, episodes.ends_us, strict=True):
        at = rows_between(rows, int(series), int(start), int(end))
        named = [str(kind) for kind in kinds[at] if kind] if kinds is not None else []
        found.append(named[0] if named else UNNAMED if at.stop > at.start else QUARANTINED)
    return tuple(found)


def recall_by_kind(episodes: EpisodeList, kinds: tuple[str, ...]) -> tuple[KindRecall, ...]:
    """Episodes and detected ones of each kind, by name."""
    names = np.array(kinds, object)
    return tuple(
        KindRecall(kind, int((names == kind).sum()), int((episodes.detected & (names == kind)).sum()))
        for kind in sorted(set(kinds))
    )


def rows_between(rows: Rows, series: int, first_us: int, last_us: int) -> slice:
    """Positions of the rows of a series from one time to another, both included. Needs times."""
    assert rows.times is not None
    begin, end = np.searchsorted(rows.series, [series, series + 1])
    times = rows.times[begin:end]
    return slice(
        begin + int(np.searchsorted(times, first_us)), begin + int(np.searchsorted(times, last_us, side="right"))
    )
