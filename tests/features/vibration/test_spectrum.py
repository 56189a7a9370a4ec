"""The inverse of the one-sided FFT that sensors send: round trips, conventions, refusals."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from features.errors import InputError
from features.vibration.record import record_features
from features.vibration.spectrum import MAX_LINES, power_spectrum, rebuild_waveforms


def noise(n: int, points: int, seed: int = 1) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, points)) + 0.5


def amplitudes(waveforms: NDArray[np.float64]) -> NDArray[np.complex128]:
    """2/N of the lines, 1/N at DC and, for even N, at Nyquist."""
    n = waveforms.shape[1]
    lines = np.fft.rfft(waveforms, axis=1) * (2 / n)
    lines[:, 0] /= 2
    if n % 2 == 0:
        lines[:, -1] /= 2
    return lines


@pytest.mark.parametrize("points", [16, 17, 2047, 2048, 65_534, 65_535])
def test_unnormalised_lines_give_their_waveform_back(points: int) -> None:
    waveforms = noise(3, points)
    rebuilt = rebuild_waveforms(np.fft.rfft(waveforms, axis=1), points)
    assert rebuilt.dtype == np.float64
    np.testing.assert_allclose(rebuilt, waveforms, rtol=0, atol=1e-12)


@pytest.mark.parametrize("points", [16, 17, 2047, 2048, 65_534, 65_535])
def test_amplitudes_give_their_waveform_back(points: int) -> None:
    waveforms = noise(3, points)
    np.testing.assert_allclose(
        rebuild_waveforms(amplitudes(waveforms), points, "amplitude"), waveforms, rtol=0, atol=1e-12
    )


@pytest.mark.parametrize("points", [2047, 2048])
def test_complex64_gives_float32_to_its_precision(points: int) -> None:
    waveforms = noise(3, points)
    for lines, normalisation in (
        (np.fft.rfft(waveforms, axis=1), "unnormalised"),
        (amplitudes(waveforms), "amplitude"),
    ):
        rebuilt = rebuild_waveforms(lines.astype(np.complex64), points, normalisation)  # type: ignore[arg-type]
        assert rebuilt.dtype == np.float32
        np.testing.assert_allclose(rebuilt, waveforms, rtol=0, atol=4e-6)


def test_an_amplitude_line_is_in_g() -> None:
    lines = np.zeros((1, 9), complex)
    lines[0, [0, 3, 8]] = 5, 2, 0.25  # offset, three periods, Nyquist
    t = np.arange(16)
    expected = 5 + 2 * np.cos(2 * np.pi * 3 * t / 16) + 0.25 * np.cos(np.pi * t)
    np.testing.assert_allclose(rebuild_waveforms(lines, 16, "amplitude")[0], expected, atol=1e-14)
    # With 17 points line 8 is no Nyquist line.
    expected = 5 + 2 * np.cos(2 * np.pi * 3 * np.arange(17) / 17) + 0.25 * np.cos(2 * np.pi * 8 * np.arange(17) / 17)
    np.testing.assert_allclose(rebuild_waveforms(lines, 17, "amplitude")[0], expected, atol=1e-14)


@pytest.mark.parametrize("normalisation", ["unnormalised", "amplitude"])
def test_a_nyquist_line_left_out_is_zero(normalisation: Any) -> None:
    lines = np.fft.rfft(noise(2, 64), axis=1)
    lines[:, -1] = 0
    np.testing.assert_array_equal(
        rebuild_waveforms(lines[:, :-1], 64, normalisation), rebuild_waveforms(lines, 64, normalisation)
    )


@settings(max_examples=60, deadline=None)
@given(points=st.integers(2, 300), seed=st.integers(0, 2**32 - 1))
def test_any_number_of_points_comes_back(points: int, seed: int) -> None:
    waveforms = noise(2, points, seed)
    for rebuilt in (
        rebuild_waveforms(np.fft.rfft(waveforms, axis=1), points),
        rebuild_waveforms(amplitudes(waveforms), points, "amplitude"),
    ):
        np.testing.assert_allclose(rebuilt, waveforms, rtol=0, atol=1e-12)


def test_huge_float32_amplitudes_do_not_overflow() -> None:
    lines = np.zeros((1, 1025), np.complex64)
    lines[0, 7] = 1e38
    assert np.abs(rebuild_waveforms(lines, 2048, "amplitude")).max() == pytest.approx(1e38)


def test_the_most_lines_a_sensor_sends_become_features() -> None:
    spectrum = np.fft.rfft(noise(1, 2 * MAX_LINES), axis=1)
    spectrum[:, -1] = 0  # at Nyquist, which such a sensor leaves out
    waveforms = np.fft.irfft(spectrum, axis=1)
    lines = amplitudes(waveforms)[:, :MAX_LINES]
    values = record_features(rebuild_waveforms(lines, 2 * MAX_LINES, "amplitude"), 32_000)
    np.testing.assert_allclose(values, record_features(waveforms, 32_000), rtol=1e-9)


def test_a_rebuilt_record_has_the_features_of_the_measured_one() -> None:
    waveforms = noise(5, 2048)
    rebuilt = rebuild_waveforms(amplitudes(waveforms).astype(np.complex64), 2048, "amplitude")
    np.testing.assert_allclose(record_features(rebuilt, 8_000), record_features(waveforms, 8_000), rtol=1e-4, atol=1e-5)


def test_a_broken_line_spoils_its_own_record_only() -> None:
    lines = np.fft.rfft(noise(3, 64), axis=1)
    whole = rebuild_waveforms(lines, 64)
    lines[1, 5] = np.nan
    rebuilt = rebuild_waveforms(lines, 64)
    assert np.isnan(record_features(rebuilt, 1000)).all(axis=1).tolist() == [False, True, False]
    np.testing.assert_array_equal(rebuilt[[0, 2]], whole[[0, 2]])


def test_spectra_are_left_as_they_were() -> None:
    lines = np.fft.rfft(noise(3, 64), axis=1)
    before = lines.copy()
    lines.flags.writeable = False
    rebuild_waveforms(lines, 64, "amplitude")
    np.testing.assert_array_equal(lines, before)
    assert not lines.flags.writeable


@pytest.mark.parametrize(
    ("spectra", "points", "message"),
    [
        (np.zeros(9, complex), 16, r"spectra: must have two dimensions \(records, lines\), got \(9,\)"),
        (np.zeros((1, 9)), 16, r"spectra: must be complex: magnitudes without phases do not .*, got 'float64'"),
        (np.zeros((1, 7), complex), 16, r"spectra: must have 9 or 8 lines for 16 points, got 7"),
        (np.zeros((1, 10), complex), 16, r"spectra: must have 9 or 8 lines for 16 points, got 10"),
        (np.zeros((1, 8), complex), 17, r"spectra: must have 9 lines for 17 points, got 8"),
        (np.zeros((1, 32_769), complex), 65_536, r"spectra: must have at most 32,768 lines, got 32769"),
        (np.zeros((1, 1), complex), 1, r"points: must be at least 2, got 1"),
    ],
)
def test_an_error_names_the_field_the_rule_and_the_value(spectra: Any, points: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        rebuild_waveforms(spectra, points)


def test_an_unknown_normalisation_is_refused() -> None:
    with pytest.raises(InputError, match=r"normalisation: must be one of unnormalised, amplitude, got 'rms'"):
        rebuild_waveforms(np.zeros((1, 9), complex), 16, "rms")  # type: ignore[arg-type]


@pytest.mark.parametrize("points", [64, 65])
def test_the_power_is_that_of_the_windowed_points(points: int) -> None:
    # Parseval: lines 1 … K of the one-sided power and half of DC's add up to N/2 of the sum of squares.
    centred = noise(4, points) - 0.5
    windowed = centred * np.sin(np.pi * (np.arange(points) + 0.5) / points) ** 2
    expected = points / 2 * np.sum(windowed**2, axis=1) - np.sum(windowed, axis=1) ** 2 / 2
    power = power_spectrum(centred)
    assert power.shape == (4, points // 2)
    np.testing.assert_allclose(power.sum(axis=1), expected)


def test_a_record_read_backwards_has_the_same_power() -> None:
    centred = noise(2, 64)
    np.testing.assert_allclose(power_spectrum(centred[:, ::-1]), power_spectrum(centred), rtol=1e-9, atol=1e-12)


def test_an_impact_at_the_very_end_of_a_record_is_still_seen() -> None:
    centred = np.zeros((1, 64))
    centred[0, 0] = 1
    assert power_spectrum(centred).min() > 0
