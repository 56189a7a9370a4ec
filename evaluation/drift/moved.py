"""Series that moved: drift of a few machines or sensors, which the whole fleet's distribution does not show."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.rows import Rows

MIN_ROWS = 20
_NORMAL_MAD = 1.4826


@dataclass(frozen=True)
class MovedSeries:
    """judged: series with MIN_ROWS sampled rows in both windows; moved: (series, feature, shift) of those beyond the
    limit, furthest first, each with the feature that moved furthest, in robust standard deviations within a series."""

    judged: int
    moved: tuple[tuple[str, str, float], ...]

    @property
    def share(self) -> float:
        """Of the judged series; 0 where none could be judged."""
        return len(self.moved) / self.judged if self.judged else 0.0


def moved_series(
    reference: Rows, old: NDArray[np.float64], current: Rows, new: NDArray[np.float64], limit: float
) -> MovedSeries:
    """Compare each series with itself, in each operating state: the shift of its median, in its robust standard
    deviation there, or in that of the usual series where its own is smaller.

    old, new: (n, d) and (m, d) values of the rows of both windows, as drift sees them.
    """
    before, after = _by_state(reference, old), _by_state(current, new)
    both = sorted(before.keys() & after.keys())
    if not both:
        return MovedSeries(0, ())
    centres = np.array([np.median(before[key], axis=0) for key in both])
    within = [np.median(np.abs(before[key] - centre), axis=0) for key, centre in zip(both, centres, strict=True)]
    scale = _NORMAL_MAD * np.maximum(within, np.median(within, axis=0))
    shifts = np.array([np.median(after[key], axis=0) for key in both]) - centres
    shifts = np.divide(shifts, scale, out=np.zeros_like(shifts), where=scale > 0)
    furthest: dict[str, tuple[str, str, float]] = {}
    for (name, _), feature, row in zip(both, np.abs(shifts).argmax(axis=1), shifts, strict=True):
        if abs(row[feature]) >= max(limit, abs(furthest[name][2]) if name in furthest else 0.0):
            furthest[name] = (name, reference.features[feature], float(row[feature]))
    return MovedSeries(len({name for name, _ in both}), tuple(sorted(furthest.values(), key=lambda one: -abs(one[2]))))


def _by_state(rows: Rows, values: NDArray[np.float64]) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Values of every series and operating state with MIN_ROWS rows."""
    named = (*rows.regime_names, "")  # UNKNOWN is the last
    states = rows.series * 0 if rows.regimes is None else rows.regimes % len(named)
    keys = rows.series * len(named) + states
    order = np.argsort(keys, kind="stable")
    found, starts = np.unique(keys[order], return_index=True)
    return {
        (rows.series_names[key // len(named)], named[key % len(named)] if rows.regimes is not None else ""): part
        for key, part in zip(found, np.split(values[order], starts[1:]), strict=True)
        if len(part) >= MIN_ROWS
    }
