"""One raw vibration record as one row: the table of its ten features, and the waveforms that become them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import InputError
from features.vibration.spectrum import spectral_features
from features.vibration.statistics import waveform_statistics

MIN_POINTS = 16
RATES_HZ = (500.0, 32_000.0)
_CHUNK_POINTS = 2**15  # 256 kB of float64 worked on at once: it and its spectrum stay in the cache of one core


@dataclass(frozen=True)
class Feature:
    """One column of a row; ``unit`` is "g", "Hz" or "1"; ``source`` says where the formula is from."""

    name: str
    unit: str
    formula: str
    source: str


_RANDALL = "Randall, Vibration-based Condition Monitoring, 2nd ed. 2021"
_JOANES = "Joanes and Gill, Comparing measures of sample skewness and kurtosis, The Statistician 47, 1998"
_CAESARENDRA = "Caesarendra and Tjahjowidodo, A review of feature extraction methods, Machines 5(4):21, 2017"
_PEETERS = "Peeters, A large set of audio features for sound description, IRCAM 2004"
_INOUYE = "Inouye et al., Quantification of EEG irregularity, Electroenceph. Clin. Neurophysiol. 79, 1991"
_ANTONI = "Randall and Antoni, Rolling element bearing diagnostics: a tutorial, MSSP 25, 2011: faults ring resonances"

# x: the n points minus their mean; f_k, P_k: frequency and one-sided power of line k = 1 … K, K = n // 2 (no DC).
FEATURES = (
    Feature("rms", "g", "sqrt(mean(x²))", _RANDALL),
    Feature("peak", "g", "max|x|", _RANDALL),
    Feature("crest_factor", "1", "peak / rms", _RANDALL),
    Feature("kurtosis", "1", "mean(x⁴) / mean(x²)², 3 for a normal distribution", f"{_JOANES}: g₂ + 3"),
    Feature("skewness", "1", "mean(x³) / mean(x²)^1.5", f"{_JOANES}: g₁"),
    Feature("shape_factor", "1", "rms / mean|x|", _CAESARENDRA),
    Feature("impulse_factor", "1", "peak / mean|x|", _CAESARENDRA),
    Feature("spectral_centroid", "Hz", "Σ f_k P_k / Σ P_k", _PEETERS),
    Feature("spectral_entropy", "1", "-Σ p_k ln p_k / ln K, p_k = P_k / Σ P_k", _INOUYE),
    Feature("high_band_energy_ratio", "1", "Σ P_k over f_k ≥ rate / 4, by Σ P_k", _ANTONI),
)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)


def units_of(names: Sequence[str]) -> dict[str, str]:
    """The unit of each of these features, where they are the ten of a record; none are known of any others."""
    return {feature.name: feature.unit for feature in FEATURES} if set(names) == set(FEATURE_NAMES) else {}


def record_features(waveforms: ArrayLike, rate_hz: float | NDArray[Any]) -> NDArray[np.float64]:
    """The ten FEATURES of each record, (n, 10) float64 in the order of the table.

    waveforms: (n, m) real points in g, m ≥ 16; rate_hz: points per second, 500 to 32,000, one for all or (n,). The mean
    of a record, its sensor's offset, is removed first. All is computed in float64 on records scaled to at most 1, so
    neither 1e15 nor 1e-20 is lost in the fourth power. A row does not depend, to the bit, on the rows beside it.

    A record with a point that is not finite gives a row of NaN. A constant record, a silent or stuck sensor, gives a
    row of zeros: rms and peak are 0, and the ratios take a value that no live record reaches (crest, shape and impulse
    factor and kurtosis are at least 1, the centroid is above 0), so that silence stands out and is not dropped as NaN.

    Raises InputError for fewer than 16 points, a rate outside the range, a wrong shape or numbers that are not real.
    """
    points = np.asarray(waveforms)
    if points.ndim != 2:
        raise InputError("waveforms", "must have two dimensions (records, points)", points.shape)
    if points.dtype.kind not in "fiu":
        raise InputError("waveforms", "must be real numbers; spectra go through rebuild_waveforms", str(points.dtype))
    if points.shape[1] < MIN_POINTS:
        raise InputError("waveforms", f"must have at least {MIN_POINTS} points a record", points.shape[1])
    rates = _rates(rate_hz, len(points))
    values = np.empty((len(points), len(FEATURES)))
    step = max(1, _CHUNK_POINTS // points.shape[1])
    for start in range(0, len(points), step):
        chunk = slice(start, start + step)
        values[chunk] = _features(points[chunk].astype(np.float64, order="C"), rates[chunk])
    return values


def _rates(rate_hz: float | NDArray[Any], n: int) -> NDArray[np.float64]:
    given = np.asarray(rate_hz)
    if given.dtype.kind not in "fiu":
        raise InputError("rate_hz", "must be a real number or an array of them", rate_hz)
    if given.shape not in ((), (n,)):
        raise InputError("rate_hz", f"must be one number or one for each of {n} records", given.shape)
    low, high = RATES_HZ
    outside = ~((given >= low) & (given <= high))  # NaN is outside too
    if outside.any():
        raise InputError("rate_hz", f"must be {low:,.0f} to {high:,.0f} Hz", float(given[outside][0]))
    return np.broadcast_to(given.astype(np.float64), (n,))


def _features(points: NDArray[np.float64], rates: NDArray[np.float64]) -> NDArray[np.float64]:
    lowest, highest = points.min(axis=1), points.max(axis=1)
    scale = np.maximum(-lowest, highest)
    finite = np.isfinite(scale)
    live = finite & (lowest < highest)
    values = np.where(finite[:, None], 0.0, np.full((len(points), len(FEATURES)), np.nan))
    centred = points[live] / scale[live, None]
    centred -= centred.mean(axis=1, keepdims=True)
    rows = np.hstack([waveform_statistics(centred), spectral_features(centred, rates[live])])
    rows[:, :2] *= scale[live, None]  # rms and peak are the two in g; the others do not depend on the scale
    values[live] = rows
    return values
