"""The stretches of the test window worth looking at: episodes detected and missed, and false alerts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import onsets
from evaluation.episodes import EpisodeList
from evaluation.pages.card.gather.series import rows_between
from evaluation.pages.card.model import Driver, Timeline
from evaluation.spans import false_onsets
from features.rows import Rows

Explain = Callable[[NDArray[np.int64]], tuple[tuple[Driver, ...], ...]]
"""(k,) positions of alert rows -> what drove each, largest first."""

_MOST = {"detected": 6, "missed": 6, "false alert": 3, "alert": 9}
_POINTS = 120
_HOUR_US = 3_600_000_000
_LEAST_AROUND_US, _MOST_AROUND_US = 2 * _HOUR_US, 24 * _HOUR_US


@dataclass(frozen=True)
class Event:
    """A stretch of one series, from its first to its last row; weight: the higher, the sooner it is shown; unit: of
    independence, since one fault is felt by several series."""

    outcome: Literal["detected", "missed", "false alert", "alert"]
    series: int
    first_us: int
    last_us: int
    kind: str
    unit: int
    weight: float


@dataclass(frozen=True)
class ScoredRows:
    """Test rows with times, their (n,) scores and alert rows, and the (n,) threshold that each was held to."""

    rows: Rows
    scores: NDArray[np.float32]
    flagged: NDArray[np.bool_]
    thresholds: NDArray[np.float64]


def episode_events(found: ScoredRows, episodes: EpisodeList, kinds: Sequence[str]) -> list[Event]:
    """Episodes that have rows; detected ones weigh what their highest score does, missed ones their length."""
    events = []
    for k, kind in enumerate(kinds):
        series, first, last = int(episodes.series[k]), int(episodes.starts_us[k]), int(episodes.ends_us[k])
        at = rows_between(found.rows, series, first, last)
        if at.stop == at.start:
            continue
        hit = bool(episodes.detected[k])
        weight = float(found.scores[at].max()) if hit else float(last - first)
        outcome: Literal["detected", "missed"] = "detected" if hit else "missed"
        events.append(Event(outcome, series, first, last, kind, int(episodes.units[k]), weight))
    return events


def alert_events(found: ScoredRows, merge_us: int) -> list[Event]:
    """Runs of alert rows: with labels those that touch no anomalous row, else all. They weigh their highest score."""
    rows, at = found.rows, np.flatnonzero(found.flagged)
    assert rows.times is not None
    if not len(at):
        return []
    starts = onsets(found.flagged, rows, merge_us)
    shown = starts if rows.labels is None else false_onsets(starts, found.flagged, rows)
    first = np.flatnonzero(starts[at])
    last = np.r_[first[1:], len(at)] - 1
    events = []
    for begin, end in zip(first, last, strict=True):
        if shown[at[begin]]:
            one, other = at[begin], at[end]
            events.append(
                Event(
                    "alert" if rows.labels is None else "false alert",
                    int(rows.series[one]),
                    int(rows.times[one]),
                    int(rows.times[other]),
                    "",
                    int(rows.independent[one]),
                    float(found.scores[at[begin : end + 1]].max()),
                )
            )
    return events


def choose(events: list[Event]) -> list[Event]:
    """A bounded number of each outcome, heaviest first, but another unit's before a second one of the same."""
    chosen: list[Event] = []
    for outcome, most in _MOST.items():
        turns: dict[int, int] = {}
        ranked = []
        for event in sorted((e for e in events if e.outcome == outcome), key=lambda e: -e.weight):
            turns[event.unit] = turns.get(event.unit, -1) + 1
            ranked.append((turns[event.unit], event))
        chosen += [event for _, event in sorted(ranked, key=lambda pair: pair[0])[:most]]
    return chosen


def draw_timelines(events: list[Event], found: ScoredRows, period_us: int, explain: Explain) -> tuple[Timeline, ...]:
    """Scores around each event, and what drove its highest alert row."""
    inside = [rows_between(found.rows, e.series, e.first_us, e.last_us) for e in events]
    peaks = [_peak(found, at) for at in inside]
    wanted = np.array(sorted({peak for peak in peaks if peak is not None}), np.int64)
    reasons = dict(zip(wanted.tolist(), explain(wanted), strict=True)) if len(wanted) else {}
    return tuple(
        _draw(event, found, max(period_us, 1), () if peak is None else reasons[peak])
        for event, peak in zip(events, peaks, strict=True)
    )


def _peak(found: ScoredRows, at: slice) -> int | None:
    alerts = at.start + np.flatnonzero(found.flagged[at])
    return int(alerts[np.argmax(found.scores[alerts])]) if len(alerts) else None


def _draw(event: Event, found: ScoredRows, period_us: int, drivers: tuple[Driver, ...]) -> Timeline:
    rows = found.rows
    assert rows.times is not None
    length = event.last_us - event.first_us
    around = min(max(length // 2, _LEAST_AROUND_US), _MOST_AROUND_US)
    at = rows_between(rows, event.series, event.first_us - around, event.last_us + around)
    begin = int(rows.times[at.start])
    steps = (rows.times[at] - begin) // period_us
    width = -(-(int(steps[-1]) + 1) // _POINTS)  # usual steps that one point stands for
    place = (steps // width).astype(np.int64)
    highest = np.full(int(place[-1]) + 1, -np.inf)
    np.maximum.at(highest, place, found.scores[at])
    alerts = np.flatnonzero(found.flagged[at])
    during = [k for k in alerts if event.first_us <= rows.times[at.start + k] <= event.last_us]
    delay = None if not during else (int(rows.times[at.start + during[0]]) - event.first_us) / _HOUR_US
    return Timeline(
        outcome=event.outcome,
        series=rows.series_names[event.series],
        kind=event.kind,
        start=iso(event.first_us),
        end_h=_hours(length),
        from_h=_hours(begin - event.first_us),
        step_h=width * period_us / _HOUR_US,
        scores=tuple(None if value == -np.inf else float(f"{value:.5g}") for value in highest.tolist()),
        threshold=float(found.thresholds[at.start]),
        alerts=tuple(np.unique(place[alerts]).tolist()),
        delay_h=None if delay is None else round(delay, 4),
        drivers=drivers,
    )


def iso(time_us: int) -> str:
    """Microseconds since 1970 as ISO 8601, UTC."""
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _hours(span_us: int) -> float:
    return round(span_us / _HOUR_US, 4)
