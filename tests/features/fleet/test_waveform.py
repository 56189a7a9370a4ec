"""The waveform level: each fault changes a record the way its physics says."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import butter, hilbert, sosfiltfilt

from features.errors import InputError
from features.fleet.energy import State
from features.fleet.faults import MACHINE_FAULTS
from features.fleet.machine import make_machine
from features.fleet.waveform import RATE_HZ, simulate_records
from features.vibration.record import FEATURE_NAMES, record_features
from tests.quality.states import states


def median(state: State) -> dict[str, float]:
    values = record_features(simulate_records(state, 3), RATE_HZ)
    return dict(zip(FEATURE_NAMES, np.median(values, axis=0).tolist(), strict=True))


@pytest.fixture(scope="module")
def healthy() -> dict[str, float]:
    return median(states(axes=[0]))


def test_the_rms_of_a_record_is_the_energy_of_its_components() -> None:
    for kind in (None, *MACHINE_FAULTS):
        state = states(kind=kind, size=0.8, each=40)
        rms = record_features(simulate_records(state, 3), RATE_HZ)[:, 0]
        assert np.mean(rms**2 / state.energies.sum(axis=0)) == pytest.approx(1, abs=0.1)  # a slow shaft turns 1.6 times


def test_an_imbalance_raises_rms_and_lowers_the_centroid(healthy: dict[str, float]) -> None:
    found = median(states(axes=[0], kind="imbalance", size=1))
    assert found["rms"] > 1.5 * healthy["rms"]
    assert found["spectral_centroid"] < 0.5 * healthy["spectral_centroid"]
    assert found["kurtosis"] < healthy["kurtosis"]


def test_an_imbalance_turns_radially_and_a_misalignment_pushes_axially() -> None:
    def gain(kind: str, axis: int) -> float:
        return median(states(axes=[axis], kind=kind, size=1))["rms"] / median(states(axes=[axis]))["rms"]

    assert gain("imbalance", 0) > 1.3 * gain("imbalance", 2)
    assert gain("misalignment", 2) > 1.3 * gain("misalignment", 0)


def test_a_misalignment_is_a_tone_at_twice_the_shaft(healthy: dict[str, float]) -> None:
    machine, state = make_machine(1, 1), states(machines=2, each=30, axes=[2], kind="misalignment", size=1)
    second = state.take(np.arange(30, 60))
    power = np.square(np.abs(np.fft.rfft(simulate_records(second, 3, points=16_384)))).mean(axis=0)
    assert np.argmax(power) * RATE_HZ / 16_384 == pytest.approx(2 * machine.speed_hz, abs=2)
    assert median(states(axes=[2], kind="misalignment", size=1))["spectral_entropy"] < healthy["spectral_entropy"]


def test_looseness_knocks_one_way_with_half_orders(healthy: dict[str, float]) -> None:
    found = median(states(axes=[0], kind="looseness", size=1))
    assert found["kurtosis"] > 1.15 * healthy["kurtosis"]
    assert found["skewness"] > healthy["skewness"] + 0.3
    state = states(machines=2, each=30, axes=[0], kind="looseness", size=1).take(np.arange(30, 60))
    power = np.square(np.abs(np.fft.rfft(simulate_records(state, 3, points=16_384)))).mean(axis=0)
    at = np.round(np.arange(0.5, 4, 1.0) * state.speed_hz[0] * 16_384 / RATE_HZ).astype(int)
    between = np.round(np.arange(0.75, 4, 1.0) * state.speed_hz[0] * 16_384 / RATE_HZ).astype(int)
    assert (power[at] > 5 * power[between]).all()


@pytest.mark.parametrize("kind", ["bearing_outer", "bearing_inner"])
def test_a_damaged_race_raises_kurtosis_crest_and_the_high_band(kind: str, healthy: dict[str, float]) -> None:
    found = median(states(axes=[0], kind=kind, size=1))
    assert found["kurtosis"] > 1.3 * healthy["kurtosis"]
    assert found["crest_factor"] > 1.2 * healthy["crest_factor"]
    assert found["high_band_energy_ratio"] > 2 * healthy["high_band_energy_ratio"]
    assert found["spectral_centroid"] > 1.5 * healthy["spectral_centroid"]


@pytest.mark.parametrize(("kind", "sidebands"), [("bearing_outer", False), ("bearing_inner", True)])
def test_impacts_come_at_the_fault_frequency_of_the_race(kind: str, sidebands: bool) -> None:
    state = states(machines=1, each=40, axes=[0], kind=kind, size=1)
    shaft, order = state.speed_hz[0], (state.inner_order if sidebands else state.outer_order)[0]
    frequency, power = envelope_spectrum(simulate_records(state, 3, points=32_768), state.resonance_hz[0])
    band = (frequency > 1.5 * shaft) & (frequency < 2 * order * shaft - 1.5 * shaft)
    assert frequency[band][np.argmax(power[band])] == pytest.approx(order * shaft, abs=2)
    aside = power[np.searchsorted(frequency, (order - 1) * shaft) + np.arange(-2, 3)].max()
    assert (aside > 0.05 * power[band].max()) == sidebands  # only an inner race turns through the load zone


def envelope_spectrum(x: NDArray[np.float32], centre_hz: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean squared envelope spectrum of the band about the resonance (Randall, Antoni 2011, section 4.2)."""
    band = butter(4, [centre_hz - 800, centre_hz + 800], btype="bandpass", fs=RATE_HZ, output="sos")
    envelope = np.square(np.abs(hilbert(sosfiltfilt(band, x, axis=1), axis=1)))
    spectrum = np.square(np.abs(np.fft.rfft(envelope - envelope.mean(axis=1, keepdims=True), axis=1)))
    return np.fft.rfftfreq(x.shape[1], 1 / RATE_HZ), spectrum.mean(axis=0)


def test_a_clipped_record_stays_in_its_range() -> None:
    state = states(clip=1.2)
    assert (np.abs(simulate_records(state, 3)).max(axis=1) <= np.float32(state.range_g)).all()
    assert median(state)["crest_factor"] < 0.6 * median(states())["crest_factor"]


def test_a_stopped_machine_hums_faintly() -> None:
    assert median(states(speed=0))["rms"] < 0.1 * median(states())["rms"]


def test_axes_of_one_sensor_share_low_noise() -> None:
    state = states(machines=1, each=1)
    x = simulate_records(state, 3, axes=3)
    alone = simulate_records(state, 3)
    assert np.corrcoef(x)[0, 1] > 0.15
    assert abs(np.corrcoef(alone)[0, 1]) < np.corrcoef(x)[0, 1]


def test_records_repeat_to_the_bit_and_differ_by_seed() -> None:
    state = states(each=40, kind="bearing_inner", size=0.5)
    assert np.array_equal(simulate_records(state, 3), simulate_records(state, 3))
    assert not np.array_equal(simulate_records(state, 3), simulate_records(state, 4))
    assert simulate_records(state, 3).dtype == np.float32


@pytest.mark.parametrize(("points", "axes", "field"), [(100, 1, "points"), (0, 1, "points"), (128, 7, "axes")])
def test_points_and_axes_must_fit(points: int, axes: int, field: str) -> None:
    with pytest.raises(InputError, match=f"^{field}: must"):
        simulate_records(states(machines=1, each=10), 3, points=points, axes=axes)
