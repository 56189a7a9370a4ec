"""Faults of a sensor change what it sends, not what the machine does."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from numpy.typing import NDArray

from features.fleet.faults import SENSOR_FAULTS, sensor_faults
from features.fleet.machine import machines_of, make_machine
from features.fleet.simulator import FEATURES, Fleet, simulate_machine

SEED, DAYS = 3, 30


def first_with(kind: str) -> tuple[pa.Table, NDArray[np.bool_]]:
    """Rows of one axis that a sensor fault of the kind touches, and where it lasts (running machine only)."""
    for index in machines_of(100):
        machine = make_machine(SEED, index)
        for slot in range(1, machine.sensors + 1):
            for fault in sensor_faults(SEED, machine, slot, 24 * (DAYS - 2)):
                if fault.kind == kind and fault.held_h > 4 and machine.night == (0, 0):
                    series = f"sensor_{machine.first_sensor + slot - 1:05d}_{'rxz'[fault.axes[0]]}"
                    for batch in simulate_machine(Fleet(100, DAYS, SEED), index):
                        table = pa.Table.from_batches([batch])
                        if batch["series"][0].as_py() == series and pc.max(pc.equal(table["fault"], kind)).as_py():
                            return table, pc.fill_null(pc.equal(table["fault"], kind), False).to_numpy()
    raise AssertionError(f"no fault {kind} in the fleet")


@pytest.mark.parametrize("kind", SENSOR_FAULTS)
def test_rows_of_a_sensor_fault_are_labelled(kind: str) -> None:
    table, rows = first_with(kind)
    labels = table["label"].to_numpy(zero_copy_only=False)[rows]
    assert (labels == 1).any()
    assert not (labels == 0).any()


def test_a_stuck_sensor_repeats_one_row_to_the_bit() -> None:
    table, rows = first_with("stuck")
    stuck, before = table.filter(pa.array(rows)), table.slice(int(rows.argmax()) - 1, 1)
    for name in FEATURES:
        assert len(pc.unique(stuck[name])) == 1
        assert stuck[name][0] == before[name][0]
    assert len(pc.unique(stuck["load"])) > 10


def test_a_dropout_sends_rows_without_features_and_labels_only_those() -> None:
    table, rows = first_with("dropout")
    lost = np.isnan(table["rms"].to_numpy())
    assert lost[rows].any()
    assert not lost[~rows].any()
    assert np.array_equal(table["label"].to_numpy(zero_copy_only=False)[rows] == 1, lost[rows])


def test_a_clipping_sensor_bounds_the_peak_and_flattens_the_record() -> None:
    table, rows = first_with("clipped")
    clipped, other = table.filter(pa.array(rows)), table.filter(pa.array(~rows & (table["speed_hz"].to_numpy() > 0)))
    peaks = clipped["peak"].to_numpy()
    assert peaks.max() < 1.001 * np.median(peaks)
    assert pc.max(clipped["crest_factor"]).as_py() < pc.quantile(other["crest_factor"], 0.05)[0].as_py()


def test_a_wrong_gain_scales_rms_and_peak_and_nothing_else() -> None:
    table, rows = first_with("gain")
    near = np.zeros(len(rows), bool)
    near[max(int(rows.argmax()) - 30, 0) : int(rows.argmax())] = True

    def step(name: str) -> float:
        values = table[name].to_numpy()
        return float(np.median(values[rows][:30]) / np.median(values[near]))

    assert abs(np.log(step("rms"))) > 0.3
    assert step("peak") == pytest.approx(step("rms"), rel=0.2)
    assert step("kurtosis") == pytest.approx(1, abs=0.1)
    assert step("spectral_entropy") == pytest.approx(1, abs=0.1)
