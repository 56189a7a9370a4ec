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
from features.fleet.clipping import clip_outputs
from features.fleet.energy import Array, State, weighted
from features.fleet.machine import COMPONENTS
from features.fleet.waveform import RATE_HZ
from features.vibration.spectrum import HIGH_BAND_FROM

OUTPUTS = ("rms", "crest_factor", "kurtosis", "skewness", "shape_factor", "centroid", "entropy", "high_band")
"""What is drawn: logs, but skewness and entropy as they are and the high band as a logit; the rest is arithmetic."""
HIGH_BAND_HZ = HIGH_BAND_FROM * RATE_HZ / 2
_FIRST, _SECOND, _LOOSE, _MESH, _FLOW, _STRUCTURE, _WHITE, _OUTER, _INNER = range(len(COMPONENTS))
Constants = Mapping[str, Any]


def draw_features(state: State, noise: NDArray[np.floating[Any]]) -> Array:
    """(10, n) features of n records, in the order of FEATURE_NAMES; noise: (8, n) standard normal draws."""
    table = response_table.TABLE
    spread = np.exp(weighted(scatter_terms(state), table["scatter"]))
    drawn = expected_outputs(state, table) + spread * weighted(list(noise), table["cholesky"])
    clipped = np.flatnonzero(drawn[0] + drawn[1] > np.log(state.range_g))
    if len(clipped):
        drawn[:, clipped] = clip_outputs(drawn[:, clipped], state.take(clipped), noise[[2, 4]][:, clipped], table)
    rms, crest, kurtosis, shape, centroid = np.exp(drawn[[0, 1, 2, 4, 5]])
    shape = np.maximum(shape, 1.0)
    crest = np.maximum(crest, shape)
    kurtosis = np.maximum(kurtosis, 1 + drawn[3] ** 2)
    entropy = np.clip(drawn[6], 0.02, 0.98)
    high_band = 1 / (1 + np.exp(-drawn[7]))
    return np.stack([rms, rms * crest, crest, kurtosis, drawn[3], shape, crest * shape, centroid, entropy, high_band])


def expected_outputs(state: State, table: Constants) -> Array:
    """(8, n) centre of OUTPUTS for each record, before clipping."""
    total = state.energies.sum(axis=0)
    peakedness = log_kurtosis(state, table)
    high = np.clip(weighted(high_band_terms(state), table["high_band"]), 1e-4, 0.9999)
    return np.stack(
        [
            0.5 * np.log(total) + weighted(rms_terms(state), table["rms"]),
            weighted(crest_terms(state, peakedness), table["crest_factor"]),
            peakedness,
            weighted(skewness_terms(state), table["skewness"]),
            weighted(crest_terms(state, peakedness), table["shape_factor"]),
            np.log(np.maximum(weighted(centroid_terms(state), table["centroid"]), 20.0)),
            weighted(entropy_terms(state), table["entropy"]),
            np.log(high / (1 - high)),
        ]
    )


def log_kurtosis(state: State, table: Constants) -> Array:
    """(n,) log of the kurtosis: 3, and the components' excess by the squares of their shares."""
    return np.log(np.maximum(3 + weighted(kurtosis_terms(state), table["kurtosis"]), 1.4))


def kurtosis_terms(state: State) -> list[Array]:
    """Squared shares; those of ringing also by the time between two impacts, in decay times."""
    p = state.shares
    outer, inner = rarity(state)
    rare = [outer * p[_OUTER] ** 2, inner * p[_INNER] ** 2, p[_LOOSE] ** 2 * slowness(state)]
    return [*np.square(p), *rare, p[_FIRST] * p[_LOOSE], p[_SECOND] * p[_LOOSE]]


def rarity(state: State) -> tuple[Array, Array]:
    """(n,) time between two impacts on the outer and on the inner race, in decay times of the ringing."""
    turn = 1 / np.maximum(state.speed_hz, 5.0) / state.ring_s
    return turn / state.outer_order, turn / state.inner_order


def slowness(state: State) -> Array:
    """(n,) duration of a shaft turn by that at 30 Hz: how few turns one record holds."""
    return np.asarray(30 / np.maximum(state.speed_hz, 10.0))


def centroid_terms(state: State) -> list[Array]:
    """Shares by their frequencies in Hz: of tones those of the shaft, of ringing that of the resonance."""
    p, f = state.shares, state.speed_hz
    tones = [p[_FIRST] * f, p[_SECOND] * f, p[_LOOSE] * f, p[_MESH] * f * state.mesh_order]
    noise = [p[_FLOW], p[_STRUCTURE], p[_WHITE]]
    return [*tones, *noise, (p[_OUTER] + p[_INNER]) * state.resonance_hz, p[_LOOSE] * 30, p[_LOOSE] ** 2 * 30]


def high_band_terms(state: State) -> list[Array]:
    """Shares of noise, and of ringing: a damped sine's line is a Lorentzian of half width 1 / (2π · decay time)."""
    p = state.shares
    ring = p[_OUTER] + p[_INNER]
    above = 0.5 + np.arctan(2 * np.pi * (state.resonance_hz - HIGH_BAND_HZ) * state.ring_s) / np.pi
    return [p[_FLOW], p[_STRUCTURE], p[_WHITE], ring, ring * above]


def entropy_terms(state: State) -> list[Array]:
    """Those of a mixture: shares, their squares, -p · log p; a slower shaft has its lines closer together."""
    p = state.shares
    surprise = -p * np.log(np.maximum(p, 1e-12))
    outer, inner = rarity(state)
    ringing = [p[_OUTER] * outer, p[_INNER] * inner, (p[_OUTER] + p[_INNER]) * np.log(1_000 * state.ring_s)]
    return [
        *p,
        *np.square(p),
        *surprise,
        state.tone_share * np.log(slowness(state)),
        p[_LOOSE] * slowness(state),
        *ringing,
    ]


def skewness_terms(state: State) -> list[Array]:
    """Knocks and impacts go one way first; third cumulants add up by share^1.5."""
    p = state.shares
    return [p[_LOOSE] ** 1.5, p[_OUTER] ** 1.5, p[_INNER] ** 1.5, p[_LOOSE] ** 2]


def crest_terms(state: State, peakedness: Array) -> list[Array]:
    """A polynomial in log kurtosis by 3, which tones and ringing bend; the same for the shape factor."""
    p, k = state.shares, peakedness - np.log(3)
    tones, ring = state.tone_share, p[_OUTER] + p[_INNER]
    outer, inner = rarity(state)
    return [
        *(np.ones_like(k), k, k**2, tones, tones**2, k * tones, ring, ring**2, k * ring),
        *(p[_OUTER] * outer, p[_INNER] * inner, p[_LOOSE], k * p[_LOOSE], p[_FLOW], p[_WHITE], p[_SECOND], p[_MESH]),
    ]


def rms_terms(state: State) -> list[Array]:
    """What a record of less than two turns adds to the log of the rms, its mean being removed."""
    p = state.shares
    return [p[_LOOSE], p[_LOOSE] * slowness(state), p[_LOOSE] * slowness(state) ** 2]


def scatter_terms(state: State) -> list[Array]:
    """Terms of the log deviation of OUTPUTS from record to record: a tone scatters less than noise, impacts more."""
    p = state.shares
    tones = [p[_FIRST], p[_SECOND], p[_LOOSE], p[_MESH]]
    return [np.ones_like(p[0]), *tones, np.square(p[_LOOSE]), p[_FLOW], p[_STRUCTURE], p[_OUTER] + p[_INNER]]
