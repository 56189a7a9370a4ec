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
    """Compare each series with itself: the shift of its median, in the usual series' robust standard deviation.

    old, new: (n, d) and (m, d) values of the rows of both windows, as drift sees them.
    """
    before, after = _by_series(reference, old), _by_series(current, new)
    names = sorted(before.keys() & after.keys())
    if not names:
        return MovedSeries(0, ())
    centres = np.array([np.median(before[name], axis=0) for name in names])
    within = [np.median(np.abs(before[name] - centre), axis=0) for name, centre in zip(names, centres, strict=True)]
    scale = _NORMAL_MAD * np.median(within, axis=0)
    shifts = np.array([np.median(after[name], axis=0) for name in names]) - centres
    shifts = np.divide(shifts, scale, out=np.zeros_like(shifts), where=scale > 0)
    furthest = np.abs(shifts).argmax(axis=1)
    sizes = np.abs(shifts).max(axis=1)
    order = [k for k in np.argsort(-sizes, kind="stable") if sizes[k] >= limit]
    found = tuple((names[k], reference.features[furthest[k]], float(shifts[k, furthest[k]])) for k in order)
    return MovedSeries(len(names), found)


def _by_series(rows: Rows, values: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    order = np.argsort(rows.series, kind="stable")
    codes, starts = np.unique(rows.series[order], return_index=True)
    parts = np.split(values[order], starts[1:])
    return {rows.series_names[code]: part for code, part in zip(codes, parts, strict=True) if len(part) >= MIN_ROWS}
