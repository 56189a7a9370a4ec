"""A guess which column of an unknown table plays which role, with the reason for each in words."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import pyarrow as pa

from features.errors import InputError
from features.guess.columns import Column, columns_of
from features.guess.keys import Role, guess_group, guess_series, repeated
from features.guess.labels import guess_label, tells
from features.guess.measurements import why_no_feature
from features.guess.times import Times, choose, named_like_time, times_of
from features.schema import Schema

_STATES = {"regime", "state", "mode"}
_MOST_STATES = 12
_REPEATED = 0.05


@dataclass(frozen=True)
class Guess:
    """The roles, None where a table has no such column; left_out: column -> why it has no role."""

    timestamp: Role
    timestamp_format: str | None
    series: Role
    group: Role
    label: Role
    regime: Role
    features: tuple[str, ...]
    left_out: Mapping[str, str]
    rows: int

    @property
    def schema(self) -> Schema:
        """The roles as a schema."""
        keys = {name: getattr(self, name).column for name in ("series", "timestamp", "label", "group", "regime")}
        return Schema(self.features, **keys, timestamp_format=self.timestamp_format)


def guess_roles(
    schema: pa.Schema,
    sample: pa.RecordBatch,
    given: Mapping[str, str | None] | None = None,
    features: Collection[str] = (),
) -> Guess:
    """Guess from names, types and the rows of ``sample``; given: role -> column (or None) that is settled already;
    features: those that are, which then play no other role and are all.

    ``schema``: names and logical types of the table; the sample may lack columns without plain cells. Raises InputError
    for an unknown given column, without rows, and when no numeric column is left for a feature.
    """
    given = given or {}
    if not sample.num_columns:
        kinds = ", ".join(f"{field.name!r}: {field.type}" for field in schema)
        raise InputError("data.features", f"at least one numeric column is needed, or data.record; there are {kinds}")
    if not sample.num_rows:
        raise InputError("data.uri", "must hold rows; there is a header alone", schema.names)
    columns = {column.name: column for column in columns_of(schema, sample)}
    for role, name in given.items():
        if role != "timestamp_format" and name is not None and name not in columns:
            raise InputError(f"data.{role}", "must name a column of the table", name)
    settled = {*given.values(), *features}
    free = {name: column for name, column in columns.items() if column.known and name not in settled}
    label = _given("label", given) or guess_label([c for c in columns.values() if c.name not in settled])
    timestamp, times, others = _guess_time(columns, [c for c in free.values() if c.name != label.column], given)
    keys = [c for c in free.values() if not (tells(c) or c.name in (label.column, timestamp.column, *others))]
    series = _given("series", given) or guess_series([c for c in keys if not _is_state(c)], times)
    named = columns[series.column] if series.column else None
    keys = [c for c in keys if c.name != series.column]
    group = _given("group", given) or guess_group(keys, named)
    regime = _given("regime", given) or _guess_regime([c for c in keys if c.name != group.column])
    taken = {role.column for role in (label, timestamp, series, group, regime)}
    judge = columns[label.column] if label.column else None
    found, left_out = [*features], {}
    for name, column in columns.items():
        if features or name in taken:
            continue
        why = "another time; a table has one" if name in others else why_no_feature(column, judge, named)
        if why:
            left_out[name] = why
        else:
            found.append(name)
    if not found:
        said = "; ".join(f"{name!r}: {why}" for name, why in list(left_out.items())[:5])
        raise InputError("data.features", f"at least one numeric column is needed, and none is left ({said})")
    written = given.get("timestamp_format") or (times.format if times else None)
    return Guess(timestamp, written, series, group, label, regime, tuple(found), left_out, sample.num_rows)


def _given(role: str, given: Mapping[str, str | None]) -> Role | None:
    return Role(given[role], "given") if role in given else None


def _guess_time(
    columns: Mapping[str, Column], free: list[Column], given: Mapping[str, str | None]
) -> tuple[Role, Times | None, list[str]]:
    """The role, its times, and the names of the columns that would do as well."""
    if "timestamp" in given:
        name = given["timestamp"]
        times = times_of(columns[name], given.get("timestamp_format")) if name else None
        return Role(name, "given"), times, []
    found = choose(free)
    if not found:
        like = [f"{column.name!r}" for column in free if named_like_time(column)]
        said = f" ({', '.join(like)}: named like one, but holds no times that can be read)" if like else ""
        return Role(None, f"no column holds times{said}: rows are drawn into windows at random"), None, []
    best = found[0]
    why = best.how
    if share := len(best.has_time) - int(best.has_time.sum()):
        why += f", {share / len(best.has_time):.1%} missing or unreadable"
    if len(best.column) > 1 and repeated(None, best) > _REPEATED:
        why += ", repeated among the rows"
    return Role(best.column.name, why), best, [times.column.name for times in found[1:]]


def _is_state(column: Column) -> bool:
    return column.kind == "text" and bool(column.words) and column.words[-1] in _STATES


def _guess_regime(columns: list[Column]) -> Role:
    for column in columns:
        if _is_state(column) and 2 <= column.distinct <= _MOST_STATES:
            return Role(column.name, f"named like an operating state, {column.distinct} values")
    return Role(None, "no text column is named like an operating state")
