"""Which column is the time of a row, and how its times are written."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.guess.columns import Column
from features.schema import EPOCHS, Schema
from features.typed import Clock, type_block

NAMES = ("timestamp", "datetime", "ts", "time", "date", "epoch", "utc", "t", "zeit", "fecha")
_AFTERWARDS = {"created", "inserted", "updated", "ingested", "processed", "received", "modified", "loaded"}
_DATES = ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%y",
          "%m/%d/%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%b %d %Y", "%Y%m%d")  # fmt: skip
_HOURS = (" %H:%M:%S", " %H:%M", "", " %I:%M:%S %p", " %I:%M %p", "T%H:%M:%S", "T%H", ".%H.%M.%S", " %H%M%S")
_TRIED = 2_000
_KNOWN_SHARE = 0.9
_EARLIEST, _LATEST = 631_152_000, 4_102_444_800  # 1990 and 2100, seconds since 1970


@dataclass(frozen=True)
class Times:
    """A column as times, (n,) microseconds since 1970 and where they are known; ``how`` they are written, in words."""

    column: Column
    format: str | None
    how: str
    times: NDArray[np.int64]
    has_time: NDArray[np.bool_]

    @property
    def known(self) -> NDArray[np.int64]:
        """The known times in order of the rows."""
        return np.asarray(self.times[self.has_time])


def rank(column: Column) -> int:
    """Place of the name among those of times; len(NAMES) where it is none. 100 later for the times of a database."""
    place = min((NAMES.index(word) for word in column.words if word in NAMES), default=len(NAMES))
    return place + 100 * bool(_AFTERWARDS & set(column.words))


def named_like_time(column: Column) -> bool:
    """True where a word of the name says time."""
    return any(word in NAMES for word in column.words)


def times_of(column: Column, written: str | None = None) -> Times | None:
    """The column as times, None where most cells are none; written: its data.timestamp_format, guessed without."""
    if written:
        return _read(column, written, f"written {written}")
    if column.kind == "number":
        return _epoch(column)
    if column.kind == "time":
        text = pa.types.is_string(column.cells.type) or pa.types.is_large_string(column.cells.type)
        return _read(column, None, "ISO 8601 texts" if text else "timestamps")
    if column.kind != "text" or not column.known:
        return None
    return _read(column, None, "ISO 8601 texts") if column.looks == "time" else _written(column)


def _epoch(column: Column) -> Times | None:
    if not len(column.finite):
        return None
    low, high = column.finite.min(), column.finite.max()
    for unit, name in zip(EPOCHS, ("seconds", "milliseconds", "microseconds"), strict=True):
        per_second = 1_000_000 // EPOCHS[unit]
        if _EARLIEST * per_second <= low and high <= _LATEST * per_second:
            return _read(column, unit, f"{name} since 1970")
    return None


def _written(column: Column) -> Times | None:
    """Texts in one of the common patterns; where two fit, that in which times follow the rows in smaller steps."""
    known = column.cells.drop_null()
    tried = known.take(pa.array(np.unique(np.linspace(0, len(known) - 1, min(len(known), _TRIED)).astype(int))))
    sample = Column(column.name, column.kind, tried)
    fitting = [
        read for date, hour in product(_DATES, _HOURS) if (read := _read(sample, date + hour, "")) and _plausible(read)
    ]
    if not fitting:
        return None
    best = min(fitting, key=lambda read: (int(np.sum(np.diff(read.known) < 0)), np.ptp(read.known)))
    doubt = "" if len(fitting) == 1 else f"; {fitting[1 - fitting.index(best)].format} would fit too, so check this"
    return _read(column, best.format, f"texts written {best.format}{doubt}")


def _plausible(read: Times) -> bool:
    seconds = read.known / 1e6
    return bool(seconds.min() >= _EARLIEST and seconds.max() <= _LATEST)


def _read(column: Column, written: str | None, how: str) -> Times | None:
    """Typed exactly as training will; None where too many cells are no such time. Raises InputError for mixed zones."""
    block = pa.record_batch([column.cells], names=[column.name])
    try:
        typed = type_block(block, Schema((), timestamp=column.name, timestamp_format=written), Clock())
    except pa.ArrowInvalid:
        return None
    if typed.times is None or not typed.has_time.any() or typed.has_time.sum() < _KNOWN_SHARE * column.known:
        return None
    return Times(column, written, how, typed.times, typed.has_time)


def choose(columns: Sequence[Column]) -> list[Times]:
    """All columns that can be the time, the likeliest first: by name, then the one with most distinct times."""
    likely = [column for column in columns if column.kind != "number" or named_like_time(column)]
    found = [times for column in likely if (times := times_of(column))]
    return sorted(found, key=lambda times: (rank(times.column), -times.column.distinct))
