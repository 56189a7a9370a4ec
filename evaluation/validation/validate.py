"""The verdict on a table, block by block: which rows are invalid, which implausible, and whether the rest may be used.

Two passes: the first finds what needs all rows (duplicate keys, extremes, the usual step), the second judges each block
and hands it on. The verdict does not depend on how the table is cut into blocks.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.validation.plausibility import Plausibility
from evaluation.validation.rules import DUPLICATE, MISTYPED, Limits, OwnExpectation, own_rules, schema_rules
from evaluation.validation.suite import Suite
from evaluation.validation.summary import Summarizer
from evaluation.validation.table_rules import Valid, profiles, table_findings
from evaluation.validation.verdict import Finding, Rule, Validation
from features.blocks import coalesce
from features.errors import InputError
from features.schema import RegimeRule, Schema
from features.typed import Clock, TypedBlock, numbers_or_cells, type_block

_EXAMPLES = 3
_LOOKED_AT = 30
_BLOCK_CELLS = 10_000_000
_SPARED = "not judged: the column takes few values"
BLOCK_ROWS = 100_000  # a suite costs 0.1 s to start, whatever it judges
Blocks = Callable[[list[str]], Iterable[pa.RecordBatch]]
"""Columns -> blocks of a table; the same rows in the same order at every call."""


@dataclass(frozen=True)
class JudgedBlock:
    """One block with its rows' verdicts.

    rules, flags: (n,) tuples of the names of the invalid and implausible rules that a row breaks; valid: (n,) True
    where it may be used.
    """

    original: pa.RecordBatch
    typed: TypedBlock
    rules: NDArray[np.object_]
    flags: NDArray[np.object_]
    valid: NDArray[np.bool_]


@dataclass
class _Count:
    failing: int = 0
    looked_at: int = 0
    examples: list[str] = field(default_factory=list)


def validate(
    blocks: Blocks,
    columns: list[str],
    schema: Schema,
    limits: Limits,
    *,
    uri: str,
    simulated: bool,
    on_block: Callable[[JudgedBlock], None] = lambda _: None,
    block_rows: int = BLOCK_ROWS,
) -> Validation:
    """Judge a table; ``on_block`` gets every block with all ``columns``, joined to at
    least ``block_rows`` rows. Bad data are a verdict, never an error.

    Raises InputError when the rules do not fit the table, or when the table changes between the passes.
    """
    summarizer, clock = Summarizer(len(schema.features)), Clock()
    size = min(block_rows, max(1, _BLOCK_CELLS // max(1, len(columns))))
    for batch in coalesce(blocks(schema.columns), size):
        summarizer.add(type_block(batch, schema, clock))
    summary = summarizer.whole()
    _must_fit(columns, schema, limits)
    own = own_rules(limits)
    known = [*schema_rules(schema), *_as_judged(own, schema)]
    suite, plausibility = Suite([(kind, kwargs) for _, kind, kwargs in known]), Plausibility(schema, limits, summary)
    duplicates = summary.duplicates() if schema.timestamp else np.zeros(len(summary), bool)
    counts: dict[Rule, _Count] = {}
    usable = Valid(len(schema.features))
    rows = implausible = 0
    for batch in coalesce(blocks(columns), size):
        stop = rows + batch.num_rows
        if stop > len(summary):
            raise InputError("data.uri", "must not change while it is read", uri)
        typed = type_block(batch, schema, clock)
        frame = _frame(batch, typed, schema, {name for judged in own.values() for name in judged.columns})
        judged = list(_invalid(typed, frame, schema, suite, [rule for rule, *_ in known], duplicates[rows:stop]))
        judged += plausibility.judge(typed, summary.series[rows:stop])
        invalid, flagged = (named_rules(judged, grade, batch.num_rows) for grade in ("invalid", "implausible"))
        valid = ~invalid.any
        for rule, broken in judged:
            _note(counts.setdefault(rule, _Count()), rule, broken, batch, typed, schema)
        usable.add(typed, valid)
        implausible += int(np.sum(valid & flagged.any))
        on_block(JudgedBlock(batch, typed, invalid.names, flagged.names, valid))
        rows = stop
    if rows != len(summary):
        raise InputError("data.uri", "must not change while it is read", uri)
    spared = {
        rule: _SPARED for rule in counts if rule.name in ("stuck", "clipped") and rule.column in plausibility.discrete
    }
    found = [
        Finding(rule, rows, count.failing, tuple(count.examples), spared.get(rule, ""))
        for rule, count in counts.items()
    ]
    times = summary.times[summary.has_time] if schema.timestamp else np.empty(0, np.int64)
    return Validation(
        uri=uri,
        simulated=simulated,
        rows=rows,
        quarantined=rows - usable.rows,
        implausible=implausible,
        series=len(summary.names),
        first=_iso(times.min()) if len(times) else "",
        last=_iso(times.max()) if len(times) else "",
        sample_rows=len(summary.sample),
        findings=tuple(table_findings(found, own, rows, usable, schema, limits)),
        profiles=tuple(profiles(summary, schema)),
    )


def _must_fit(columns: list[str], schema: Schema, limits: Limits) -> None:
    for name, (low, high) in limits.ranges.items():
        if name not in schema.features:
            raise InputError("data.ranges", "must name features", name)
        if not low < high:
            raise InputError(f"data.ranges.{name}", "must be [lowest, highest]", [low, high])
    for own in limits.own:
        for name in own.columns:
            if name not in columns:
                raise InputError(f"validation.expectations {own.type}", "must name a column of the table", name)


def _as_judged(own: Mapping[Rule, OwnExpectation], schema: Schema) -> Iterator[tuple[Rule, str, dict[str, Any]]]:
    """The owner's expectations as rows are judged by them: without ``mostly``, times as times."""
    for rule, stated in own.items():
        kwargs = {key: value for key, value in stated.kwargs.items() if key != "mostly"}
        for key in {"min_value", "max_value"} & set(kwargs) if schema.timestamp in rule.columns else ():
            try:
                moment = pd.Timestamp(kwargs[key])
            except (ValueError, TypeError) as error:
                field = f"validation.expectations {stated.type} {key}"
                raise InputError(field, "must be a time, as the column is one", kwargs[key]) from error
            kwargs[key] = (moment.tz_convert("UTC").tz_localize(None) if moment.tzinfo else moment).to_pydatetime()
        yield rule, stated.type, kwargs


def _invalid(
    typed: TypedBlock,
    frame: pd.DataFrame,
    schema: Schema,
    suite: Suite,
    rules: list[Rule],
    duplicates: NDArray[np.bool_],
) -> Iterator[tuple[Rule, NDArray[np.bool_]]]:
    """(rule, (n,) broken) of Great Expectations, of mistyped cells and of duplicate keys."""
    nothing = np.zeros(len(typed), bool)
    by_rule = schema.regime.column if isinstance(schema.regime, RegimeRule) else None
    kinds = {name: "a number" for name in (*schema.features, by_rule) if name}
    kinds |= {schema.timestamp: "a time"} if schema.timestamp else {}
    for name, kind in (kinds | ({schema.label: "1, 0, yes, no or missing"} if schema.label else {})).items():
        yield Rule(MISTYPED, (name,), "invalid", f"must be {kind}"), typed.wrong.get(name, nothing)
    if schema.timestamp:
        keys = tuple(key for key in (schema.series, schema.timestamp) if key)
        yield Rule(DUPLICATE, keys, "invalid", "must not occur twice"), duplicates
    for rule, broken in zip(rules, suite.run(frame), strict=True):
        yield rule, broken & ~typed.wrong.get(rule.column, nothing)


def _frame(batch: pa.RecordBatch, typed: TypedBlock, schema: Schema, others: set[str]) -> pd.DataFrame:
    """Role columns as typed; ``others`` as numbers where most of their cells are, else as they are."""
    columns: dict[str, Any] = {name: typed.values[:, k] for k, name in enumerate(schema.features)}
    if schema.label and typed.labels is not None:
        columns[schema.label] = typed.labels
    if schema.timestamp and typed.times is not None:
        columns[schema.timestamp] = np.where(typed.has_time, typed.times, np.iinfo(np.int64).min).view("datetime64[us]")
    for name, array in ((schema.series, typed.series), (schema.group, typed.groups)):
        if name and array is not None:
            columns[name] = array.to_pandas()
    for name in others - set(columns):
        cells = numbers_or_cells(batch.column(name))
        columns[name] = cells if isinstance(cells, np.ndarray) else cells.to_pandas()
    return pd.DataFrame(columns, copy=False)


@dataclass(frozen=True)
class Named:
    """(n,) tuples of rule names by row, and (n,) True where there are any."""

    names: NDArray[np.object_]
    any: NDArray[np.bool_]


def named_rules(judged: list[tuple[Rule, NDArray[np.bool_]]], grade: str, n: int) -> Named:
    """The rules of one grade that each of n rows breaks; rows that break the same ones share a tuple."""
    names = np.empty(n, dtype=object)
    names[:] = [()] * n
    found = [(rule.label, broken) for rule, broken in judged if rule.grade == grade and broken.any()]
    if not found:
        return Named(names, np.zeros(n, bool))
    broken = np.column_stack([mask for _, mask in found])
    rows = np.flatnonzero(broken.any(axis=1))
    patterns, place = np.unique(np.packbits(broken[rows], axis=1), axis=0, return_inverse=True)
    held = np.unpackbits(patterns, axis=1, count=len(found)).astype(bool)
    texts = np.empty(len(patterns), dtype=object)
    texts[:] = [tuple(label for (label, _), has in zip(found, pattern, strict=True) if has) for pattern in held]
    names[rows] = texts[place.ravel()]
    mask = np.zeros(n, bool)
    mask[rows] = True
    return Named(names, mask)


def _note(
    count: _Count, rule: Rule, broken: NDArray[np.bool_], batch: pa.RecordBatch, typed: TypedBlock, schema: Schema
) -> None:
    rows = np.flatnonzero(broken)
    count.failing += len(rows)
    if not len(rows) or len(count.examples) == _EXAMPLES or rule.name in ("present", "key_present"):
        return
    columns = [name for name in rule.columns if name in batch.schema.names]
    looked_at, count.looked_at = count.looked_at, count.looked_at + len(rows)
    for row in rows[: max(0, _LOOKED_AT - looked_at)]:  # of the table: the same ones however it is cut
        cells = []
        for name in columns:
            if name in schema.features and rule.name != MISTYPED:
                cells.append(f"{typed.values[row, schema.features.index(name)]:g}")
            else:
                cells.append(str(batch.column(name)[int(row)].as_py()))
        text = " ".join(cells)
        if text not in count.examples:
            count.examples.append(text)
        if len(count.examples) == _EXAMPLES:
            return


def _iso(microseconds: np.int64) -> str:
    return str(np.datetime64(int(microseconds), "us").astype("datetime64[s]")) + "Z"
