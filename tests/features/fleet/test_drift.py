"""An injected drift changes what it says, from its day on, and leaves every label as it was."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray

from features.errors import InputError
from features.fleet.drift import DRIFTS, SENSOR_GAIN
from features.fleet.simulator import FEATURES, SCHEMA, Fleet, injected_drift, simulate_fleet

PLAIN = Fleet(sensors=20, days=8, seed=5)
DAY = 2


def read(fleet: Fleet) -> pa.Table:
    return pa.Table.from_batches(simulate_fleet(fleet), SCHEMA)


@pytest.fixture(scope="module")
def plain() -> pa.Table:
    return read(PLAIN)


def changed(plain: pa.Table, drifted: pa.Table, name: str) -> NDArray[np.bool_]:
    """(n,) True where the column has other bits."""
    one, other = (table[name].to_numpy() for table in (plain, drifted))
    return np.asarray(one.view(f"i{one.itemsize}") != other.view(f"i{one.itemsize}"))


def days(table: pa.Table) -> NDArray[np.float64]:
    return (table["timestamp"].to_numpy() - np.datetime64("2026-01-05")) / np.timedelta64(1, "D")


def effect(plain: pa.Table, drifted: pa.Table, rows: NDArray[np.bool_], name: str) -> float:
    """Median change of the log of a feature at the rows."""
    return float(np.nanmedian(np.log(drifted[name].to_numpy()[rows] / plain[name].to_numpy()[rows])))


@pytest.mark.parametrize("kind", DRIFTS)
def test_rows_before_the_day_keep_their_bits_and_all_rows_their_labels(kind: str, plain: pa.Table) -> None:
    drifted = read(injected_drift(PLAIN, kind, DAY))
    assert drifted.num_rows == plain.num_rows
    early = days(plain) < DAY
    for name in ("timestamp", *FEATURES):
        assert not changed(plain, drifted, name)[early].any()
    assert drifted.select(["series", "label", "fault"]).equals(plain.select(["series", "label", "fault"]))


def test_more_load_raises_the_level_of_every_machine(plain: pa.Table) -> None:
    drifted = read(injected_drift(PLAIN, "load", DAY))
    turning = (days(plain) >= DAY) & (plain["speed_hz"].to_numpy() > 0)
    for machine in pc.unique(plain["machine"]).to_pylist():
        rows = turning & pc.equal(plain["machine"], machine).to_numpy()
        assert effect(plain, drifted, rows, "rms") > 0.05
        assert drifted["load"].to_numpy()[rows].mean() > plain["load"].to_numpy()[rows].mean() + 0.15


def test_a_new_bearing_is_in_one_machine(plain: pa.Table) -> None:
    drifted = read(injected_drift(PLAIN, "bearing", DAY))
    other = changed(plain, drifted, "spectral_centroid")
    assert pc.unique(plain.filter(pa.array(other))["machine"]).to_pylist() == ["machine_00000"]
    rows = other & (plain["speed_hz"].to_numpy() > 0)
    assert effect(plain, drifted, rows, "high_band_energy_ratio") > 0.3


def test_a_gain_scales_one_sensor(plain: pa.Table) -> None:
    drifted = read(injected_drift(PLAIN, "gain", DAY))
    other = changed(plain, drifted, "rms")
    assert pc.unique(plain.filter(pa.array(other))["series"]).to_pylist() == [f"sensor_00000_{a}" for a in "rxz"]
    assert effect(plain, drifted, other, "rms") == pytest.approx(np.log(SENSOR_GAIN), abs=0.01)
    assert effect(plain, drifted, other, "kurtosis") == pytest.approx(0, abs=0.01)


def test_warmth_comes_slowly_to_all_machines(plain: pa.Table) -> None:
    drifted = read(injected_drift(PLAIN, "temperature", DAY))
    turning, at = plain["speed_hz"].to_numpy() > 0, days(plain)
    by_day = [effect(plain, drifted, turning & (at >= day) & (at < day + 1), "rms") for day in range(DAY, 8)]
    assert by_day[0] < by_day[1] < by_day[2] < by_day[3]
    assert by_day[4] == pytest.approx(by_day[5], abs=0.02)  # four days, then it stays
    machines = pc.unique(plain.filter(pa.array(changed(plain, drifted, "rms")))["machine"])
    assert len(machines) == len(pc.unique(plain["machine"]))


def test_a_broken_clock_stands_still_repeats_and_jumps(plain: pa.Table) -> None:
    drifted = read(injected_drift(PLAIN, "clock", DAY))
    assert not any(changed(plain, drifted, name).any() for name in FEATURES)
    moved = drifted.filter(pa.array(changed(plain, drifted, "timestamp")))
    assert pc.unique(moved["series"]).to_pylist() == [f"sensor_00000_{a}" for a in "rxz"]
    one = drifted.filter(pc.equal(drifted["series"], "sensor_00000_r"))["timestamp"].cast(pa.int64()).to_numpy()
    steps = np.diff(one) / 300e6
    assert (steps == 0).sum() >= 20
    assert steps.max() > 30
    assert len(np.unique(one)) < len(one)


def test_a_drift_begins_with_the_test_window_unless_told() -> None:
    drift = injected_drift(PLAIN, "gain").drift
    assert drift is not None
    assert drift.day == pytest.approx(0.8 * PLAIN.days)


@pytest.mark.parametrize(
    ("kind", "day", "message"), [("rust", 1, "drift: must be one of load"), ("gain", -1, "drift day: ")]
)
def test_an_unknown_drift_is_refused(kind: str, day: float, message: str) -> None:
    with pytest.raises(InputError, match=f"^{message}"):
        injected_drift(PLAIN, kind, day)
