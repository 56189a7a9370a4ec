"""Records as rows of ten features: signals computed by hand, scipy's moments, precision, independence of rows."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray
from scipy import signal, stats

from features.errors import InputError
from features.fleet.simulator import FEATURES as SIMULATED
from features.vibration import record
from features.vibration.record import FEATURE_NAMES, FEATURES, record_features, units_of

RATE = 16_000.0
M = 2048


def named(waveform: Any, rate_hz: float = RATE) -> dict[str, float]:
    return dict(zip(FEATURE_NAMES, record_features(np.asarray(waveform)[None], rate_hz)[0].tolist(), strict=True))


def sine(frequency_hz: float, amplitude: float = 1.0, points: int = M, rate_hz: float = RATE) -> NDArray[np.float64]:
    return amplitude * np.sin(2 * np.pi * frequency_hz * np.arange(points) / rate_hz + 0.3)


def noise(n: int, points: int = M, seed: int = 5) -> NDArray[np.float64]:
    return np.random.default_rng(seed).standard_normal((n, points))


def test_names_are_those_of_the_simulated_fleet_in_its_order() -> None:
    assert FEATURE_NAMES == SIMULATED
    assert [feature.unit for feature in FEATURES] == ["g", "g", "1", "1", "1", "1", "1", "Hz", "1", "1"]
    assert all(feature.formula and feature.source for feature in FEATURES)


def test_a_sine_has_the_values_of_the_textbook() -> None:
    row = named(sine(1000, amplitude=3) + 7)
    expected = {
        "rms": 3 / np.sqrt(2),
        "peak": 3 * np.max(np.abs(sine(1000))),
        "kurtosis": 1.5,
        "skewness": 0,
        "spectral_centroid": 1000,
        "high_band_energy_ratio": 0,
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected, abs=1e-9)
    # Sixteen points a period: the sampled mean of |sin| differs from the continuous 2/π, and the crest is just missed.
    assert row["crest_factor"] == pytest.approx(np.sqrt(2), rel=5e-3)
    assert row["shape_factor"] == pytest.approx(np.pi / (2 * np.sqrt(2)), rel=5e-3)
    assert row["impulse_factor"] == pytest.approx(np.pi / 2, rel=1e-2)


def test_a_sine_of_one_line_has_the_entropy_of_the_window() -> None:
    # Hann spreads one line over three with 1/6, 2/3 and 1/6 of its power.
    shares = np.array([1, 4, 1]) / 6
    assert named(sine(1000))["spectral_entropy"] == pytest.approx(-np.sum(shares * np.log(shares)) / np.log(M // 2))


def test_an_impulse_train_has_the_values_computed_by_hand() -> None:
    # k of m points are 1: a share q is 1 - q after the mean is removed, the rest -q.
    period, q = 64, 1 / 64
    row = named((np.arange(M) % period == 10).astype(np.float32))
    variance = q * (1 - q)
    expected = {
        "rms": np.sqrt(variance),
        "peak": 1 - q,
        "crest_factor": np.sqrt((1 - q) / q),
        "kurtosis": (1 - 3 * variance) / variance,
        "skewness": (1 - 2 * q) / np.sqrt(variance),
        "shape_factor": 1 / (2 * np.sqrt(variance)),
        "impulse_factor": 1 / (2 * q),
    }
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_white_noise_is_normal_and_flat() -> None:
    values = dict(zip(FEATURE_NAMES, record_features(noise(200), RATE).mean(axis=0).tolist(), strict=True))
    assert values["rms"] == pytest.approx(1, abs=0.01)
    assert values["kurtosis"] == pytest.approx(3, abs=0.05)
    assert values["skewness"] == pytest.approx(0, abs=0.02)
    assert values["shape_factor"] == pytest.approx(np.sqrt(np.pi / 2), abs=0.005)
    assert values["spectral_centroid"] == pytest.approx(RATE / 4, rel=0.01)
    assert values["high_band_energy_ratio"] == pytest.approx(0.5, abs=0.01)
    # Lines of noise are exponential: the entropy lacks E[P ln P] = 1 - γ of that of a flat spectrum.
    assert values["spectral_entropy"] == pytest.approx(1 - (1 - np.euler_gamma) / np.log(M // 2), abs=0.002)


@pytest.mark.parametrize("rate_hz", [500.0, 3_200.0, 32_000.0])
def test_the_high_band_holds_the_power_above_half_of_nyquist_at_any_rate(rate_hz: float) -> None:
    low, high = 0.125 * rate_hz, 0.375 * rate_hz
    row = named(sine(low, 2, rate_hz=rate_hz) + sine(high, 1, rate_hz=rate_hz), rate_hz)
    assert row["high_band_energy_ratio"] == pytest.approx(1 / 5)
    assert row["spectral_centroid"] == pytest.approx((4 * low + high) / 5)


def test_a_line_between_two_bins_hardly_leaks() -> None:
    row = named(sine(1003.7))
    assert row["spectral_centroid"] == pytest.approx(1003.7, rel=1e-4)
    assert row["high_band_energy_ratio"] < 1e-9


def test_each_record_has_its_own_rate() -> None:
    values = record_features(np.tile(noise(1), (3, 1)), np.array([500, 8_000, 32_000]))
    centroid = values[:, FEATURE_NAMES.index("spectral_centroid")]
    np.testing.assert_allclose(centroid / centroid[0], [1, 16, 64])
    np.testing.assert_array_equal(np.delete(values, 7, axis=1)[1:], np.delete(values, 7, axis=1)[:-1])


@pytest.mark.parametrize("points", [16, 17, 1000, 2047, M])
def test_features_agree_with_scipy(points: int) -> None:
    waveforms = np.random.default_rng(points).gamma(2, size=(20, points)) * 3 + 1
    values = dict(zip(FEATURE_NAMES, record_features(waveforms, RATE).T, strict=True))
    centred = waveforms - waveforms.mean(axis=1, keepdims=True)
    window = np.sin(np.pi * (np.arange(points) + 0.5) / points) ** 2
    frequencies, power = signal.periodogram(centred, RATE, window=window, detrend=False)
    share = power[:, 1:] / power[:, 1:].sum(axis=1, keepdims=True)
    expected = {
        "rms": waveforms.std(axis=1),
        "kurtosis": stats.kurtosis(waveforms, axis=1, fisher=False, bias=True),
        "skewness": stats.skew(waveforms, axis=1, bias=True),
        "crest_factor": np.abs(centred).max(axis=1) / waveforms.std(axis=1),
        "spectral_centroid": share @ frequencies[1:],
        "spectral_entropy": stats.entropy(share, axis=1) / np.log(points // 2),
        "high_band_energy_ratio": share[:, frequencies[1:] >= RATE / 4].sum(axis=1),
    }
    for name, column in expected.items():
        np.testing.assert_allclose(values[name], column, rtol=1e-9, atol=1e-12, err_msg=name)


def test_float32_and_float64_agree() -> None:
    waveforms = noise(50) * 0.3 + 1  # an offset of three times the vibration
    single = record_features(waveforms.astype(np.float32), RATE)
    np.testing.assert_allclose(single, record_features(waveforms, RATE), rtol=1e-5, atol=1e-6)


def test_integers_of_a_converter_are_taken_as_they_are() -> None:
    counts = np.round(noise(3) * 1000).astype(np.int16)
    np.testing.assert_array_equal(record_features(counts, RATE), record_features(counts.astype(np.float64), RATE))


@pytest.mark.parametrize("scale", [1e15, 1e30, 1e-20, 1e-30])
def test_huge_and_tiny_float32_records_keep_their_shape(scale: float) -> None:
    waveforms = noise(5).astype(np.float32)
    scaled = waveforms * np.float32(scale)
    factor = np.where(np.array([f.unit for f in FEATURES]) == "g", float(np.float32(scale)), 1)
    np.testing.assert_allclose(record_features(scaled, RATE) / factor, record_features(waveforms, RATE), rtol=1e-5)


@pytest.mark.parametrize("exponent", [-900, 900])
def test_the_ends_of_float64_neither_overflow_nor_vanish(exponent: int) -> None:
    waveforms = noise(5)
    values = record_features(np.ldexp(waveforms, exponent), RATE)
    np.testing.assert_array_equal(values[:, :2], np.ldexp(record_features(waveforms, RATE)[:, :2], exponent))
    np.testing.assert_array_equal(values[:, 2:], record_features(waveforms, RATE)[:, 2:])


@settings(max_examples=60, deadline=None)
@given(
    waveform=arrays(np.float64, st.integers(16, 80), elements=st.integers(-1000, 1000).map(float)).filter(np.ptp),
    scale=st.floats(1e-12, 1e12),
    offset=st.integers(-1000, 1000),
)
def test_rms_and_peak_follow_the_scale_and_nothing_else_does(
    waveform: NDArray[np.float64], scale: float, offset: int
) -> None:
    moved = np.array(list(named((waveform + offset) * scale).values()))
    values = np.array(list(named(waveform).values()))
    np.testing.assert_allclose(moved[:2], values[:2] * scale, rtol=1e-9)
    np.testing.assert_allclose(moved[2:], values[2:], rtol=1e-8, atol=1e-8)


@settings(max_examples=60, deadline=None)
@given(waveform=arrays(np.float32, st.integers(16, 80), elements=st.floats(-(2.0**100), 2.0**100, width=32)))
def test_every_finite_record_has_finite_features_within_their_bounds(waveform: NDArray[np.float32]) -> None:
    row = named(waveform)
    assert np.isfinite(list(row.values())).all()
    assert 0 <= row["spectral_entropy"] <= 1
    assert 0 <= row["high_band_energy_ratio"] <= 1
    assert 0 <= row["spectral_centroid"] <= RATE / 2
    if np.ptp(waveform) > 0:
        for name in ("crest_factor", "kurtosis", "shape_factor", "impulse_factor"):
            assert row[name] >= 1 - 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("points", [16, 333, M])
def test_a_row_has_the_same_bits_alone_in_any_batch_and_in_any_order(points: int, dtype: type) -> None:
    waveforms = noise(67, points).astype(dtype)
    rates = np.linspace(500, 32_000, 67)
    whole = record_features(waveforms, rates)
    alone = np.vstack([record_features(waveforms[[k]], rates[k]) for k in range(67)])
    np.testing.assert_array_equal(alone, whole)
    np.testing.assert_array_equal(record_features(waveforms[::-1], rates[::-1])[::-1], whole)
    np.testing.assert_array_equal(record_features(np.asfortranarray(waveforms), rates), whole)


def test_the_size_of_a_chunk_changes_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    waveforms = noise(40)
    whole = record_features(waveforms, RATE)
    for points in (1, 3 * M, 1000 * M):
        monkeypatch.setattr(record, "_CHUNK_POINTS", points)
        np.testing.assert_array_equal(record_features(waveforms, RATE), whole)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_point_that_is_not_finite_spoils_its_own_row_only(bad: float) -> None:
    waveforms = noise(40).astype(np.float32)
    clean = record_features(waveforms, RATE)
    waveforms[[0, 17], [3, M - 1]] = bad
    values = record_features(waveforms, RATE)
    assert np.isnan(values[[0, 17]]).all()
    np.testing.assert_array_equal(np.delete(values, [0, 17], axis=0), np.delete(clean, [0, 17], axis=0))


@pytest.mark.parametrize("level", [0.0, 0.1, -9.81, 1e30, 1e-30])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_silent_or_stuck_sensor_gives_zeros(level: float, dtype: type) -> None:
    waveforms = np.vstack([noise(1), np.full((1, M), level)]).astype(dtype)
    values = record_features(waveforms, RATE)
    assert values[1].tolist() == [0.0] * len(FEATURES)
    np.testing.assert_array_equal(values[0], record_features(waveforms[:1], RATE)[0])


@pytest.mark.filterwarnings("error")
def test_silence_and_broken_points_raise_no_warning() -> None:
    values = record_features([np.zeros(16), np.full(16, np.nan), np.full(16, np.inf), np.arange(16)], RATE)
    assert np.isfinite(values).all(axis=1).tolist() == [True, False, False, True]


def test_records_are_left_as_they_were() -> None:
    waveforms = noise(3)
    before = waveforms.copy()
    waveforms.flags.writeable = False
    record_features(waveforms, RATE)
    np.testing.assert_array_equal(waveforms, before)
    assert not waveforms.flags.writeable


def test_no_records_give_no_rows() -> None:
    assert record_features(np.empty((0, 32)), RATE).shape == (0, 10)


@pytest.mark.parametrize(
    ("waveforms", "rate_hz", "message"),
    [
        (np.zeros(32), RATE, r"waveforms: must have two dimensions \(records, points\), got \(32,\)"),
        (np.zeros((1, 2, 32)), RATE, r"waveforms: must have two dimensions .*, got \(1, 2, 32\)"),
        (np.zeros((2, 15)), RATE, r"waveforms: must have at least 16 points a record, got 15"),
        (np.zeros((2, 32), complex), RATE, r"waveforms: must be real numbers; .*rebuild_waveforms, got 'complex128'"),
        (np.zeros((2, 32), bool), RATE, r"waveforms: must be real numbers; .*, got 'bool'"),
        (np.zeros((2, 32)), 499.9, r"rate_hz: must be 500 to 32,000 Hz, got 499\.9"),
        (np.zeros((2, 32)), np.nan, r"rate_hz: must be 500 to 32,000 Hz, got nan"),
        (np.zeros((2, 32)), np.array([1000, 32_001]), r"rate_hz: must be 500 to 32,000 Hz, got 32001\.0"),
        (np.zeros((2, 32)), np.full(3, RATE), r"rate_hz: must be one number or one for each of 2 records, got \(3,\)"),
        (np.zeros((2, 32)), np.full((2, 1), RATE), r"rate_hz: must be one number or one .*, got \(2, 1\)"),
        (np.zeros((2, 32)), "fast", r"rate_hz: must be a real number or an array of them, got 'fast'"),
    ],
)
def test_an_error_names_the_field_the_rule_and_the_value(waveforms: Any, rate_hz: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        record_features(waveforms, rate_hz)


def test_units_are_known_of_exactly_the_ten_features_of_a_record() -> None:
    found = units_of(FEATURE_NAMES[::-1])
    assert (found["rms"], found["spectral_centroid"], found["kurtosis"]) == ("g", "Hz", "1")
    assert set(found) == set(FEATURE_NAMES)
    assert units_of(("rms", "speed")) == units_of((*FEATURE_NAMES, "speed")) == {}
