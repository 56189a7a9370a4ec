"""The rows of a machine that `vigia play` breaks."""

from dataclasses import replace

import numpy as np
import pytest

from features.errors import NotEnoughDataError
from features.rows import Rows
from features.typed import UNKNOWN
from flows.steps.failing_machine import FAULTS, failing, machines

FEATURES = ("rms", "peak", "crest_factor", "kurtosis", "impulse_factor")
EACH = 30


def fleet(series: int = 4, *, sick: tuple[int, ...] = (), still: tuple[int, ...] = ()) -> Rows:
    """Rows of that many series; the last row of some is anomalous, half the rows of others at rest."""
    n = series * EACH
    codes = np.repeat(np.arange(series), EACH)
    last = np.arange(n) % EACH == EACH - 1
    rest = np.isin(codes, still) & (np.arange(n) % 2 == 0)
    return Rows(
        features=FEATURES,
        values=np.random.default_rng(1).normal(5, 1, (n, len(FEATURES))),
        series=codes,
        series_names=tuple(f"s{code}" for code in range(series)),
        times=np.arange(n),
        labels=(np.isin(codes, sick) & last).astype(np.int8),
        regimes=rest.astype(np.int64),
        regime_names=("running", "off"),
    )


def test_machines_are_healthy_and_at_work_to_the_last_row() -> None:
    found = machines(fleet(sick=(0,), still=(1,)), 3, 20)
    assert [machine.series for machine in found] == ["s2", "s3"]
    assert {len(machine.values) for machine in found} == {20}
    (resting, *_) = machines(fleet(sick=(0,), still=(1,)), 3, 15)
    assert resting.series == "s1"
    assert resting.regimes == ("running",) * 15


def test_machines_whose_rows_nobody_judges_come_last() -> None:
    rows = fleet()
    assert rows.labels is not None
    unknown = replace(rows, labels=np.where(rows.series == 0, UNKNOWN, rows.labels).astype(np.int8))
    assert [machine.series for machine in machines(unknown, 3, 20)] == ["s1", "s2", "s3"]
    assert [machine.series for machine in machines(unknown, 4, 20)] == ["s1", "s2", "s3", "s0"]


def test_without_one_it_is_said_what_is_missing() -> None:
    with pytest.raises(NotEnoughDataError, match="a series with 31 rows at work"):
        machines(fleet(), 1, EACH + 1)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_grows_from_nothing_and_leaves_the_rows_before_it(fault: str) -> None:
    rows = fleet()
    (machine,) = machines(rows, 1, 20)
    values = failing(machine, rows, fault, 5, seed=7)
    np.testing.assert_array_equal(values[:5], machine.values[:5])
    changed = np.abs(values - machine.values).sum(axis=1)
    assert (changed[5:] > 0).all()
    assert changed[-5:].mean() > 2 * changed[5:10].mean()
