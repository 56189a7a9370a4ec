"""Robust scaling constants from the reference window."""

import numpy as np
from numpy.typing import NDArray

from serving.manifest import RobustScaling

LIMIT = 1e6  # robust standard deviations; its square stays far inside float32
_NORMAL_IQR = 1.349  # interquartile range of a standard normal distribution


def fit_scaling(values: NDArray[np.float64]) -> RobustScaling:
    """Median and scaled interquartile range of each feature of (n, d) values.

    A feature whose middle half is constant falls back to its standard deviation, an altogether constant one to 1, so
    that it never divides by zero.
    """
    low, centre, high = np.quantile(values, [0.25, 0.5, 0.75], axis=0)
    scale = (high - low) / _NORMAL_IQR
    spread = values.std(axis=0)
    floor = 1e-9 * np.maximum(np.abs(centre), 1e-12)
    scale = np.where(scale > floor, scale, np.where(spread > floor, spread, 1.0))
    return RobustScaling(centre=centre.tolist(), scale=scale.tolist(), limit=LIMIT)
