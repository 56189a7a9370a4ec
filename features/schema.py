"""Which column of a table plays which role, and the checks that a table can play them."""

from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import pyarrow as pa

from features.errors import InputError

EPOCHS = {"s": 1_000_000, "ms": 1_000, "us": 1}
"""Units of numeric timestamps (since 1970 UTC), in microseconds."""


@dataclass(frozen=True)
class RegimeRule:
    """Operating state from a speed or load column: off below ``off_below``, high from ``high_from`` on, low between."""

    column: str
    off_below: float
    high_from: float


@dataclass(frozen=True)
class Schema:
    """Column names by role; ``features`` in the order every scorer expects.

    group: the unit of independence (machine), the series where none is named; regime: a column of operating states or
    a rule; timestamp_format: strptime pattern of texts, or a key of EPOCHS for numbers, ISO 8601 without.
    """

    features: tuple[str, ...]
    series: str | None = None
    timestamp: str | None = None
    label: str | None = None
    group: str | None = None
    regime: str | RegimeRule | None = None
    timestamp_format: str | None = None

    @property
    def regime_column(self) -> str | None:
        """The column that tells the regime."""
        return self.regime.column if isinstance(self.regime, RegimeRule) else self.regime

    @property
    def columns(self) -> list[str]:
        """All columns that are read, keys first, each once."""
        roles = (self.series, self.timestamp, self.label, self.group, self.regime_column, *self.features)
        return list(dict.fromkeys(name for name in roles if name))


def resolve(
    table: pa.Schema,
    *,
    features: Sequence[str] | str,
    series: str | None = None,
    timestamp: str | None = None,
    label: str | None = None,
    group: str | None = None,
    regime: str | RegimeRule | None = None,
    timestamp_format: str | None = None,
    kind: str | None = None,
) -> Schema:
    """Bind configured names to a table; ``features="*"`` takes every numeric column without another role.

    kind: a column that names kinds of anomaly; no part of the schema, since it says why a row is labelled.
    Raises InputError naming the field of the configuration and the nearest existing column.
    """
    by_rule = regime.column if isinstance(regime, RegimeRule) else None
    regime_field = "data.regime.column" if by_rule else "data.regime"
    roles = {"data.series": series, "data.timestamp": timestamp, "data.label": label, "data.group": group}
    roles |= {"data.kind": kind, "data.regime": None if isinstance(regime, RegimeRule) else regime}
    for field, column in {**roles, regime_field: by_rule or roles["data.regime"]}.items():
        if column is not None:
            _must_exist(table, field, column)
    if timestamp is not None:
        _must_hold_times(table.field(timestamp), timestamp_format)
    if by_rule is not None and not is_numeric(table.field(by_rule).type):
        raise InputError(regime_field, f"column {by_rule!r} must be numeric", str(table.field(by_rule).type))
    taken = [column for column in roles.values() if column is not None]
    if isinstance(features, str):
        if features != "*":
            raise InputError("data.features", 'must be a list of columns or "*"', features)
        # A column without a name is an index that somebody's tool wrote.
        names = [f.name for f in table if f.name and is_numeric(f.type) and f.name not in (*taken, by_rule)]
    else:
        names = list(features)
    for name in names:
        _must_exist(table, "data.features", name)
        if name in taken:
            raise InputError("data.features", "a column with another role cannot be a feature", name)
        if names.count(name) > 1:
            raise InputError("data.features", "must name each column once", name)
        kind = table.field(name).type
        if not is_numeric(kind):
            raise InputError("data.features", f"column {name!r} must be numeric", str(kind))
    if not names:
        raise InputError("data.features", "at least one numeric column is needed", table.names)
    return Schema(tuple(names), series, timestamp, label, group, regime, timestamp_format)


def is_numeric(kind: pa.DataType) -> bool:
    """True for numbers and truth values, and for a column without any value."""
    types = pa.types
    known = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind) or types.is_boolean(kind)
    return bool(known or types.is_null(kind))


def is_text(kind: pa.DataType) -> bool:
    """True for text columns."""
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _must_hold_times(field: pa.Field, written: str | None) -> None:
    if written in EPOCHS:
        fits = is_numeric(field.type) or is_text(field.type)
        rule = f"column {field.name!r} must hold numbers, as data.timestamp_format says"
    else:
        fits = pa.types.is_timestamp(field.type) or pa.types.is_date(field.type) or is_text(field.type)
        fits = fits or pa.types.is_null(field.type)
        rule = f"column {field.name!r} must hold timestamps (numbers: set data.timestamp_format to s, ms or us)"
    if not fits:
        raise InputError("data.timestamp", rule, str(field.type))


def _must_exist(table: pa.Schema, field: str, column: str) -> None:
    if not column:
        raise InputError(field, "must name a column", column)
    if column not in table.names:
        near = get_close_matches(column, table.names, n=1)
        hint = f" (nearest: {near[0]!r})" if near else ""
        raise InputError(field, f"must name a column of the table{hint}", column)
