"""The verdict on a table, block by block: which rows are invalid, which implausible, and whether the rest may be used.

Two passes: the first finds what needs all rows (duplicate keys, extremes, the usual step), the second judges each block
and hands it on. The verdict does not depend on how the table is cut into blocks.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.validation.plausibility import Plausibility
from evaluation.validation.rules import DUPLICATE, MISTYPED, Limits, own_rules, schema_rules
from evaluation.validation.suite import Suite
from evaluation.validation.summary import Summarizer
from evaluation.validation.table_rules import profiles, table_findings
from evaluation.validation.verdict import Finding, Rule, Validation
from features.blocks import coalesce
from features.errors import InputError
from features.schema import Schema
from features.typed import Clock, TypedBlock, type_block

_EXAMPLES = 3
BLOCK_ROWS = 100_000  # a suite costs 0.1 s to start, whatever it judges
Blocks = Callable[[list[str]], Iterable[pa.RecordBatch]]
"""Columns -> blocks of a table; the same rows in the same order at every call."""


@dataclass(frozen=True)
class JudgedBlock:
    """One block with its rows' verdicts; ``rules`` and ``flags`` name broken rules by row, "" where there are none."""

    original: pa.RecordBatch
    typed: TypedBlock
    rules: NDArray[np.object_]
    flags: NDArray[np.object_]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(n,) True where a row may be used."""
        return np.asarray(self.rules == "")


@dataclass
class _Count:
    failing: int = 0
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
    for batch in coalesce(blocks(schema.columns), block_rows):
        summarizer.add(type_block(batch, schema, clock))
    summary = summarizer.whole()
    known = [*schema_rules(schema), *own_rules(limits)]
    _must_fit(columns, schema, limits)
    suite, plausibility = Suite([(kind, kwargs) for _, kind, kwargs in known]), Plausibility(schema, limits, summary)
    duplicates = summary.duplicates() if schema.timestamp else np.zeros(len(summary), bool)
    counts: dict[Rule, _Count] = {}
    rows = quarantined = implausible = 0
    for batch in coalesce(blocks(columns), block_rows):
        stop = rows + batch.num_rows
        if stop > len(summary):
            raise InputError("data.uri", "must not change while it is read", uri)
        typed = type_block(batch, schema, clock)
        judged = list(_invalid(batch, typed, schema, suite, [rule for rule, *_ in known], duplicates[rows:stop]))
        judged += plausibility.judge(typed, summary.series[rows:stop])
        rules, flags = _labels(judged, "invalid", batch.num_rows), _labels(judged, "implausible", batch.num_rows)
        for rule, broken in judged:
            _note(counts.setdefault(rule, _Count()), rule, broken, batch, typed, schema)
        quarantined += int(np.sum(rules != ""))
        implausible += int(np.sum((rules == "") & (flags != "")))
        on_block(JudgedBlock(batch, typed, rules, flags))
        rows = stop
    if rows != len(summary):
        raise InputError("data.uri", "must not change while it is read", uri)
    found = [Finding(rule, rows, count.failing, tuple(count.examples)) for rule, count in counts.items()]
    times = summary.times[summary.has_time] if schema.timestamp else np.empty(0, np.int64)
    return Validation(
        uri=uri,
        simulated=simulated,
        rows=rows,
        quarantined=quarantined,
        implausible=implausible,
        series=len(summary.names),
        first=_iso(times.min()) if len(times) else "",
        last=_iso(times.max()) if len(times) else "",
        sample_rows=len(summary.sample),
        findings=tuple(table_findings(found, rows, quarantined, summary, schema, limits, times)),
        profiles=tuple(profiles(summary, schema)),
    )


def _must_fit(columns: list[str], schema: Schema, limits: Limits) -> None:
    for name, (low, high) in limits.ranges.items():
        if name not in schema.features:
            raise InputError("data.ranges", "must name features", name)
        if not low < high:
            raise InputError(f"data.ranges.{name}", "must be [lowest, highest]", [low, high])
    for own in limits.own:
        for name in own.column.split(","):
            if name not in columns:
                raise InputError(f"validation.expectations {own.type}", "must name a column of the table", name)


def _invalid(
    batch: pa.RecordBatch,
    typed: TypedBlock,
    schema: Schema,
    suite: Suite,
    rules: list[Rule],
    duplicates: NDArray[np.bool_],
) -> Iterator[tuple[Rule, NDArray[np.bool_]]]:
    """(rule, (n,) broken) of Great Expectations, of mistyped cells and of duplicate keys."""
    nothing = np.zeros(len(typed), bool)
    numeric = {*schema.features, schema.label}
    for name in (*schema.features, *(key for key in (schema.timestamp, schema.label) if key)):
        kind = "a number" if name in numeric else "a time"
        yield Rule(MISTYPED, name, "invalid", f"must be {kind}"), typed.wrong.get(name, nothing)
    if schema.timestamp:
        keys = ",".join(key for key in (schema.series, schema.timestamp) if key)
        yield Rule(DUPLICATE, keys, "invalid", "must not occur twice"), duplicates
    for rule, broken in zip(rules, suite.run(_frame(batch, typed, schema)), strict=True):
        yield rule, broken & ~typed.wrong.get(rule.column, nothing)


def _frame(batch: pa.RecordBatch, typed: TypedBlock, schema: Schema) -> pd.DataFrame:
    """Role columns as typed, the others as they are."""
    columns = {name: typed.values[:, k] for k, name in enumerate(schema.features)}
    if schema.label and typed.labels is not None:
        columns[schema.label] = typed.labels
    if schema.timestamp and typed.times is not None:
        columns[schema.timestamp] = np.where(typed.has_time, typed.times, np.iinfo(np.int64).min).view("datetime64[us]")
    texts = {schema.series: typed.series, schema.group: typed.groups}
    others = {name: batch.column(name) for name in batch.schema.names if name not in columns and name not in texts}
    for name, array in {**texts, **others}.items():
        if name and array is not None:
            columns[name] = array.to_pandas()
    return pd.DataFrame(columns, copy=False)


def _labels(judged: list[tuple[Rule, NDArray[np.bool_]]], grade: str, n: int) -> NDArray[np.object_]:
    texts = np.full(n, "", dtype=object)
    for rule, broken in judged:
        if rule.grade == grade and broken.any():
            for row in np.flatnonzero(broken):
                texts[row] = f"{texts[row]} {rule.label}".lstrip()
    return texts


def _note(
    count: _Count, rule: Rule, broken: NDArray[np.bool_], batch: pa.RecordBatch, typed: TypedBlock, schema: Schema
) -> None:
    rows = np.flatnonzero(broken)
    count.failing += len(rows)
    if not len(rows) or len(count.examples) == _EXAMPLES or rule.name in ("present", "key_present"):
        return
    columns = [name for name in rule.column.split(",") if name in batch.schema.names]
    for row in rows[: 10 * _EXAMPLES]:
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
