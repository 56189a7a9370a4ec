"""Baselines: centre and scale of every feature for each series (and operating state), and the fleet's for the rest."""

import hashlib
import io
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from features.errors import InputError
from features.rows import Rows

_NAMES_AT_ONCE, _PAUSE_S = 1_000, 0.0005  # about a millisecond of work, then other threads have their turn


class Stratum(IntEnum):
    """How well a row's baseline is known; each stratum has a threshold of its own."""

    MATURE = 0
    YOUNG = 1
    UNSEEN = 2


@dataclass(frozen=True)
class Baselines:
    """m rows of series and operating states, then r rows of the fleet, one a state; the last one is for any state.

    keys: (m,) uint64 ascending, a hash of series and state; centre: (m + r, d) float64 in the units of the features;
    scale: (m + r, d) float32 > 0, a robust standard deviation; stratum: (m + r,) int8 of Stratum; regimes: the r names,
    the last is "".
    """

    keys: NDArray[np.uint64]
    centre: NDArray[np.float64]
    scale: NDArray[np.float32]
    stratum: NDArray[np.int8]
    regimes: tuple[str, ...]

    def find(self, series: Sequence[str | None], regimes: Sequence[str | None] | None = None) -> NDArray[np.int64]:
        """(n,) the baseline row of each row: that of its series and state, else the fleet's in that state, else any.

        A missing or unknown series or state is no error; states mean nothing where the baselines know none.
        """
        stateless = regimes is None or self.regimes == ("",)
        states: Sequence[str | None] = [None] * len(series) if stateless else regimes or ()
        fleet = {name: len(self.keys) + number for number, name in enumerate(self.regimes)}
        anywhere = len(self.centre) - 1
        asked = np.fromiter((key_of(a, b) for a, b in zip(series, states, strict=True)), np.uint64, len(series))
        at = np.minimum(np.searchsorted(self.keys, asked), max(len(self.keys) - 1, 0))
        known = self.keys[at] == asked if len(self.keys) else np.zeros(len(asked), bool)
        other = np.fromiter((fleet.get(state or "", anywhere) for state in states), np.int64, len(series))
        return np.where(known, at, other)

    def apply(self, values: NDArray[np.float64], at: NDArray[np.int64]) -> NDArray[np.float64]:
        """(n, …, d) values as deviations from the baselines ``at`` (n,), in robust standard deviations."""
        shape = (len(at),) + (1,) * (values.ndim - 2) + (values.shape[-1],)
        return np.asarray((values - self.centre[at].reshape(shape)) / self.scale[at].reshape(shape))


def locate(baselines: Baselines, rows: Rows) -> NDArray[np.int64]:
    """(n,) the baseline row of each row of a table."""
    states = len(rows.regime_names) + 1
    state = np.full(len(rows), states - 1) if rows.regimes is None else rows.regimes % states  # UNKNOWN is the last
    pairs, place = np.unique(rows.series * states + state, return_inverse=True)
    named = (*rows.regime_names, None)
    return baselines.find(
        [rows.series_names[pair // states] for pair in pairs], [named[pair % states] for pair in pairs]
    )[place]


def key_of(series: str | None, regime: str | None) -> int:
    """64 bits of BLAKE2b over series and state; a NUL keeps ("ab", "c") apart from ("a", "bc")."""
    text = f"{series or ''}\0{regime or ''}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


@dataclass(frozen=True)
class BaselineTable:
    """The content of ``baselines.parquet``: one row a series and state, then the fleet's rows with series "".

    rows: (m + r,) int64 reference rows behind each.
    """

    series: tuple[str, ...]
    regimes: tuple[str, ...]
    rows: NDArray[np.int64]
    stratum: NDArray[np.int8]
    centre: NDArray[np.float64]
    scale: NDArray[np.float32]


def write_table(table: BaselineTable) -> bytes:
    """``baselines.parquet``; the same table gives the same bytes."""
    d = table.centre.shape[1]
    columns = {
        "series": pa.array(table.series, pa.string()),
        "regime": pa.array(table.regimes, pa.string()),
        "rows": pa.array(table.rows),
        "stratum": pa.array(table.stratum),
        "centre": pa.FixedSizeListArray.from_arrays(pa.array(table.centre.ravel()), d),
        "scale": pa.FixedSizeListArray.from_arrays(pa.array(table.scale.ravel()), d),
    }
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer, compression="zstd", row_group_size=1_000_000)
    return buffer.getvalue()


def read_table(content: bytes, d: int) -> BaselineTable:
    """The table of d features behind ``baselines.parquet``. Raises InputError naming what does not fit."""
    found = _read(content, d)
    names = tuple(zip(*_names(found), strict=True))
    return BaselineTable(names[0], names[1], found.rows, found.stratum, found.centre, found.scale)


def read_baselines(content: bytes, d: int) -> Baselines:
    """The lookup behind ``baselines.parquet``, without ever holding all its names. Raises as ``read_table`` does."""
    found = _read(content, d)
    return _lookup(_names(found), found.stratum, found.centre, found.scale)


def make_baselines(table: BaselineTable) -> Baselines:
    """The lookup of a table; names are kept as hashes only. Raises InputError where two rows share a key."""
    return _lookup(zip(table.series, table.regimes, strict=True), table.stratum, table.centre, table.scale)


def _lookup(
    names: Iterable[tuple[str, str]],
    stratum: NDArray[np.int8],
    centre: NDArray[np.float64],
    scale: NDArray[np.float32],
) -> Baselines:
    keys, fleet = np.empty(len(stratum), np.uint64), dict[int, str]()
    for row, (series, regime) in enumerate(names):
        keys[row] = key_of(series, regime)
        if not series:
            fleet[row] = regime
    own = np.delete(np.arange(len(keys)), list(fleet))
    own = own[np.argsort(keys[own])]
    if (np.diff(keys[own]) == 0).any():
        raise InputError("baselines.parquet", "must hold each series and state once")
    chosen = np.r_[own, np.array(list(fleet), np.int64)]
    return Baselines(keys[own], centre[chosen], scale[chosen], stratum[chosen], tuple(fleet.values()))


class _Columns(NamedTuple):
    """The columns of ``BaselineTable``, names still as Arrow has them."""

    series: pa.ChunkedArray
    regimes: pa.ChunkedArray
    rows: NDArray[np.int64]
    stratum: NDArray[np.int8]
    centre: NDArray[np.float64]
    scale: NDArray[np.float32]


def _read(content: bytes, d: int) -> _Columns:
    try:
        found = pq.ParquetFile(pa.BufferReader(content)).read()
        matrix = {name: found[name].combine_chunks().flatten().to_numpy() for name in ("centre", "scale")}
        shaped = {name: values.reshape(len(found), -1) for name, values in matrix.items()}
        columns = _Columns(
            *(found[name] for name in ("series", "regime")),
            *(found[name].to_numpy() for name in ("rows", "stratum")),
            **shaped,
        )
        ending = [found[name][-1].as_py() for name in ("series", "regime")]
    except (pa.ArrowException, OSError, LookupError, ValueError, AttributeError) as error:
        raise InputError("baselines.parquet", f"cannot be read ({str(error).splitlines()[0]})") from error
    centre, scale = columns.centre, columns.scale
    if centre.shape[1] != d or scale.shape[1] != d:
        raise InputError("baselines.parquet", f"must hold {d} features", (centre.shape[1], scale.shape[1]))
    if not (np.isfinite(centre).all() and np.isfinite(scale).all() and (scale > 0).all()):
        raise InputError("baselines.parquet", "every centre must be finite and every scale above 0")
    if ending != ["", ""]:
        raise InputError("baselines.parquet", "must end with the fleet's row for any state", ending)
    return columns


def _names(columns: _Columns) -> Iterator[tuple[str, str]]:
    """Series and state of each row; a few at a time, because one call for all holds up every other thread."""
    for start in range(0, len(columns.series), _NAMES_AT_ONCE):
        few = slice(start, start + _NAMES_AT_ONCE)
        yield from zip(columns.series[few].to_pylist(), columns.regimes[few].to_pylist(), strict=True)
        time.sleep(_PAUSE_S)
