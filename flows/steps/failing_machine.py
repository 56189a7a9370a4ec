"""The rows of one machine of a table, first as they are and then with a fault that grows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluation.injection import inject, reference_spread
from features.errors import NotEnoughDataError
from features.rows import OFF, Rows

FAULTS = {"imbalance": "scale", "bearing damage": "impulse", "looseness": "noise", "a sensor that drifts": "offset"}
"""What a person chooses, and the kind of evaluation.injection that it is."""
_LARGEST = 16.0


@dataclass(frozen=True)
class Machine:
    """(n, d) values of one series in time order, from its newest n rows at work, and the state of each, if known."""

    series: str
    values: NDArray[np.float64]
    regimes: tuple[str, ...] | None


def machines(rows: Rows, count: int, length: int) -> list[Machine]:
    """The newest ``length`` rows at work of ``count`` series without a known anomaly in them, first those that are all
    judged normal: a fault that begins has rows that nobody judges.

    Raises NotEnoughDataError where no series has so many.
    """
    judged, unjudged = list[Machine](), list[Machine]()
    for code, name in enumerate(rows.series_names):
        at = np.flatnonzero((rows.series == code) & ~_off(rows))[-length:]
        labels = np.zeros(len(at)) if rows.labels is None else rows.labels[at]
        if len(at) == length and not (labels == 1).any():
            regimes = None if rows.regimes is None else tuple(_regime(rows, place) for place in at)
            (judged if (labels == 0).all() else unjudged).append(Machine(name, rows.values[at], regimes))
        if len(judged) == count:
            break
    found = [*judged, *unjudged][:count]
    if not found:
        raise NotEnoughDataError("data", f"must hold a series with {length} rows at work, none of them anomalous")
    return found


def failing(machine: Machine, rows: Rows, fault: str, healthy: int, seed: int) -> NDArray[np.float64]:
    """The machine's values, with a fault that grows after ``healthy`` rows to 16 robust standard deviations."""
    spread, values = reference_spread(rows), machine.values.copy()
    for place in range(healthy, len(values)):
        size = _LARGEST * (place - healthy + 1) / (len(values) - healthy)
        one = values[None, place : place + 1]
        values[place] = inject(one, rows.features, FAULTS[fault], size, spread, seed)[0, 0]
    return values


def _off(rows: Rows) -> NDArray[np.bool_]:
    if rows.regimes is None or OFF not in rows.regime_names:
        return np.zeros(len(rows), bool)
    return np.asarray(rows.regimes == rows.regime_names.index(OFF))


def _regime(rows: Rows, place: int) -> str:
    assert rows.regimes is not None
    code = int(rows.regimes[place])
    return rows.regime_names[code] if code >= 0 else ""
