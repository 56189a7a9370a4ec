"""Rows as arrays: what everything above the sources computes on."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.schema import Schema
from features.typed import UNKNOWN, Clock, TypedBlock, type_block

OFF = "off"
"""The operating state whose rows are not scored: a machine that stands still says nothing of its health."""


@dataclass(frozen=True)
class Rows:
    """n rows in canonical order: by series, then time.

    values: (n, d) float64; series: (n,) int64 codes into ``series_names``, all 0 without a series column;
    times: (n,) int64 microseconds since 1970 UTC, or None; labels: (n,) int8 in {1, 0, UNKNOWN}, or None;
    groups, regimes: (n,) int64 codes into their names (UNKNOWN where none is stated), or None without such a column;
    flags: (n,) tuples of names of the plausibility rules that a row breaks, or None where nobody looked;
    positions: (n,) int64 place of the row in its table, from 0, or None where it is not known.
    """

    features: tuple[str, ...]
    values: NDArray[np.float64]
    series: NDArray[np.int64]
    series_names: tuple[str, ...]
    times: NDArray[np.int64] | None
    labels: NDArray[np.int8] | None
    groups: NDArray[np.int64] | None = None
    group_names: tuple[str, ...] = ()
    regimes: NDArray[np.int64] | None = None
    regime_names: tuple[str, ...] = ()
    flags: NDArray[np.object_] | None = None
    positions: NDArray[np.int64] | None = None

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
            groups=None if self.groups is None else self.groups[index],
            regimes=None if self.regimes is None else self.regimes[index],
            flags=None if self.flags is None else self.flags[index],
            positions=None if self.positions is None else self.positions[index],
        )

    @property
    def anomalous(self) -> NDArray[np.bool_]:
        """(n,) True where a label says 1."""
        if self.labels is None:
            return np.zeros(len(self), dtype=bool)
        return np.asarray(self.labels == 1)

    @property
    def running(self) -> NDArray[np.bool_]:
        """(n,) False where the operating state is off."""
        if self.regimes is None or OFF not in self.regime_names:
            return np.ones(len(self), dtype=bool)
        return np.asarray(self.regimes != self.regime_names.index(OFF))

    @property
    def independent(self) -> NDArray[np.int64]:
        """(n,) codes of the unit of independence: the group, the series where no group is named."""
        return self.series if self.groups is None else self.groups


def from_blocks(
    blocks: Iterable[TypedBlock],
    schema: Schema,
    flags: NDArray[np.object_] | None = None,
    positions: NDArray[np.int64] | None = None,
) -> Rows:
    """Typed blocks, with flags and positions (n,) in their order -> Rows.

    A label other than 1 or 0 is UNKNOWN here; validation decides whether it may occur.
    """
    parts = list(blocks)
    values = np.concatenate([block.values for block in parts]) if parts else np.empty((0, len(schema.features)))
    n = len(values)
    series = np.zeros(n, np.int64)
    series_names: tuple[str, ...] = ("all",)
    if schema.series:
        series, series_names = _codes([block.series for block in parts])
    times = labels = groups = regimes = None
    group_names: tuple[str, ...] = ()
    regime_names: tuple[str, ...] = ()
    if schema.timestamp:
        times = _joined([block.times for block in parts if block.times is not None], np.int64)
    if schema.label:
        written = _joined([block.labels for block in parts if block.labels is not None], np.float64)
        labels = np.select([written == 1, written == 0], [1, 0], UNKNOWN).astype(np.int8)
    if schema.group:
        groups, group_names = _codes([block.groups for block in parts])
    if schema.regime:
        regimes, regime_names = _codes([block.regimes for block in parts])
    rows = Rows(
        schema.features,
        values,
        series,
        series_names,
        times,
        labels,
        groups,
        group_names,
        regimes,
        regime_names,
        flags,
        positions,
    )
    if times is None:
        return rows
    return rows.take(np.lexsort((times, series)))


def from_table(table: pa.Table, schema: Schema) -> Rows:
    """Arrow table -> Rows."""
    clock = Clock()
    return from_blocks([type_block(batch, schema, clock) for batch in table.to_batches()], schema)


def _codes(parts: list[pa.StringArray | None]) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    texts = pa.chunked_array([part for part in parts if part is not None], pa.string())
    names = sorted(name for name in pc.unique(texts).to_pylist() if name is not None)
    codes = pc.fill_null(pc.index_in(texts, pa.array(names, pa.string())), UNKNOWN)
    return np.asarray(codes.to_numpy()).astype(np.int64), tuple(names)


def _joined(parts: list[NDArray[Any]], kind: type[Any]) -> NDArray[Any]:
    return np.concatenate(parts) if parts else np.empty(0, kind)
