"""Arrow blocks as typed arrays by role; a cell of another type is marked, never lost and never an error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from features.errors import InputError
from features.schema import EPOCHS, RegimeRule, Schema, is_numeric, is_text

UNKNOWN = -1
"""Label of a row nobody judged; never counted as normal."""

_NUMBER = r"^\s*([+-]?((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|(?i:inf|infinity|nan))|(?i:true|false))\s*$"
_TIME = (
    r"^\s*\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d+)?)?)?"
    r"\s*(Z|[+-]\d\d(:?\d\d)?)?\s*$"
)
_YES, _NO = r"^\s*(?i:yes|y)\s*$", r"^\s*(?i:no|n)\s*$"
_ZONED = r":\d\d(\.\d+)?\s*(Z|[+-]\d\d(:?\d\d)?)\s*$"
_MISTYPED_SHARE = 0.5


@dataclass(frozen=True)
class TypedBlock:
    """n rows as arrays, in the order of the block. Missing and mistyped cells: NaN, null, UNKNOWN, no time.

    values: (n, d) float64; series, groups, regimes: n texts; times: (n,) int64 microseconds since 1970 UTC, and
    has_time: (n,) where it is known; labels: (n,) float64 as written; wrong: column -> (n,) True where a cell is there
    but is not of its type.
    """

    values: NDArray[np.float64]
    series: pa.StringArray | None
    times: NDArray[np.int64] | None
    has_time: NDArray[np.bool_]
    labels: NDArray[np.float64] | None
    groups: pa.StringArray | None
    regimes: pa.StringArray | None
    wrong: Mapping[str, NDArray[np.bool_]]

    def __len__(self) -> int:
        return len(self.values)

    def take(self, mask: NDArray[np.bool_]) -> "TypedBlock":
        """The rows where ``mask`` is True."""
        texts = {
            name: None if (array := getattr(self, name)) is None else array.filter(pa.array(mask))
            for name in ("series", "groups", "regimes")
        }
        return TypedBlock(
            values=self.values[mask],
            times=None if self.times is None else self.times[mask],
            has_time=self.has_time[mask],
            labels=None if self.labels is None else self.labels[mask],
            wrong={name: array[mask] for name, array in self.wrong.items()},
            **texts,
        )


@dataclass
class Clock:
    """What the times of a table seen so far say about zones; mixing both kinds cannot be right."""

    example: dict[bool, str] = field(default_factory=dict)

    def see(self, column: str, zoned: bool, example: str) -> None:
        """Raises InputError when times with and without a zone are mixed."""
        self.example.setdefault(zoned, example)
        if len(self.example) == 2:
            raise InputError(
                "data.timestamp",
                f"column {column!r} mixes times with a zone ({self.example[True]}) and without",
                self.example[False],
            )


def type_block(block: pa.RecordBatch, schema: Schema, clock: Clock) -> TypedBlock:
    """Type the role columns of one block. ``clock`` is the table's; raises InputError where it must."""
    n = block.num_rows
    wrong: dict[str, NDArray[np.bool_]] = {}

    def numbers(name: str, read: Callable[[pa.Array], pa.Array] = lambda column: column) -> NDArray[np.float64]:
        array, mistyped = _numbers(read(block.column(name)))
        if mistyped.any():
            wrong[name] = mistyped
        return array

    values = np.empty((n, len(schema.features)))
    for k, name in enumerate(schema.features):
        values[:, k] = numbers(name)
    times, has_time = None, np.ones(n, bool)
    if schema.timestamp:
        array, mistyped = _times(block.column(schema.timestamp), schema, clock)
        if mistyped.any():
            wrong[schema.timestamp] = mistyped
        has_time = array.is_valid().to_numpy(zero_copy_only=False)
        times = array.fill_null(0).to_numpy().astype(np.int64)
    regimes = None
    if isinstance(schema.regime, RegimeRule):
        regimes = _by_rule(schema.regime, numbers(schema.regime.column))
    elif schema.regime:
        regimes = _texts(block.column(schema.regime))
    return TypedBlock(
        values=values,
        series=_texts(block.column(schema.series)) if schema.series else None,
        times=times,
        has_time=has_time,
        labels=numbers(schema.label, judgement) if schema.label else None,
        groups=_texts(block.column(schema.group)) if schema.group else None,
        regimes=regimes,
        wrong=wrong,
    )


def infer_types(block: pa.RecordBatch) -> pa.Schema:
    """Logical types of text columns: numbers or times where most cells are; a few mistyped cells do not make a text.

    An altogether empty column counts as numbers.
    """
    fields = []
    for name, column in zip(block.schema.names, block.columns, strict=True):
        kind = block.schema.field(name).type
        if is_text(kind):
            known = column.drop_null()
            if _mostly(known, _NUMBER):
                kind = pa.float64()
            elif _mostly(known, _TIME):
                kind = pa.timestamp("us", tz="UTC" if _mostly(known, _ZONED) else None)
        fields.append(pa.field(name, kind))
    return pa.schema(fields)


def numbers_or_cells(column: pa.Array) -> NDArray[np.float64] | pa.Array:
    """(n,) float64 where the column holds numbers, or texts of which most are; else the column as it is."""
    if is_numeric(column.type) or (is_text(column.type) and _mostly(column.drop_null(), _NUMBER)):
        return _numbers(column)[0]
    return column


def judgement(column: pa.Array) -> pa.Array:
    """A column of labels with yes as 1 and no as 0; everything else as it is."""
    if not is_text(column.type):
        return column
    for pattern, digit in ((_YES, "1"), (_NO, "0")):
        column = pc.replace_substring_regex(column, pattern, digit)
    return column


def _mostly(known: pa.Array, pattern: str) -> bool:
    matching = pc.sum(pc.match_substring_regex(known, pattern)).as_py() or 0
    return matching >= (1 - _MISTYPED_SHARE) * len(known)


def _texts(column: pa.Array) -> pa.StringArray:
    return pc.cast(column, pa.string())


def _numbers(column: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    mistyped = np.zeros(len(column), bool)
    if is_text(column.type):
        column, mistyped = _parsed(column, pa.float64(), _NUMBER, _number_text)
    elif pa.types.is_null(column.type):
        return np.full(len(column), np.nan), mistyped
    elif pa.types.is_boolean(column.type):
        column = pc.cast(column, pa.int8())
    array: NDArray[np.float64] = pc.cast(column, pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    return array, mistyped


def _number_text(text: pa.Array) -> pa.Array:
    """Without blanks, truth values as 1 and 0."""
    trimmed = pc.utf8_trim_whitespace(text)
    for pattern, digit in ((r"^(?i:true)$", "1"), (r"^(?i:false)$", "0")):
        trimmed = pc.replace_substring_regex(trimmed, pattern, digit)
    return trimmed


def _times(column: pa.Array, schema: Schema, clock: Clock) -> tuple[pa.Int64Array, NDArray[np.bool_]]:
    """Microseconds since 1970 as int64 with nulls."""
    name, written = str(schema.timestamp), schema.timestamp_format
    mistyped = np.zeros(len(column), bool)
    if written in EPOCHS:
        seconds, mistyped = _numbers(column)
        known = np.isfinite(seconds) & (np.abs(seconds) < 2**62 / EPOCHS[written])
        mistyped |= ~known & ~np.isnan(seconds)
        exact = np.where(known, seconds, 0)
        return pa.array(np.rint(exact * EPOCHS[written]).astype(np.int64), mask=~known), mistyped
    if is_text(column.type):
        if written:
            parsed = pc.strptime(column, format=written, unit="us", error_is_null=True)
            mistyped = pc.and_(column.is_valid(), parsed.is_null()).to_numpy(zero_copy_only=False)
        else:
            parsed, mistyped = _iso(column, name, clock)
        column = parsed
    elif pa.types.is_timestamp(column.type) and len(column):
        clock.see(name, column.type.tz is not None, f"type {column.type}")
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), pa.int64()), mistyped
    return pc.cast(pc.cast(column, pa.timestamp("us"), safe=False), pa.int64()), mistyped


def _iso(column: pa.Array, name: str, clock: Clock) -> tuple[pa.Array, NDArray[np.bool_]]:
    zoned = pc.fill_null(pc.match_substring_regex(column, _ZONED), False)
    plain = pc.and_(pc.invert(zoned), pc.fill_null(pc.match_substring_regex(column, _TIME), False))
    for kind, mask in ((True, zoned), (False, plain)):
        if pc.any(mask).as_py():
            clock.see(name, kind, column.filter(mask)[0].as_py())
    tz = "UTC" if True in clock.example else None

    def tidy(text: pa.Array) -> pa.Array:  # Arrow reads at most six fractional digits, and no blank before the zone
        trimmed = pc.replace_substring_regex(pc.utf8_trim_whitespace(text), r"\s+(Z|[+-][\d:]+)$", r"\1")
        return pc.replace_substring_regex(trimmed, r"(\.\d{6})\d+", r"\1")

    return _parsed(column, pa.timestamp("us", tz=tz), _TIME, tidy)


def _parsed(
    column: pa.Array, kind: pa.DataType, pattern: str, tidy: Callable[[pa.Array], pa.Array]
) -> tuple[pa.Array, NDArray[np.bool_]]:
    """Texts cast to ``kind``, null where they are not of it; and where a text is there but is not of it."""
    try:
        return pc.cast(column, kind), np.zeros(len(column), bool)
    except pa.ArrowInvalid:
        pass
    looks = pc.fill_null(pc.match_substring_regex(column, pattern), False)
    tidied = tidy(pc.if_else(looks, column, pa.scalar(None, column.type)))
    parsed = _cast_or_null(tidied, kind)
    return parsed, pc.and_(column.is_valid(), parsed.is_null()).to_numpy(zero_copy_only=False)


def _cast_or_null(texts: pa.Array, kind: pa.DataType) -> pa.Array:
    """Cast by halves, so that only the cells that cannot be cast (a thirteenth month) become null."""
    try:
        return pc.cast(texts, kind)
    except pa.ArrowInvalid:
        if len(texts) == 1:
            return pa.nulls(1, kind)
    middle = len(texts) // 2
    return pa.concat_arrays([_cast_or_null(texts[:middle], kind), _cast_or_null(texts[middle:], kind)])


def _by_rule(rule: RegimeRule, values: NDArray[np.float64]) -> pa.StringArray:
    names = np.where(values < rule.off_below, "off", np.where(values >= rule.high_from, "high", "low"))
    return pa.array(names.tolist(), pa.string(), mask=np.isnan(values))
