"""Rows that hold a raw record get the ten features, from a waveform and from its FFT alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from features.errors import InputError
from features.sources.records import RecordColumns, RecordSource
from features.vibration.record import FEATURE_NAMES, record_features

RATE = 8_000.0
WAVES = np.random.default_rng(3).normal(size=(6, 256))
FEATURES = record_features(WAVES, RATE)


@dataclass(frozen=True)
class Table:
    """A table in memory as a source."""

    table: pa.Table
    uri: str = "memory"
    simulated: bool = False

    @property
    def schema(self) -> pa.Schema:
        return self.table.schema

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        yield from self.table.select(list(columns)).to_batches(max_chunksize=4)


def read(source: RecordSource, columns: Sequence[str] = FEATURE_NAMES) -> np.ndarray:
    table = pa.Table.from_batches(source.blocks(columns))
    return np.column_stack([table.column(name).to_numpy() for name in columns])


def lists(values: Any, kind: pa.DataType | None = None) -> pa.Array:
    return pa.array(
        [list(map(float, row)) if row is not None else None for row in values], kind or pa.list_(pa.float64())
    )


def test_a_waveform_becomes_ten_features_beside_the_other_columns() -> None:
    table = Table(pa.table({"s": [f"s{i}" for i in range(6)], "w": lists(WAVES)}))
    source = RecordSource(table, RecordColumns(RATE, waveform="w"))
    assert source.schema.names == ["s", "w", *FEATURE_NAMES]
    np.testing.assert_array_equal(read(source), FEATURES)
    assert [batch.schema.names for batch in source.blocks(["kurtosis", "s"])] == [["kurtosis", "s"]] * 2
    assert pa.Table.from_batches(source.blocks(["s"])).column("s").to_pylist() == [f"s{i}" for i in range(6)]


@pytest.mark.parametrize("kind", [pa.list_(pa.float32()), pa.large_list(pa.float64()), pa.list_(pa.float64(), 256)])
def test_lists_of_any_kind_are_records(kind: pa.DataType) -> None:
    source = RecordSource(Table(pa.table({"w": lists(WAVES, kind)})), RecordColumns(RATE, waveform="w"))
    np.testing.assert_allclose(read(source), FEATURES, rtol=1e-4)


@pytest.mark.parametrize("normalisation", ["amplitude", "unnormalised"])
def test_a_one_sided_fft_gives_the_features_of_its_waveform(normalisation: Any) -> None:
    spectra = np.fft.rfft(WAVES, axis=1)
    if normalisation == "amplitude":
        spectra = spectra * 2 / 256
        spectra[:, [0, -1]] /= 2
    table = Table(pa.table({"re": lists(spectra.real), "im": lists(spectra.imag)}))
    columns = RecordColumns(RATE, real="re", imaginary="im", normalisation=normalisation)
    np.testing.assert_allclose(read(RecordSource(table, columns)), FEATURES, rtol=1e-9)


def test_records_may_have_their_own_length_and_rate() -> None:
    rows = [WAVES[0], WAVES[1][:100], WAVES[2]]
    rates = [8_000.0, 1_000.0, 16_000.0]
    source = RecordSource(Table(pa.table({"w": lists(rows), "hz": rates})), RecordColumns("hz", waveform="w"))
    expected = np.vstack([record_features(row[None], rate) for row, rate in zip(rows, rates, strict=True)])
    np.testing.assert_array_equal(read(source), expected)


def test_a_record_that_cannot_be_used_has_no_features_and_spoils_no_other() -> None:
    rows = [WAVES[0], None, WAVES[1][:5], np.r_[np.nan, WAVES[2][1:]], WAVES[3], WAVES[4]]
    rates = [RATE, RATE, RATE, RATE, 10.0, None]
    table = pa.table({"w": lists(rows), "hz": pa.array(rates, pa.float64())})
    found = read(RecordSource(Table(table), RecordColumns("hz", waveform="w")))
    np.testing.assert_array_equal(found[0], FEATURES[0])
    assert np.isnan(found[1:]).all()


@pytest.mark.parametrize(
    ("columns", "record", "message"),
    [
        (
            {"w": [[1.0]]},
            RecordColumns(RATE, waveform="v"),
            r"data\.record: must name columns of the table \(w\), got 'v'",
        ),
        ({"w": [1.0]}, RecordColumns(RATE, waveform="w"), r"column 'w' must hold lists of numbers, got 'double'"),
        ({"w": [[1.0]], "rms": [1.0]}, RecordColumns(RATE, waveform="w"), "must not have a column named .*got 'rms'"),
    ],
)
def test_a_table_without_such_records_is_an_error(columns: Any, record: RecordColumns, message: str) -> None:
    with pytest.raises(InputError, match=message):
        RecordSource(Table(pa.table(columns)), record)
