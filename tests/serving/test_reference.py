"""The rows that a bundle carries for drift: what they were, bounded, and the same bytes each time."""

import io
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.rows import UNKNOWN, Rows
from serving.reference import MAX_ROWS, read_reference, sample, write_reference


def some(n: int) -> Rows:
    rng = np.random.default_rng(0)
    return Rows(
        ("a", "b"),
        rng.normal(size=(n, 2)),
        np.sort(rng.integers(0, 3, n)),
        ("s0", "s1", "s2"),
        np.arange(n) * 1_000_000,
        np.zeros(n, np.int8),
        rng.integers(0, 2, n),
        ("m0", "m1"),
        rng.integers(UNKNOWN, 2, n),
        ("high", "low"),
    )


def texts(codes: np.ndarray | None, names: tuple[str, ...]) -> list[str | None]:
    assert codes is not None
    return [None if code < 0 else names[code] for code in codes]


def test_few_rows_read_back_as_they_were_without_labels() -> None:
    rows = some(50)
    found = read_reference(write_reference(rows, 1), ("a", "b"))
    assert (found.values == rows.values).all()
    assert texts(found.series, found.series_names) == texts(rows.series, rows.series_names)
    assert texts(found.groups, found.group_names) == texts(rows.groups, rows.group_names)
    assert texts(found.regimes, found.regime_names) == texts(rows.regimes, rows.regime_names)
    assert found.times is not None
    assert found.times.tolist() == np.arange(50_000_000)[::1_000_000].tolist()
    assert found.labels is None


def test_a_table_with_nothing_but_features_needs_no_more() -> None:
    bare = Rows(("a", "b"), np.ones((4, 2)), np.zeros(4, np.int64), ("all",), None, None)
    found = read_reference(write_reference(bare, 1), ("a", "b"))
    assert (found.times, found.groups, found.regimes, found.series_names) == (None, None, None, ("all",))


def test_many_rows_are_sampled_by_the_seed_in_their_order_to_the_same_bytes() -> None:
    rows = some(MAX_ROWS + 5_000)
    content = write_reference(rows, 1)
    assert content == write_reference(rows, 1) != write_reference(rows, 2)
    found = read_reference(content, ("a", "b"))
    assert len(found) == MAX_ROWS
    assert (found.values == rows.values[sample(len(rows), MAX_ROWS, 1)]).all()
    assert found.times is not None
    assert (np.diff(found.times) > 0).all()


def test_wide_rows_are_fewer() -> None:
    wide = Rows(tuple(map(str, range(4_000))), np.zeros((600, 4_000)), np.zeros(600, np.int64), ("all",), None, None)
    assert len(read_reference(write_reference(wide, 1), wide.features)) == 500


def test_other_bytes_and_other_features_are_refused() -> None:
    with pytest.raises(InputError, match=r"reference\.parquet: cannot be read"):
        read_reference(b"PAR1", ("a",))
    with pytest.raises(InputError, match=r"reference\.parquet: must hold finite values of 3 features"):
        read_reference(write_reference(some(5), 1), ("a", "b", "c"))
    nan = replace(some(5), values=np.full((5, 2), np.nan))
    with pytest.raises(InputError, match="must hold finite values"):
        read_reference(write_reference(nan, 1), ("a", "b"))
    buffer = io.BytesIO()
    pq.write_table(pa.table({"values": [1.0]}), buffer)
    with pytest.raises(InputError, match=r"reference\.parquet: cannot be read"):
        read_reference(buffer.getvalue(), ("a",))
