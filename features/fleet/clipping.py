"""What a range too small for the signal does to the features of a record, at the feature level."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.fleet.energy import Array, State, weighted

MOVED = (0, 3, 5, 6, 7)
"""Positions in ``response.OUTPUTS`` that move by ``moved_terms``: rms, skewness, centroid, entropy, high band."""


def moved_terms(state: State) -> list[Array]:
    """Terms of what clipping adds to the outputs MOVED: powers of level by range, bent by tones and ringing."""
    q = np.minimum(np.sqrt(state.energies.sum(axis=0)) / state.range_g, 2.5)
    soft = np.maximum(q - 0.3, 0.0)  # a range beyond 3.3 times the level clips next to nothing
    p, tones = state.shares, state.tone_share
    bent = [soft**k * tones for k in (1, 2, 3)] + [soft * (p[7] + p[8]), soft**2 * (p[7] + p[8]), soft * p[4]]
    return [soft, soft**2, soft**3, soft**4, *bent]


def squared_terms(state: State, log_crest: Array, log_kurtosis: Array) -> list[Array]:
    """Terms of log kurtosis and log shape factor of a clipped record; both are 0 for a square wave, whose crest factor
    is 1. log_crest: of the clipped record; log_kurtosis: of the record before."""
    c, tones = np.maximum(log_crest, 0.0), state.tone_share
    return [c, c**2, c**3, c**4, c * tones, c**2 * tones, c * log_kurtosis, c**2 * log_kurtosis, c * state.shares[2]]


def squared_scatter_terms(log_crest: Array) -> list[Array]:
    """Terms of the log deviation of those two."""
    c = np.maximum(log_crest, 0.0)
    return [np.ones_like(c), c, c**2]


def clip_outputs(drawn: Array, state: State, noise: NDArray[np.floating[Any]], table: Any) -> Array:
    """(8, n) drawn outputs of records whose peak is beyond their range -> the same, clipped; noise: (2, n)."""
    clipped = drawn.copy()
    clipped[list(MOVED)] += weighted(moved_terms(state), table["clipping"])
    clipped[1] = np.log(state.range_g) - clipped[0]
    means = weighted(squared_terms(state, clipped[1], drawn[2]), table["clipped"])
    spread = np.exp(weighted(squared_scatter_terms(clipped[1]), table["clipped_scatter"]))
    clipped[[2, 4]] = means + spread * noise
    return clipped
