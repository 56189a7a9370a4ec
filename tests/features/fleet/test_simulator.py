"""The simulated fleet: rows that repeat to the bit, with stops, gaps, and faults labelled the way an expert would."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from features.fleet.faults import KINDS
from features.fleet.simulator import FEATURES, MODEL_VERSION, SCHEMA, Fleet, simulate_fleet, simulate_machine
from features.fleet.timeline import PERIOD_S

MONTH = Fleet(sensors=40, days=20, seed=3)


def read(fleet: Fleet) -> pa.Table:
    return pa.Table.from_batches(simulate_fleet(fleet), SCHEMA)


def where(table: pa.Table, **values: object) -> pa.Table:
    for name, value in values.items():
        table = table.filter(pc.is_null(table[name]) if value is None else pc.equal(table[name], value))
    return table


def digest(table: pa.Table, columns: Sequence[str] = ("timestamp", "speed_hz", *FEATURES)) -> bytes:
    """Bytes of the columns: unlike ``equals``, a NaN is itself."""
    return b"".join(table[name].combine_chunks().buffers()[1].to_pybytes() for name in columns)


@pytest.fixture(scope="module")
def month() -> pa.Table:
    return read(MONTH)


def test_a_batch_is_one_series_in_the_schema() -> None:
    batches = list(simulate_fleet(Fleet(sensors=12, days=1)))
    assert [b["series"][0].as_py() for b in batches] == [f"sensor_{s:05d}_{a}" for s in range(12) for a in "rxz"]
    for batch in batches:
        assert batch.schema == SCHEMA
        assert len(pc.unique(batch["series"])) == len(pc.unique(batch["machine"])) == 1


def test_the_same_fleet_has_the_same_bits_in_another_process() -> None:
    fleet = Fleet(sensors=4, days=2, seed=9)
    code = "import sys; from tests.features.fleet.test_simulator import *; sys.stdout.buffer.write(digest(read(%r)))"
    root = Path(__file__).parents[3]
    other = subprocess.run([sys.executable, "-c", code % fleet], cwd=root, capture_output=True, check=True).stdout
    assert other == digest(read(fleet))


def test_seeds_differ() -> None:
    assert digest(read(Fleet(4, 1, seed=1))) != digest(read(Fleet(4, 1, seed=2)))


@pytest.mark.parametrize("sensors", [1, 7, 30])
def test_a_machine_does_not_depend_on_the_size_of_the_fleet(sensors: int) -> None:
    small, large = read(Fleet(sensors, 2, 9)), read(Fleet(40, 2, 9))
    assert digest(small) == digest(large.slice(0, small.num_rows))
    assert small["label"].equals(large["label"].slice(0, small.num_rows))


def test_a_machine_can_be_read_alone() -> None:
    fleet = Fleet(20, 1, 4)
    third = [b["machine"][0].as_py() for b in simulate_machine(fleet, 3)]
    assert set(third) == {"machine_00003"}
    assert digest(where(read(fleet), machine="machine_00003")) == digest(
        pa.Table.from_batches(simulate_machine(fleet, 3))
    )


def test_sensors_of_a_machine_share_speed_and_load_and_another_machine_has_its_own(month: pa.Table) -> None:
    by_series = where(month, timestamp=month["timestamp"][144]).select(["machine", "speed_hz", "load"])
    by_machine = by_series.group_by(["machine"]).aggregate([("speed_hz", "min"), ("speed_hz", "max")])
    assert by_machine["speed_hz_min"].equals(by_machine["speed_hz_max"])
    assert len(pc.unique(by_machine["speed_hz_min"])) > 10


def test_rows_lie_on_the_five_minutes_and_some_are_missing(month: pa.Table) -> None:
    gaps = 0
    for series in pc.unique(month["series"]).to_pylist()[::3]:
        steps = np.diff(where(month, series=series)["timestamp"].cast(pa.int64()).to_numpy()) / (PERIOD_S * 1e6)
        assert (steps >= 1).all()
        assert (steps == np.round(steps)).all()
        gaps += int((steps > 3).sum())
    assert gaps > 20
    assert 0.9 < month.num_rows / (40 * 3 * 20 * 288) < 1


def test_a_stopped_machine_gives_background_noise_that_is_never_labelled_anomalous(month: pa.Table) -> None:
    stopped, turning = where(month, speed_hz=0.0), month.filter(pc.greater(month["speed_hz"], 0))
    assert 0.02 < stopped.num_rows / month.num_rows < 0.25
    assert pc.quantile(stopped["rms"], 0.5)[0].as_py() < 0.15 * pc.quantile(turning["rms"], 0.5)[0].as_py()
    assert where(stopped, label=1).num_rows == 0
    assert where(stopped, label=0).num_rows > 0.9 * stopped.num_rows
    assert pc.max(stopped["load"]).as_py() == 0


def test_labels_are_one_zero_or_unknown(month: pa.Table) -> None:
    anomalous, normal, unknown = (where(month, label=label) for label in (1, 0, None))
    assert 0.02 < anomalous.num_rows / month.num_rows < 0.08
    assert unknown.num_rows > 0.01 * month.num_rows
    assert anomalous.num_rows + normal.num_rows + unknown.num_rows == month.num_rows
    assert set(pc.unique(anomalous["fault"]).to_pylist()) == set(KINDS)
    assert normal["fault"].null_count == normal.num_rows
    assert unknown["fault"].null_count == 0


def test_the_faint_beginning_of_a_growing_fault_is_unknown(month: pa.Table) -> None:
    faulty = where(month, fault="imbalance")
    _, first = np.unique(faulty["series"].to_numpy(zero_copy_only=False), return_index=True)
    assert pc.sum(pc.is_null(faulty["label"].take(first))).as_py() > 0.9 * len(first)


def test_faults_reach_every_sensor_of_a_machine_at_one_time(month: pa.Table) -> None:
    known = month.filter(pc.is_in(month["fault"], pa.array(["imbalance", "looseness"])))
    for machine in pc.unique(known["machine"]).to_pylist():
        sensors = len(pc.unique(where(month, machine=machine)["series"]))
        assert len(pc.unique(where(known, machine=machine)["series"])) >= sensors - 3  # one may have a fault of its own


def test_features_are_finite_and_consistent_where_they_came(month: pa.Table) -> None:
    values = {name: month[name].to_numpy() for name in FEATURES}
    lost = np.isnan(values["rms"])
    assert all(np.array_equal(np.isnan(column), lost) for column in values.values())
    assert not any(np.isinf(column).any() for column in values.values())
    values = {name: column[~lost] for name, column in values.items()}
    np.testing.assert_allclose(values["peak"], values["rms"] * values["crest_factor"], rtol=1e-5)
    np.testing.assert_allclose(values["impulse_factor"], values["crest_factor"] * values["shape_factor"], rtol=1e-5)
    for name in ("spectral_entropy", "high_band_energy_ratio"):
        assert values[name].min() >= 0
        assert values[name].max() <= 1
    for name in ("crest_factor", "kurtosis", "shape_factor"):
        assert values[name].min() >= 1


def test_axes_of_a_sensor_move_together(month: pa.Table) -> None:
    def changes(series: str) -> np.ndarray:
        turning = month.filter(pc.and_(pc.equal(month["series"], series), pc.greater(month["speed_hz"], 0)))
        return np.clip(np.diff(np.log(turning["rms"].to_numpy()[:3_000])), -0.3, 0.3)

    def correlation(one: str, other: str) -> float:
        return float(np.corrcoef(changes(one)[:2_500], changes(other)[:2_500])[0, 1])

    machines = [f"sensor_{sensor:05d}" for sensor in (5, 15, 25, 35)]
    assert min(correlation(f"{m}_r", f"{m}_z") for m in machines) > 0.3
    assert max(abs(correlation(f"{machines[0]}_r", f"{m}_r")) for m in machines[1:]) < 0.1


def test_the_same_fleet_can_be_made_of_waveforms() -> None:
    fleet = Fleet(sensors=6, days=1, seed=3)
    drawn = read(fleet)
    made = pa.Table.from_batches(simulate_fleet(fleet, waveforms=True), SCHEMA)
    kept = [name for name in SCHEMA.names if name not in FEATURES]
    assert made.select(kept).equals(drawn.select(kept))
    for name in ("rms", "crest_factor", "kurtosis", "spectral_centroid", "spectral_entropy"):
        by_series = [
            table.group_by(["series"], use_threads=False).aggregate([(name, "mean")])[f"{name}_mean"].to_numpy()
            for table in (made, drawn)
        ]
        np.testing.assert_allclose(*by_series, rtol=0.06)


def test_a_changed_model_has_another_version() -> None:
    """When the means move, raise MODEL_VERSION, or caches go on serving the old fleet; then note the new means here."""
    table = read(Fleet(sensors=10, days=2, seed=7))
    means = [float(np.nanmean(table[name].to_numpy(), dtype=np.float64)) for name in FEATURES]
    assert (MODEL_VERSION, table.num_rows) == (3, 17_280)
    expected = [0.238707, 0.820683, 3.47779, 2.92093, 0.000888177, 1.24900, 4.34548, 1570.74, 0.732014, 0.0703093]
    np.testing.assert_allclose(means, expected, rtol=1e-4)
