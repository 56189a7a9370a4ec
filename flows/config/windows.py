"""What a short or slow table needs instead of the default gap, cuts, merge and row rate."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import usual_period
from features.errors import InputError
from features.rows import Rows
from features.split import Split, Window, assign
from flows.config.suggestion import Setting
from flows.config.train import TrainConfig

_STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
          172_800, 259_200, 604_800, 2_592_000]  # fmt: skip
"""Round durations in seconds."""
_MOST_DROPPED = 0.15
_FEW_DROPPED = 0.1
_EXPERIMENTS = 8
_SIDE_BY_SIDE = 1.5
_DEFAULT = TrainConfig()


_MOST_ALERTS = 0.2
"""An alert budget above this is none; too small a table is then refused."""


def windows(rows: Rows) -> Iterator[Setting]:
    """Settings for ``rows``, which are the whole table; none where the defaults do."""
    shares = _DEFAULT.split
    split = Split((shares.reference, shares.selection, shares.calibration, shares.test), 0, False, _DEFAULT.seed)
    step_s, durations = usual_period(rows) / 1e6, _durations(rows)
    if durations is not None and step_s > 0:
        if _experiments(rows, durations, split):
            why = f"{len(durations)} series that follow one another as experiments do: a cut within one would share it"
            yield Setting("split", "between_series", True, (why,))
        elif gap := _gap(rows, split):
            yield gap
        yield from _merge(step_s, float(np.median(durations)))
    calibrated = len(rows) * shares.calibration * (1 - float(rows.anomalous.mean()))
    needed = 1.25 / max(calibrated, 2.0)
    if _DEFAULT.alerts.row_rate < needed < _MOST_ALERTS:
        why = f"about {calibrated:.0f} normal rows to calibrate on cannot tell a rarer alert"
        yield Setting("alerts", "row_rate", float(np.ceil(needed * 100) / 100), (why,))


def _durations(rows: Rows) -> NDArray[np.float64] | None:
    """Seconds from the first to the last row of each series; None without time."""
    if rows.times is None:
        return None
    starts = np.flatnonzero(np.r_[True, np.diff(rows.series) != 0])
    last = np.r_[starts[1:], len(rows)] - 1
    return np.asarray((rows.times[last] - rows.times[starts]) / 1e6)


def _experiments(rows: Rows, durations: NDArray[np.float64], split: Split) -> bool:
    assert rows.times is not None
    units = len(np.unique(rows.independent))
    together = durations.sum() / max(np.ptp(rows.times) / 1e6, 1e-6)
    if units < _EXPERIMENTS or together > _SIDE_BY_SIDE:
        return False
    return _dropped(rows, replace(split, between_series=True)) < 1


def _gap(rows: Rows, split: Split) -> Setting | None:
    """The largest round gap that drops few rows, where the default one drops many or leaves a window empty."""
    usual = int(_DEFAULT.split.gap.total_seconds())
    dropped = _dropped(rows, replace(split, gap_us=usual * 10**6))
    if dropped <= _MOST_DROPPED:
        return None
    judged = replace(rows, labels=None)  # an episode may empty a window whatever the gap
    smaller = (s for s in reversed(_STEPS) if s < usual)
    gap = next((s for s in smaller if _dropped(judged, replace(split, gap_us=s * 10**6)) <= _FEW_DROPPED), 0)
    lost = f"{dropped:.0%} of the rows" if dropped < 1 else "a window"
    reasons = [f"gaps of {_duration(usual)} would drop {lost}"]
    if _dropped(rows, replace(split, gap_us=gap * 10**6)) == 1:
        reasons.append(
            "A window is still empty, since a run of anomalous rows that crosses a cut belongs whole to the later "
            "window: change the shares of reference, selection, calibration and test."
        )
    return Setting("split", "gap", _duration(gap), tuple(reasons))


def _dropped(rows: Rows, split: Split) -> float:
    """Share of the rows that lie in no window, 1 where a window is empty."""
    try:
        return float(np.mean(assign(rows, split) == Window.DROPPED))
    except InputError:
        return 1.0


def _merge(step_s: float, series_s: float) -> Iterator[Setting]:
    usual = _DEFAULT.alerts.merge.total_seconds()
    if 3 * step_s > usual:
        merge = next((s for s in _STEPS if s >= 3 * step_s), _STEPS[-1])
        why = f"rows are {_span(step_s)} apart: alert rows within three steps are one"
        yield Setting("alerts", "merge", _duration(merge), (why,))
    elif series_s < 12 * usual:
        merge = min(next((s for s in _STEPS if s >= 30 * step_s), _STEPS[-1]), int(usual))
        if merge < usual:
            why = f"a series lasts {_span(series_s)}, a row each {_span(step_s)}: an hour would join unrelated alerts"
            yield Setting("alerts", "merge", _duration(merge), (why,))


def _duration(seconds: int) -> str:
    """As configurations write it: 30s, 5m, 6h, 2d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _span(seconds: float) -> str:
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    unit, size = next(((unit, size) for unit, size in sizes if seconds >= size), ("s", 1))
    return f"{seconds / size:.3g} {unit}"
