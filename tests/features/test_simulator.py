"""The simulated fleet: repeatable rows of plausible machines with labelled faults."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.fleet.simulator import AXES, FEATURES, PERIOD_S, SCHEMA, Fleet, simulate_series


def read(fleet: Fleet, *sensors: int) -> pa.Table:
    return pa.Table.from_batches([batch for sensor in sensors for batch in simulate_series(fleet, sensor)])


@pytest.fixture(scope="module")
def month() -> pa.Table:
    return read(Fleet(sensors=4, days=30, seed=3), 0, 1, 2, 3)


def test_a_sensor_has_three_series_of_a_row_each_period() -> None:
    batches = list(simulate_series(Fleet(days=2), 5))
    assert [b.column("series")[0].as_py() for b in batches] == [f"sensor_00005_{axis}" for axis in AXES]
    for batch in batches:
        assert batch.schema == SCHEMA
        assert batch.num_rows == 2 * 86_400 // PERIOD_S
        steps = np.diff(batch.column("timestamp").cast(pa.int64()).to_numpy())
        assert set(steps) == {PERIOD_S * 1_000_000}


def test_a_sensor_does_not_depend_on_the_size_of_the_fleet() -> None:
    assert read(Fleet(sensors=1, days=2, seed=9), 0).equals(read(Fleet(sensors=50, days=2, seed=9), 0))


def test_seeds_and_sensors_differ() -> None:
    level = [read(Fleet(days=2, seed=seed), sensor)["rms"] for seed, sensor in ((1, 0), (2, 0), (1, 1))]
    assert not level[0].equals(level[1])
    assert not level[0].equals(level[2])


def test_a_label_has_a_fault_and_no_label_has_none(month: pa.Table) -> None:
    assert month["label"].cast(pa.bool_()).equals(pc.is_valid(month["fault"]))
    assert 0.01 < pc.mean(month["label"]).as_py() < 0.4


def test_features_are_finite_and_consistent(month: pa.Table) -> None:
    values = {name: month[name].to_numpy() for name in FEATURES}
    assert all(np.isfinite(column).all() for column in values.values())
    np.testing.assert_allclose(values["peak"], values["rms"] * values["crest_factor"], rtol=1e-5)
    np.testing.assert_allclose(values["impulse_factor"], values["crest_factor"] * values["shape_factor"], rtol=1e-5)
    for name in ("spectral_entropy", "high_band_energy_ratio"):
        assert values[name].min() > 0
        assert values[name].max() < 1


def test_faults_move_the_features_of_their_series(month: pa.Table) -> None:
    bearing = month.filter(pc.equal(month["fault"], "bearing"))
    normal = month.filter(pc.equal(month["label"], 0))
    assert bearing.num_rows
    assert pc.mean(bearing["kurtosis"]).as_py() > 1.2 * pc.mean(normal["kurtosis"]).as_py()
