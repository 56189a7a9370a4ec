"""The verdict on a table, block by block: which rows are invalid, which implausible, and whether the rest may be used.

Two passes: the first finds what needs all rows (duplicate keys, extremes, the usual step), the second judges each block
and hands it on. The verdict does not depend on how the table is cut into blocks.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.validation.invalid import invalid
from evaluation.validation.plausibility import Plausibility
from evaluation.validation.rules import Limits, own_rules
from evaluation.validation.summary import Summarizer
from evaluation.validation.table_rules import Valid, profiles, table_findings
from evaluation.validation.tally import Tally, named_rules
from evaluation.validation.verdict import Validation
from features.blocks import coalesce
from features.errors import InputError
from features.schema import Schema
from features.typed import Clock, TypedBlock, type_block

_BLOCK_CELLS = 10_000_000
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
    size, clock = min(block_rows, max(1, _BLOCK_CELLS // max(1, len(columns)))), Clock()
    summarizer = Summarizer(len(schema.features))
    for batch in coalesce(blocks(schema.columns), size):
        summarizer.add(type_block(batch, schema, clock))
    summary = summarizer.whole()
    _must_fit(columns, schema, limits)
    own = own_rules(limits)
    strict, plausibility = invalid(schema, own), Plausibility(schema, limits, summary)
    duplicates = summary.duplicates() if schema.timestamp else np.zeros(len(summary), bool)
    tally, usable = Tally(schema), Valid(len(schema.features))
    rows = implausible = 0
    for batch in coalesce(blocks(columns), size):
        stop = rows + batch.num_rows
        if stop > len(summary):
            raise InputError("data.uri", "must not change while it is read", uri)
        typed = type_block(batch, schema, clock)
        judged = [*strict.judge(batch, typed, duplicates[rows:stop])]
        judged += plausibility.judge(typed, summary.series[rows:stop])
        broken, flagged = (named_rules(judged, grade, batch.num_rows) for grade in ("invalid", "implausible"))
        tally.add(judged, batch, typed)
        usable.add(typed, ~broken.any)
        implausible += int(np.sum(~broken.any & flagged.any))
        on_block(JudgedBlock(batch, typed, broken.names, flagged.names, ~broken.any))
        rows = stop
    if rows != len(summary):
        raise InputError("data.uri", "must not change while it is read", uri)
    found = tally.findings(rows, plausibility.spared)
    first, last = summary.span() if schema.timestamp else ("", "")
    return Validation(
        uri=uri,
        simulated=simulated,
        rows=rows,
        quarantined=rows - usable.rows,
        implausible=implausible,
        series=len(summary.names) if schema.series else min(1, rows),
        first=first,
        last=last,
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
