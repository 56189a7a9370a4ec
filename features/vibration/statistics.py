"""The seven features of a record that need only its points."""

import numpy as np
from numpy.typing import NDArray


def waveform_statistics(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) points, mean removed, none constant, at most about 1 -> (n, 7), in the order of FEATURES from rms on.

    Moments are biased (divided by m), as ``scipy.stats.kurtosis(fisher=False)`` and ``scipy.stats.skew`` have them.
    Sums are numpy's own and not BLAS's, whose order of adding may change with the shape of a batch or with threads.
    """
    m = centred.shape[1]
    squared = centred * centred
    second = squared.mean(axis=1)
    third = np.einsum("ij,ij->i", squared, centred) / m
    fourth = np.einsum("ij,ij->i", squared, squared) / m
    rms = np.sqrt(second)
    magnitude = np.abs(centred, out=squared)
    mean_magnitude = magnitude.mean(axis=1)
    peak = magnitude.max(axis=1)
    return np.column_stack(
        [rms, peak, peak / rms, fourth / second**2, third / (second * rms), rms / mean_magnitude, peak / mean_magnitude]
    )
