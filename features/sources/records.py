"""A table whose rows hold raw vibration records, as the same table with the ten features beside them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.errors import InputError
from features.sources.opening import Source
from features.vibration.record import FEATURE_NAMES, MIN_POINTS, RATES_HZ, record_features
from features.vibration.spectrum import Normalisation, rebuild_waveforms

_CHUNK_ROWS = 4_096


@dataclass(frozen=True)
class RecordColumns:
    """Where a record is: a waveform in g, or the real and imaginary part of its one-sided FFT.

    rate_hz: points per second, or the column that holds it; points: of the waveform behind an FFT, without it twice
    the lines less two.
    """

    rate_hz: float | str
    waveform: str | None = None
    real: str | None = None
    imaginary: str | None = None
    normalisation: Normalisation = "amplitude"
    points: int | None = None

    @property
    def columns(self) -> list[str]:
        """Everything that is read for the features."""
        named = (self.waveform, self.real, self.imaginary, self.rate_hz)
        return [name for name in named if isinstance(name, str)]


class RecordSource:
    """A source whose records became features; a row whose record cannot be used has NaN features."""

    def __init__(self, source: Source, record: RecordColumns) -> None:
        self._source, self._record = source, record
        self.uri, self.simulated = source.uri, source.simulated
        for name in record.columns:
            if name not in source.schema.names:
                raise InputError(
                    "data.record", f"must name columns of the table ({', '.join(source.schema.names)})", name
                )
        for name in filter(None, (record.waveform, record.real, record.imaginary)):
            if not _is_list(source.schema.field(name).type):
                kind = str(source.schema.field(name).type)
                raise InputError("data.record", f"column {name!r} must hold lists of numbers", kind)
        for name in FEATURE_NAMES:
            if name in source.schema.names:
                raise InputError("data.record", "the table must not have a column named as a feature of a record", name)

    @property
    def schema(self) -> pa.Schema:
        """That of the table, and the ten features of features.vibration.record."""
        return pa.schema([*self._source.schema, *(pa.field(name, pa.float64()) for name in FEATURE_NAMES)])

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """The rows with these columns in this order."""
        derived = [name for name in columns if name in FEATURE_NAMES]
        plain = [name for name in columns if name not in FEATURE_NAMES]
        needed = list(dict.fromkeys([*plain, *(self._record.columns if derived else [])]))
        for batch in self._source.blocks(needed or self._record.columns):
            arrays = {name: batch.column(name) for name in plain}
            if derived:
                values = _features(batch, self._record)
                arrays |= {name: pa.array(values[:, FEATURE_NAMES.index(name)]) for name in derived}
            yield pa.RecordBatch.from_arrays([arrays[name] for name in columns], list(columns))


def _features(batch: pa.RecordBatch, record: RecordColumns) -> NDArray[np.float64]:
    """(n, 10); the rows of one length are worked on together."""
    n = batch.num_rows
    values = np.full((n, len(FEATURE_NAMES)), np.nan)
    rates = np.full(n, record.rate_hz if not isinstance(record.rate_hz, str) else np.nan, np.float64)
    if isinstance(record.rate_hz, str):
        rates = pc.cast(batch.column(record.rate_hz), pa.float64()).to_numpy(zero_copy_only=False)
    usable = (rates >= RATES_HZ[0]) & (rates <= RATES_HZ[1])
    parts = [batch.column(name) for name in (record.waveform, record.real, record.imaginary) if name]
    lengths = [pc.fill_null(pc.list_value_length(part), 0).to_numpy(zero_copy_only=False) for part in parts]
    usable &= lengths[0] == lengths[-1]
    for length in np.unique(lengths[0][usable]):
        found = np.flatnonzero(usable & (lengths[0] == length))
        points = int(length) if record.waveform else record.points or 2 * (int(length) - 1)
        if points < MIN_POINTS:
            continue
        for rows in np.array_split(found, -(-len(found) // _CHUNK_ROWS)):
            arrays = [_matrix(part, rows) for part in parts]
            if not record.waveform:
                arrays = [rebuild_waveforms(arrays[0] + 1j * arrays[1], points, record.normalisation)]
            values[rows] = record_features(arrays[0], rates[rows])
    return values


def _matrix(lists: pa.Array, rows: NDArray[np.int64]) -> NDArray[Any]:
    """(rows, points) of lists that are equally long; a missing point is NaN."""
    flat = pc.list_flatten(lists.take(pa.array(rows)))
    kind = pa.float32() if flat.type in (pa.float32(), pa.float16()) else pa.float64()
    array: NDArray[Any] = pc.cast(flat, kind).to_numpy(zero_copy_only=False)
    return array.reshape(len(rows), -1)


def _is_list(kind: pa.DataType) -> bool:
    types = pa.types
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))
