"""Rows as arrays: what everything above the sources computes on."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.schema import Schema

UNKNOWN = -1
"""Label of a row nobody judged; never counted as normal."""


@dataclass(frozen=True)
class Rows:
    """n rows in canonical order: by series, then time.

    values: (n, d) float64; series: (n,) int64 codes into ``series_names``, all 0 without a series column;
    times: (n,) int64 microseconds since 1970 UTC, or None; labels: (n,) int8 in {1, 0, UNKNOWN}, or None.
    """

    features: tuple[str, ...]
    values: NDArray[np.float64]
    series: NDArray[np.int64]
    series_names: tuple[str, ...]
    times: NDArray[np.int64] | None
    labels: NDArray[np.int8] | None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, index: NDArray[Any]) -> "Rows":
        """The rows at ``index`` (a boolean mask or ascending positions)."""
        return replace(
            self,
            values=self.values[index],
            series=self.series[index],
            times=None if self.times is None else self.times[index],
            labels=None if self.labels is None else self.labels[index],
        )

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """(n,) True where a label says 1."""
        if self.labels is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.labels == 1)


def from_table(table: pa.Table, schema: Schema) -> Rows:
    """Arrow table -> Rows; integer and decimal features become float64, null features NaN."""
    values = np.column_stack([_floats(table.column(name)) for name in schema.features])
    if schema.series:
        names = table.column(schema.series).cast(pa.string()).combine_chunks()
        series_names = sorted(pc.unique(names).to_pylist())
        codes = pc.index_in(names, pa.array(series_names, pa.string()))
        series = codes.to_numpy(zero_copy_only=False).astype(np.int64)
    else:
        series_names, series = ["all"], np.zeros(table.num_rows, np.int64)
    times = labels = None
    if schema.timestamp:
        times = table.column(schema.timestamp).cast(pa.timestamp("us"), safe=False).cast(pa.int64()).to_numpy()
    if schema.label:
        filled = pc.fill_null(table.column(schema.label).cast(pa.float64()), UNKNOWN)
        labels = filled.to_numpy().astype(np.int8)
    rows = Rows(schema.features, values, series, tuple(series_names), times, labels)
    if times is None:
        return rows
    return rows.take(np.lexsort((times, series)))


def _floats(column: pa.ChunkedArray) -> NDArray[np.float64]:
    array: NDArray[np.float64] = column.cast(pa.float64()).to_numpy()
    return array
