"""Which column names the series of a row, and which its group."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from features.guess.columns import Column
from features.guess.times import Times

_NAMES = (
    {"series"},
    {"sensor", "channel", "tag", "signal", "probe", "bearing"},
    {"device", "asset", "machine", "unit", "engine", "motor", "pump", "turbine", "equipment", "vehicle", "robot"},
    {"instrument", "node", "station", "host", "well", "location", "line", "site", "plant", "area", "building", "group"},
    {"experiment", "run", "trial", "batch", "test"},
    {"id", "name", "key"},
)
_NUMBERING = {"no", "nr", "number", "num", "code", "index"}
_NEVER = {"type", "kind", "model", "status", "version", "comment", "description", "category", "state", "mode", "regime"}
_FEW, _MANY = 0.01, 0.05


@dataclass(frozen=True)
class Role:
    """The column of a role, None for none, and why in words."""

    column: str | None
    reason: str


def guess_series(columns: Sequence[Column], times: Times | None) -> Role:
    """The text or whole-number column named like one whose values repeat; with it, (series, time) occurs once.

    ``columns``: those without another role. A column of any name serves where times repeat without one.
    """
    shared = repeated(None, times)
    needed = shared > _MANY
    named = [column for column in columns if _can_be(column) and rank(column) is not None]
    others = [column for column in columns if needed and _can_be(column) and rank(column) is None and _few(column)]
    found = [(repeated(column, times), column) for column in (*named, *others)]
    best = min(found, key=lambda one: (_bucket(one[0]), _rank_or_last(one[1]), one[0]), default=None)
    if best is None or (rank(best[1]) is None and best[0] > _FEW):
        if not needed:
            return Role(None, "no column is named like one and repeats its values: all rows are one series")
        return Role(None, f"{shared:.0%} of the rows share their time with another, {_joined(columns, times)}")
    share, column = best
    why = [f"{column.distinct:,} value{'s' if column.distinct > 1 else ''}, {_rows_each(column)} rows each"]
    if rank(column) is not None:
        why.insert(0, "named like a series")
    if times is not None and needed and share <= _FEW:
        why.append("without it times repeat, with it they do not")
    elif share > _FEW:
        why.append(f"but {share:.0%} of the rows still share series and time with another; {_joined(columns, times)}")
    return Role(column.name, ", ".join(why))


def guess_group(columns: Sequence[Column], series: Column | None) -> Role:
    """The finest column that is coarser than the series and of which each series has exactly one value."""
    if series is None:
        return Role(None, "without a series there is nothing to group")
    if series.distinct < 3:
        return Role(None, "too few series in the sample to group")
    found = [
        column
        for column in columns
        if _can_be(column) and rank(column) is not None and 1 < column.distinct < series.distinct
        if _decides(series, column)
    ]
    best = max(found, key=lambda column: (column.distinct, -_rank_or_last(column)), default=None)
    if best is None:
        return Role(None, "no coarser column of which each series has one value: series count as independent")
    return Role(best.name, f"each of the {series.distinct:,} series has one of its {best.distinct:,} values")


def rank(column: Column) -> int | None:
    """Place of its name among those of series, None where it is none; a number's name must say nothing else."""
    words = set(column.words)
    if words & _NEVER:
        return None
    if column.kind == "number" and not words <= set().union(*_NAMES) | _NUMBERING:
        return None
    return next((place for place, names in enumerate(_NAMES) if words & names), None)


def repeated(column: Column | None, times: Times | None) -> float:
    """Share of the rows with a time that share it with another row (of the same series); 0 without time."""
    if times is None or not times.has_time.any():
        return 0.0
    return _repeated(np.zeros(len(times.times), np.int64) if column is None else column.codes, times)


def _repeated(codes: NDArray[np.int64], times: Times) -> float:
    keyed = times.has_time & (codes >= 0)
    if not keyed.any():
        return 1.0
    c, t = codes[keyed], times.times[keyed]
    order = np.lexsort((t, c))
    same = (np.diff(c[order]) == 0) & (np.diff(t[order]) == 0)
    return float(np.mean(np.r_[False, same] | np.r_[same, False]))


def _joined(columns: Sequence[Column], times: Times | None) -> str:
    """Which two columns together would do, in words."""
    if times is not None:
        for one, two in combinations([c for c in columns if _can_be(c) and _few(c)][:6], 2):
            both = np.where((one.codes < 0) | (two.codes < 0), -1, one.codes * (two.distinct + 1) + two.codes)
            if _repeated(both, times) <= _FEW:
                return f"{one.name!r} and {two.name!r} joined in one column would name the series"
    return "and no column tells them apart"


def _can_be(column: Column) -> bool:
    if not (column.kind == "text" and column.looks != "time") and not column.whole:
        return False
    least = 0.9 if rank(column) is None else 0.5  # of one that is named like a series, validation says what is missing
    return 0 < column.distinct * 2 <= column.known and column.known >= least * len(column)


def _few(column: Column) -> bool:
    return 1 < column.distinct <= max(2, column.known // 10)


def _decides(series: Column, group: Column) -> bool:
    both = (series.codes >= 0) & (group.codes >= 0)
    pairs = np.unique(np.column_stack([series.codes[both], group.codes[both]]), axis=0)
    return len(pairs) == len(np.unique(pairs[:, 0])) == series.distinct


def _bucket(share: float) -> int:
    return 0 if share <= _FEW else 1 if share <= _MANY else 2


def _rank_or_last(column: Column) -> int:
    place = rank(column)
    return len(_NAMES) if place is None else place


def _rows_each(column: Column) -> str:
    counts = np.bincount(column.codes[column.codes >= 0])
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"
