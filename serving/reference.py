"""``reference.parquet``: a sample of the normal rows of the reference window, which drift is measured against."""

import io

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.errors import InputError
from features.rows import Rows

MAX_ROWS = 10_000
_MAX_VALUES = 2_000_000  # of very wide tables: 16 MB
_FILE = "reference.parquet"


def write_reference(rows: Rows, seed: int) -> bytes:
    """A seeded sample of at most MAX_ROWS rows; the same rows and seed give the same bytes.

    Columns: ``values``, a list of d float64 in the units and order of the features; and, where the rows have them,
    ``series``, ``group``, ``regime`` (text, null where none is stated) and ``timestamp`` (microseconds, UTC).
    """
    kept = rows.take(sample(len(rows), min(MAX_ROWS, max(1, _MAX_VALUES // rows.values.shape[1])), seed))
    columns: dict[str, pa.Array] = {"series": _texts(kept.series, kept.series_names)}
    if kept.groups is not None:
        columns["group"] = _texts(kept.groups, kept.group_names)
    if kept.regimes is not None:
        columns["regime"] = _texts(kept.regimes, kept.regime_names)
    if kept.times is not None:
        columns["timestamp"] = pa.array(kept.times).cast(pa.timestamp("us", tz="UTC"))
    columns["values"] = pa.FixedSizeListArray.from_arrays(pa.array(kept.values.ravel()), kept.values.shape[1])
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd", row_group_size=1_000_000)
    return buffer.getvalue()


def read_reference(content: bytes, features: tuple[str, ...]) -> Rows:
    """The rows behind ``reference.parquet``, without labels. Raises InputError for anything else."""
    d = len(features)
    try:
        found = pq.read_table(pa.BufferReader(content))
        values = found["values"].combine_chunks().flatten().to_numpy().reshape(len(found), -1)
        texts = {name: _codes(found[name]) for name in ("series", "group", "regime") if name in found.column_names}
        times = found["timestamp"].cast(pa.int64()).to_numpy() if "timestamp" in found.column_names else None
        series, series_names = texts["series"]
    except (pa.ArrowException, OSError, KeyError, ValueError, AttributeError) as error:
        raise InputError(_FILE, f"cannot be read ({str(error).splitlines()[0]})") from error
    if values.shape[1] != d or not np.isfinite(values).all():
        raise InputError(_FILE, f"must hold finite values of {d} features", values.shape)
    groups, group_names = texts.get("group", (None, ()))
    regimes, regime_names = texts.get("regime", (None, ()))
    return Rows(features, values, series, series_names, times, None, groups, group_names, regimes, regime_names)


def sample(n: int, rows: int, seed: int) -> NDArray[np.int64]:
    """Ascending positions of a seeded sample of n rows; all of them where they are no more."""
    return np.arange(n) if n <= rows else np.sort(np.random.default_rng(seed).choice(n, rows, replace=False))


def _texts(codes: NDArray[np.int64], names: tuple[str, ...]) -> pa.Array:
    known = pa.array(np.maximum(codes, 0), mask=codes < 0)
    return pa.array(names, pa.string()).take(known) if names else pa.nulls(len(codes), pa.string())


def _codes(column: pa.ChunkedArray) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    whole = column.combine_chunks().dictionary_encode()
    codes = whole.indices.fill_null(-1).to_numpy().astype(np.int64)
    return codes, tuple(whole.dictionary.to_pylist())
