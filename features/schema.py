"""Which column of a table plays which role, and the checks that a table can play them."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import pyarrow as pa

from features.errors import InputError


@dataclass(frozen=True)
class Schema:
    """Column names by role; ``features`` in the order every scorer expects."""

    features: tuple[str, ...]
    series: str | None = None
    timestamp: str | None = None
    label: str | None = None

    @property
    def columns(self) -> list[str]:
        """All columns that are read, keys first."""
        return [c for c in (self.series, self.timestamp, self.label) if c] + list(self.features)


def resolve(
    table: pa.Schema,
    *,
    features: Sequence[str] | str,
    series: str | None,
    timestamp: str | None,
    label: str | None,
) -> Schema:
    """Bind configured names to a table; ``features="*"`` takes every numeric column without another role.

    Raises InputError naming the field of the configuration and the nearest existing column.
    """
    taken = {"data.series": series, "data.timestamp": timestamp, "data.label": label}
    for field, column in taken.items():
        if column is not None:
            _must_exist(table, field, column)
    if timestamp is not None and not pa.types.is_timestamp(table.field(timestamp).type):
        kind = str(table.field(timestamp).type)
        raise InputError("data.timestamp", f"column {timestamp!r} must hold timestamps", kind)
    if isinstance(features, str):
        if features != "*":
            raise InputError("data.features", 'must be a list of columns or "*"', features)
        names = [f.name for f in table if _is_numeric(f.type) and f.name not in taken.values()]
    else:
        names = list(features)
    for name in names:
        _must_exist(table, "data.features", name)
        if name in taken.values():
            raise InputError("data.features", "a column with another role cannot be a feature", name)
        if not _is_numeric(table.field(name).type):
            raise InputError("data.features", f"column {name!r} must be numeric", str(table.field(name).type))
    if not names:
        raise InputError("data.features", "at least one numeric column is needed", table.names)
    return Schema(tuple(names), series, timestamp, label)


def _must_exist(table: pa.Schema, field: str, column: str) -> None:
    if column not in table.names:
        near = get_close_matches(column, table.names, n=1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        raise InputError(field, f"must name a column of the table{hint}", column)


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind))
