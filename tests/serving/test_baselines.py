"""A row finds the baseline of its series and state, the fleet's otherwise; the table survives its file."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from serving.baselines import (
    Baselines,
    BaselineTable,
    Stratum,
    key_of,
    make_baselines,
    read_baselines,
    read_table,
    write_table,
)

TABLE = BaselineTable(
    series=("a", "a", "ü 1", "", "", ""),
    regimes=("low", "high", "low", "low", "high", ""),
    rows=np.array([300, 20, 400, 700, 20, 720]),
    stratum=np.array([0, 1, 0, 2, 2, 2], np.int8),
    centre=np.arange(12.0).reshape(6, 2),
    scale=np.linspace(1, 2, 12, dtype=np.float32).reshape(6, 2),
)
PLAIN = BaselineTable(
    ("a", ""), ("", ""), np.array([9, 9]), np.array([0, 2], np.int8), np.eye(2), np.ones((2, 2), "f4")
)


def found(baselines: Baselines, series: str | None, regime: str | None) -> float:
    """The first centre of the row that is found: its place in TABLE, doubled."""
    return float(baselines.centre[baselines.find([series], [regime])[0], 0]) / 2


@pytest.mark.parametrize(
    ("series", "regime", "row"),
    [
        ("a", "low", 0),
        ("a", "high", 1),
        ("ü 1", "low", 2),
        ("ü 1", "high", 4),
        ("b", "low", 3),
        ("b", "?", 5),
        ("a", None, 5),
        (None, "high", 4),
        (None, None, 5),
        ("alow", "", 5),
    ],
)
def test_a_row_finds_its_series_in_its_state_else_the_fleet(series: str | None, regime: str | None, row: int) -> None:
    assert found(make_baselines(TABLE), series, regime) == row


def test_the_stratum_follows_the_row_that_was_found() -> None:
    baselines = make_baselines(TABLE)
    at = baselines.find(["a", "a", "new"], ["low", "high", "low"])
    assert baselines.stratum[at].tolist() == [Stratum.MATURE, Stratum.YOUNG, Stratum.UNSEEN]


def test_states_mean_nothing_to_baselines_without_states() -> None:
    baselines = make_baselines(PLAIN)
    assert baselines.stratum[baselines.find(["a", "a", "b"], ["low", None, None])].tolist() == [0, 0, 2]
    assert baselines.stratum[baselines.find(["a", "b"])].tolist() == [0, 2]


def test_values_and_their_past_become_deviations_from_the_baseline_of_their_row() -> None:
    baselines = make_baselines(TABLE)
    at = baselines.find(["a", "new"], ["low", "low"])
    values = np.array([[3.0, 4.0], [5.0, 6.0]])
    expected = (values - TABLE.centre[[0, 3]]) / TABLE.scale[[0, 3]]
    np.testing.assert_allclose(baselines.apply(values, at), expected)
    past = np.repeat(values[:, None], 3, axis=1)
    np.testing.assert_allclose(baselines.apply(past, at), np.repeat(expected[:, None], 3, axis=1))


def test_a_table_reads_back_and_gives_the_same_bytes() -> None:
    content = write_table(TABLE)
    assert write_table(TABLE) == content
    again = read_table(content, 2)
    assert (again.series, again.regimes) == (TABLE.series, TABLE.regimes)
    for name in ("rows", "stratum", "centre", "scale"):
        np.testing.assert_array_equal(getattr(again, name), getattr(TABLE, name))


def test_the_lookup_read_from_a_file_is_that_of_its_table() -> None:
    n = 2_500  # several portions of names
    series = (*(f"s{number}" for number in range(n)), "", "")
    states = (*("low", "high") * (n // 2), "low", "")
    centre = np.random.default_rng(0).normal(size=(n + 2, 2))
    stratum = np.where(np.arange(n + 2) < n, 0, 2).astype(np.int8)
    table = BaselineTable(series, states, np.ones(n + 2, int), stratum, centre, np.ones((n + 2, 2), "f4"))
    read, made = read_baselines(write_table(table), 2), make_baselines(table)
    assert read.regimes == made.regimes == ("low", "")
    for name in ("keys", "centre", "scale", "stratum"):
        np.testing.assert_array_equal(getattr(read, name), getattr(made, name))
    assert read.centre[read.find(["s7"], ["high"])[0]].tolist() == centre[7].tolist()


def parquet(**columns: list[object]) -> bytes:
    buffer = io.BytesIO()
    whole = {"series": ["a", ""], "regime": ["", ""], "rows": [1, 1], "stratum": [0, 2]}
    whole |= {"centre": [[0.0], [0.0]], "scale": [[1.0], [1.0]], **columns}
    table = pa.table(
        {k: pa.array(v, pa.list_(pa.float64(), 1) if k in ("centre", "scale") else None) for k, v in whole.items()}
    )
    pq.write_table(table, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1", r"baselines\.parquet: cannot be read"),
        (parquet(scale=[[1.0], [0.0]]), "every scale above 0"),
        (parquet(centre=[[1.0], [float("nan")]]), "every centre must be finite"),
        (parquet(series=["a", "b"]), "must end with the fleet's row"),
    ],
)
def test_a_file_that_is_no_table_of_baselines_is_refused(content: bytes, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_table(content, 1)


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(InputError, match=r"must hold 3 features, got \(2, 2\)"):
        read_table(write_table(TABLE), 3)


def test_a_series_that_stands_twice_is_refused() -> None:
    twice = BaselineTable(
        ("a", "a", ""), ("", "", ""), np.ones(3, int), np.zeros(3, np.int8), np.ones((3, 1)), np.ones((3, 1), "f4")
    )
    with pytest.raises(InputError, match="each series and state once"):
        make_baselines(twice)


def test_keys_tell_series_and_state_apart() -> None:
    assert len({key_of("ab", "c"), key_of("a", "bc"), key_of("abc", ""), key_of("", "abc")}) == 4


def test_a_fleet_of_285_000_series_fits_its_memory() -> None:
    n, d = 285_000, 10
    for states, limit in ((1, 64), (3, 160)):
        held = n * states * (8 + d * 8 + d * 4 + 1)
        assert held <= limit * 2**20
    baselines = make_baselines(TABLE)
    bytes_a_row = sum(a.itemsize * (a.shape[1] if a.ndim == 2 else 1) for a in (baselines.centre, baselines.scale))
    assert bytes_a_row == 2 * (8 + 4)  # what the sums above count, for two features
