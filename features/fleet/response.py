"""The feature level: the ten features of a record drawn from its state, without making the record.

Energies of independent sources add up, so centroid and high band are averages of the components' own, weighted by
their shares of the energy; excess kurtosis adds up by the squares of the shares, since fourth cumulants add; entropy is
nearly that of a mixture. What theory leaves open (the constants before these terms, the scatter of one record of 2,048
points, what clipping does) is ``response_table``, fitted to the waveform level by ``tests/quality/fit_response.py``.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from features.fleet import response_table
from features.fleet.energy import State
from features.fleet.machine import COMPONENTS

OUTPUTS = ("rms", "crest_factor", "kurtosis", "skewness", "shape_factor", "centroid", "entropy", "high_band")
"""What is drawn: logs, but skewness and entropy as they are and the high band as a logit; the rest is arithmetic."""
_FIRST, _SECOND, _LOOSE, _MESH, _FLOW, _STRUCTURE, _WHITE, _OUTER, _INNER = range(len(COMPONENTS))
Array = NDArray[np.float64]
Constants = Mapping[str, Any]


def draw_features(state: State, noise: NDArray[np.floating[Any]]) -> Array:
    """(10, n) features of n records, in the order of FEATURE_NAMES; noise: (8, n) standard normal draws."""
    table = response_table.TABLE
    centre = expected_outputs(state, table)
    spread = np.exp(weighted(scatter_terms(state), table["scatter"]))
    drawn = centre + spread * weighted(list(noise), table["cholesky"])
    rms, crest, kurtosis, shape, centroid = np.exp(drawn[[0, 1, 2, 4, 5]])
    shape = np.maximum(shape, 1.0)
    peak = np.minimum(rms * np.maximum(crest, shape), state.range_g)
    crest = np.maximum(peak / rms, 1.0)
    entropy = np.clip(drawn[6], 0.02, 0.98)
    high_band = 1 / (1 + np.exp(-drawn[7]))
    kurtosis = np.maximum(kurtosis, 1 + drawn[3] ** 2)
    return np.stack([rms, rms * crest, crest, kurtosis, drawn[3], shape, crest * shape, centroid, entropy, high_band])


def expected_outputs(state: State, table: Constants) -> Array:
    """(8, n) centre of OUTPUTS for each record."""
    total = state.energies.sum(axis=0)
    peakedness = log_kurtosis(state, table)
    high = np.clip(weighted(high_band_terms(state), table["high_band"]), 1e-4, 0.9999)
    centre = np.stack(
        [
            0.5 * np.log(total),
            weighted(crest_terms(state, peakedness), table["crest_factor"]),
            peakedness,
            weighted(skewness_terms(state), table["skewness"]),
            weighted(shape_terms(state, peakedness), table["shape_factor"]),
            np.log(np.maximum(weighted(centroid_terms(state), table["centroid"]), 20.0)),
            weighted(entropy_terms(state), table["entropy"]),
            np.log(high / (1 - high)),
        ]
    )
    clipped = np.flatnonzero(np.isfinite(state.range_g))
    if len(clipped):
        centre[:, clipped] += weighted(clipping_terms(state.take(clipped)), table["clipping"])
    return centre


def weighted(terms: list[Any], constants: Any) -> Array:
    """Σ constants · terms: (n,) for one row of constants, (k, n) for k of them."""
    rows = np.asarray(constants)
    total = rows[..., 0, None] * terms[0]
    for column in range(1, len(terms)):
        total += rows[..., column, None] * terms[column]
    return np.asarray(total, np.float64)


def shares(state: State) -> Array:
    """(9, n) share of each component in the energy."""
    return np.asarray(state.energies / state.energies.sum(axis=0))


def log_kurtosis(state: State, table: Constants) -> Array:
    """(n,) log of the kurtosis: 3, and the components' excess by the squares of their shares."""
    return np.log(np.maximum(3 + weighted(kurtosis_terms(state), table["kurtosis"]), 1.4))


def kurtosis_terms(state: State) -> list[Array]:
    """Squared shares; those of ringing also by the time between two impacts, in decay times."""
    p = shares(state)
    rare = [
        p[k] ** 2 / np.maximum(state.speed_hz * order * state.ring_s, 0.01)
        for k, order in ((_OUTER, state.outer_order), (_INNER, state.inner_order))
    ]
    return [*np.square(p), *rare, p[_FIRST] * p[_LOOSE], p[_SECOND] * p[_LOOSE]]


def centroid_terms(state: State) -> list[Array]:
    """Shares by their frequencies in Hz: of tones those of the shaft, of ringing that of the resonance."""
    p, f = shares(state), state.speed_hz
    tones = [p[_FIRST] * f, p[_SECOND] * f, p[_LOOSE] * f, p[_MESH] * f * state.mesh_order]
    return [*tones, p[_FLOW], p[_STRUCTURE], p[_WHITE], (p[_OUTER] + p[_INNER]) * state.resonance_hz]


def high_band_terms(state: State) -> list[Array]:
    """Shares of noise, and of ringing by its distance in kHz from the lower end of the high band."""
    p, off = shares(state), (state.resonance_hz - 5_120) / 1_000
    ring = p[_OUTER] + p[_INNER]
    return [p[_FLOW], p[_STRUCTURE], p[_WHITE], ring, ring * off, ring * off**2, ring * off**3]


def entropy_terms(state: State) -> list[Array]:
    """Those of a mixture: shares, their squares, -p · log p; a slower shaft has its lines closer together."""
    p = shares(state)
    tones = p[_FIRST] + p[_SECOND] + p[_LOOSE] + p[_MESH]
    surprise = -p * np.log(np.maximum(p, 1e-12))
    return [*p, *np.square(p), *surprise, tones * np.log(np.maximum(state.speed_hz, 10) / 30)]


def skewness_terms(state: State) -> list[Array]:
    """Knocks and impacts go one way first; third cumulants add up by share^1.5."""
    p = shares(state)
    return [p[_LOOSE] ** 1.5, p[_OUTER] ** 1.5, p[_INNER] ** 1.5, p[_LOOSE] ** 2]


def crest_terms(state: State, peakedness: Array) -> list[Array]:
    """A polynomial in log kurtosis by 3, which tones and ringing bend."""
    p, k = shares(state), peakedness - np.log(3)
    tones, ring = p[_FIRST] + p[_SECOND] + p[_LOOSE] + p[_MESH], p[_OUTER] + p[_INNER]
    return [np.ones_like(k), k, k**2, tones, tones**2, k * tones, ring, k * ring, p[_LOOSE], k * p[_LOOSE], p[_FLOW]]


def shape_terms(state: State, peakedness: Array) -> list[Array]:
    """As for the crest factor."""
    p, k = shares(state), peakedness - np.log(3)
    tones, ring = p[_FIRST] + p[_SECOND] + p[_LOOSE] + p[_MESH], p[_OUTER] + p[_INNER]
    return [np.ones_like(k), k, k**2, tones, k * tones, ring, k * ring, p[_LOOSE], k * p[_LOOSE]]


def scatter_terms(state: State) -> list[Array]:
    """Terms of the log deviation of OUTPUTS from record to record: a tone scatters less than noise, impacts more."""
    p = shares(state)
    tones = [p[_FIRST], p[_SECOND], p[_LOOSE], p[_MESH]]
    return [np.ones_like(p[0]), *tones, np.square(p[_LOOSE]), p[_FLOW], p[_STRUCTURE], p[_OUTER] + p[_INNER]]


def clipping_terms(state: State) -> list[Array]:
    """Terms of what clipping adds to OUTPUTS: powers of level by range, bent by tones."""
    p = shares(state)
    q = np.minimum(np.sqrt(state.energies.sum(axis=0)) / state.range_g, 2.0)
    soft = np.maximum(q - 0.3, 0.0)  # a range beyond 3.3 times the level clips next to nothing
    tones = p[_FIRST] + p[_SECOND] + p[_LOOSE] + p[_MESH]
    return [soft, soft**2, soft**3, soft * tones, soft**2 * tones, soft * (p[_OUTER] + p[_INNER]), soft * p[_FLOW]]
