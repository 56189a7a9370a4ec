"""Machines as built: layout of the sensors, geometry of a bearing, and what a stream of draws is keyed by."""

import numpy as np
import pytest

from features.fleet.machine import AXES, COMPONENTS, Bearing, machines_of, make_machine, make_site, stream


def test_each_ten_sensors_sit_on_four_machines_in_one_row() -> None:
    machines = [make_machine(3, index) for index in machines_of(30)]
    assert sorted(m.sensors for m in machines[:4]) == [1, 2, 3, 4]
    ends = np.cumsum([m.sensors for m in machines])
    assert [m.first_sensor for m in machines] == [0, *ends[:-1]]
    assert ends[-1] == 30


@pytest.mark.parametrize(("sensors", "machines"), [(1, 4), (10, 4), (11, 8), (100_000, 40_000)])
def test_enough_machines_for_every_sensor(sensors: int, machines: int) -> None:
    assert len(machines_of(sensors)) == machines


def test_fault_frequencies_are_those_of_a_catalogue() -> None:
    # SKF 6205-2RS, the drive end bearing of the Case Western Reserve bearing data: its data sheet says 3.5848, 5.4152.
    bearing = Bearing(elements=9, diameter_ratio=0.3126 / 1.537)
    assert bearing.outer_order == pytest.approx(3.5848, abs=1e-3)
    assert bearing.inner_order == pytest.approx(5.4152, abs=1e-3)
    assert bearing.outer_order + bearing.inner_order == pytest.approx(bearing.elements)


def test_a_contact_angle_brings_the_races_together() -> None:
    assert Bearing(9, 0.2, 0.3).outer_order > Bearing(9, 0.2).outer_order


def test_machines_and_places_differ_and_repeat() -> None:
    first, second = make_machine(3, 0), make_machine(3, 1)
    assert first.level_g != second.level_g
    assert make_machine(3, 0).mixture.tolist() == first.mixture.tolist()
    sites = [make_site(3, first, slot).gains for slot in (1, 2)]
    assert sites[0].shape == (len(AXES), len(COMPONENTS))
    assert not np.array_equal(*sites)


def test_a_stream_is_keyed_by_each_of_its_four_numbers() -> None:
    keys = [(1, 2, 3, 4), (2, 2, 3, 4), (1, 3, 3, 4), (1, 2, 4, 4), (1, 2, 3, 5), (1, 2, 3, 0), (1, 2, 0, 0)]
    assert len({stream(*key).random() for key in keys}) == len(keys)
