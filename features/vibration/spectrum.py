"""Between waveforms and one-sided spectra: the inverse FFT of what sensors send, and the three spectral features."""

from functools import lru_cache
from math import ceil
from typing import Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import InputError

Normalisation = Literal["unnormalised", "amplitude"]
MAX_LINES = 32_768
HIGH_BAND_FROM = 0.5
"""Share of the Nyquist frequency where the high band begins.

At the rates that can see a bearing's resonances (8 to 32 kHz) it begins at 2 to 8 kHz: above the harmonics of shaft,
blades and gears, at the frequencies that impacts ring. White noise has half its power there at any rate.
"""


def rebuild_waveforms(
    spectra: ArrayLike, points: int, normalisation: Normalisation = "unnormalised"
) -> NDArray[np.float32] | NDArray[np.float64]:
    """The waveforms of one-sided FFTs, (n, points); float32 of complex64, float64 of complex128.

    spectra: (n, lines) complex, line k at k · rate / points, from DC; lines is points // 2 + 1, or points / 2 when
    points is even and the sensor leaves the Nyquist line out (then 0); at most 32,768. With N points x_t and
    X_k = Σ_t x_t exp(-2πikt/N):

    - ``unnormalised``: the lines are X_k, as ``numpy.fft.rfft`` gives them;
    - ``amplitude``: the lines are 2/N · X_k, but 1/N · X_k at DC and (N even) at Nyquist, so that |line| is in g.

    The imaginary parts of DC and Nyquist, 0 for any real waveform, are ignored; a record with a line that is not finite
    comes back not finite. Raises InputError for lines that are too many, do not fit ``points`` or are not complex.
    """
    lines = np.asarray(spectra)
    if lines.ndim != 2:
        raise InputError("spectra", "must have two dimensions (records, lines)", lines.shape)
    if lines.dtype.kind != "c":
        rule = "must be complex: magnitudes without phases do not determine a waveform"
        raise InputError("spectra", rule, str(lines.dtype))
    if normalisation not in get_args(Normalisation):
        raise InputError("normalisation", f"must be one of {', '.join(get_args(Normalisation))}", normalisation)
    if points < 2:
        raise InputError("points", "must be at least 2", points)
    if lines.shape[1] > MAX_LINES:
        raise InputError("spectra", f"must have at most {MAX_LINES:,} lines", lines.shape[1])
    even = points % 2 == 0
    allowed = (points // 2 + 1, points // 2) if even else (points // 2 + 1,)
    if lines.shape[1] not in allowed:
        rule = f"must have {' or '.join(map(str, allowed))} lines for {points} points"
        raise InputError("spectra", rule, lines.shape[1])
    if normalisation == "unnormalised":
        return np.fft.irfft(lines, points, axis=1)
    two_sided = lines * 0.5
    two_sided[:, 0] = lines[:, 0]
    if even:
        two_sided[:, points // 2 :] = lines[:, points // 2 :]
    return np.fft.irfft(two_sided, points, axis=1, norm="forward")


def power_spectrum(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) points, mean removed -> (n, m // 2) one-sided power of lines 1 … m // 2, in arbitrary units; no DC.

    |rfft(w · x)|² of the whole record under a Hann window w, halved at Nyquist, which has no mirror line. Without the
    window a shaft harmonic between two lines leaks as 1/f² into all others and moves centroid, entropy and high band;
    under it the leak falls as 1/f⁶ (Harris, On the use of windows for harmonic analysis, Proc. IEEE 66, 1978). Its
    price: an impact at the ends of a record weighs less than one in the middle.
    """
    lines = np.fft.rfft(centred * _hann(centred.shape[1]), axis=1)[:, 1:]
    power = np.square(lines.real)
    power += np.square(lines.imag)
    if centred.shape[1] % 2 == 0:
        power[:, -1] /= 2
    return power


def spectral_features(centred: NDArray[np.float64], rates_hz: NDArray[np.float64]) -> NDArray[np.float64]:
    """(n, m) points, mean removed, none constant, and (n,) rates -> (n, 3): centroid in Hz, entropy, high-band share.

    Entropy is Shannon's over the m // 2 shares of power, divided by its largest value: 0 for one line, 1 for a flat
    spectrum, about 1 - 0.42 / ln(m // 2) for one record of white noise, whose lines scatter.
    """
    m = centred.shape[1]
    share = power_spectrum(centred)
    share /= share.sum(axis=1, keepdims=True)
    centroid = np.einsum("ij,j->i", share, np.arange(1.0, m // 2 + 1)) * (rates_hz / m)
    first_high = ceil(HIGH_BAND_FROM * m / 2)  # a slice, not a mask: a masked copy is summed in an order that n decides
    high = share[:, first_high - 1 :].sum(axis=1)
    surprise = np.log(np.maximum(share, np.finfo(np.float64).tiny))  # a share of 0 adds nothing, its log would
    entropy = np.einsum("ij,ij->i", share, surprise) / -np.log(m // 2)
    return np.column_stack([centroid, np.clip(entropy, 0.0, 1.0), np.minimum(high, 1.0)])


@lru_cache(maxsize=16)
def _hann(m: int) -> NDArray[np.float64]:
    # Sampled at half points: no weight is 0, and a record read backwards keeps its spectrum.
    window = np.square(np.sin(np.pi * (np.arange(m) + 0.5) / m))
    window.flags.writeable = False
    return window
