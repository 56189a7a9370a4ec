"""The Great Expectations door: a suite from the schema, its verdict, and the rows to quarantine.

Row rules find invalid rows, which are set aside with the names of the rules they broke; table rules decide whether the
rest can be used at all. One block is judged at a time; a table is one block so far.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import great_expectations as gx
import great_expectations.expectations as gxe
import numpy as np
import pandas as pd
import pyarrow as pa
from great_expectations.data_context.types.base import ProgressBarsConfig
from numpy.typing import NDArray

from features.schema import Schema

_LARGEST = float(np.finfo(np.float64).max)


@dataclass(frozen=True)
class Limits:
    """Table rules: fewest usable rows; largest share of rows that quarantine may take."""

    min_rows: int = 1_000
    max_quarantined_share: float = 0.1


@dataclass(frozen=True)
class RuleResult:
    """One rule: ``failing`` of ``rows`` broke it; ``examples`` of what was found instead."""

    rule: str
    column: str
    sentence: str
    rows: int
    failing: int
    examples: tuple[str, ...]


@dataclass(frozen=True)
class Validation:
    """The verdict: table rules broken, one clear sentence each; and (n,) rule names by invalid row, "" where valid."""

    rules: tuple[RuleResult, ...]
    failures: tuple[str, ...]
    broken: NDArray[np.object_]

    @property
    def valid(self) -> NDArray[np.bool_]:
        """(n,) True where a row may be used."""
        return np.asarray(self.broken == "")

    @property
    def quarantined(self) -> int:
        """Number of invalid rows."""
        return int((~self.valid).sum())


@dataclass(frozen=True)
class _Rule:
    name: str
    column: str
    sentence: str
    expectation: Any


def validate(table: pa.Table, schema: Schema, limits: Limits) -> Validation:
    """Judge a block by the suite of its schema; never raises for bad data."""
    frame = table.select(schema.columns).to_pandas(ignore_metadata=True)  # rows by position
    rules = list(_row_rules(schema))
    results, broken = [], np.full(len(frame), "", dtype=object)
    for rule, found in zip(rules, _run(frame, [r.expectation for r in rules]), strict=True):
        failing = np.asarray(sorted(found), dtype=np.int64)
        broken[failing] = [f"{text},{rule.name}".lstrip(",") for text in broken[failing]]
        column = rule.column.split(",")[0]
        examples = () if "present" in rule.name else _some(frame[column].iloc[failing[:50]])
        results.append(RuleResult(rule.name, rule.column, rule.sentence, len(frame), len(failing), examples))
    usable = int((broken == "").sum())
    failures = _table_failures(results, len(frame), usable, limits)
    return Validation(tuple(results), tuple(failures), broken)


def _row_rules(schema: Schema) -> Iterator[_Rule]:
    keys = [key for key in (schema.series, schema.timestamp) if key]
    for key in keys:
        yield _Rule("key_present", key, "must not be missing", gxe.ExpectColumnValuesToNotBeNull(column=key))
    for name in schema.features:
        present = gxe.ExpectColumnValuesToNotBeNull(column=name)
        yield _Rule("present", name, "must not be missing or NaN", present)
        finite = gxe.ExpectColumnValuesToBeBetween(column=name, min_value=-_LARGEST, max_value=_LARGEST)
        yield _Rule("finite", name, "must be finite", finite)
    if schema.label:
        binary = gxe.ExpectColumnValuesToBeInSet(column=schema.label, value_set=[0, 1])
        yield _Rule("label", schema.label, "must be 1, 0 or missing (unknown)", binary)
    if schema.timestamp:
        if len(keys) == 1:
            unique: Any = gxe.ExpectColumnValuesToBeUnique(column=keys[0])
        else:
            unique = gxe.ExpectCompoundColumnsToBeUnique(column_list=keys)
        yield _Rule("unique_key", ",".join(keys), "must not occur twice", unique)


def _table_failures(results: list[RuleResult], rows: int, usable: int, limits: Limits) -> list[str]:
    failures = []
    share = (rows - usable) / rows if rows else 0.0
    if share > limits.max_quarantined_share:
        for result in results:
            if result.failing:
                found = f" (found {', '.join(result.examples)})" if result.examples else ""
                count = f"{result.failing:,} of {result.rows:,} rows break it"
                failures.append(f"column {result.column!r}: {result.sentence}; {count}{found}")
        failures.append(
            f"validation.max_quarantined_share: at most {limits.max_quarantined_share:.1%} of the rows may be invalid, "
            f"got {share:.1%}"
        )
    if usable < limits.min_rows:
        failures.append(f"validation.min_rows: at least {limits.min_rows:,} valid rows are needed, got {usable:,}")
    return failures


def _some(values: Any) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(value) for value in values))[:3]


def _run(frame: pd.DataFrame, expectations: list[Any]) -> list[set[int]]:
    """Row positions that break each expectation, in the order given."""
    if frame.empty:
        return [set() for _ in expectations]
    logging.getLogger("great_expectations").setLevel(logging.ERROR)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    asset = context.data_sources.add_pandas("table").add_dataframe_asset("block")
    batch = asset.add_batch_definition_whole_dataframe("whole").get_batch({"dataframe": frame})
    for number, expectation in enumerate(expectations):
        expectation.meta = {"number": number}  # results come back grouped by column
    suite = gx.ExpectationSuite(name="schema", expectations=expectations)
    outcome = batch.validate(suite, result_format={"result_format": "COMPLETE"})
    found: list[set[int]] = [set() for _ in expectations]
    for result in outcome.results:
        config = result.expectation_config
        if (result.exception_info or {}).get("raised_exception"):
            raise RuntimeError(f"{config.type} of {config.kwargs}: {result.exception_info['exception_message']}")
        found[config.meta["number"]] = {int(i) for i in result.result.get("unexpected_index_list") or ()}
    return found
