"""Rows that break a rule which makes them invalid: Great Expectations', mistyped cells, keys that occur twice."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.validation.rules import DUPLICATE, MISTYPED, OwnExpectation, schema_rules
from evaluation.validation.suite import Suite
from evaluation.validation.verdict import Rule
from features.errors import InputError
from features.schema import RegimeRule, Schema
from features.typed import TypedBlock, numbers_or_cells


@dataclass(frozen=True)
class Invalid:
    """The rules of a schema and of the owner, ready to judge block after block; others: columns without a role."""

    schema: Schema
    rules: tuple[Rule, ...]
    suite: Suite
    others: frozenset[str]

    def judge(
        self, batch: pa.RecordBatch, typed: TypedBlock, duplicates: NDArray[np.bool_]
    ) -> Iterator[tuple[Rule, NDArray[np.bool_]]]:
        """(rule, (n,) broken) of one block; duplicates: (n,) True where its keys occur twice in the table."""
        schema, nothing = self.schema, np.zeros(len(typed), bool)
        by_rule = schema.regime.column if isinstance(schema.regime, RegimeRule) else None
        kinds = {name: "a number" for name in (*schema.features, by_rule) if name}
        kinds |= {schema.timestamp: "a time"} if schema.timestamp else {}
        for name, kind in (kinds | ({schema.label: "1, 0, yes, no or missing"} if schema.label else {})).items():
            yield Rule(MISTYPED, (name,), "invalid", f"must be {kind}"), typed.wrong.get(name, nothing)
        if schema.timestamp:
            keys = tuple(key for key in (schema.series, schema.timestamp) if key)
            yield Rule(DUPLICATE, keys, "invalid", "must not occur twice"), duplicates
        for rule, broken in zip(self.rules, self.suite.run(_frame(batch, typed, schema, self.others)), strict=True):
            yield rule, broken & ~typed.wrong.get(rule.column, nothing)


def invalid(schema: Schema, own: Mapping[Rule, OwnExpectation]) -> Invalid:
    """Raises InputError for an expectation on times whose bounds are none."""
    known = [*schema_rules(schema), *_as_judged(own, schema)]
    suite = Suite([(kind, kwargs) for _, kind, kwargs in known])
    others = frozenset(name for stated in own.values() for name in stated.columns)
    return Invalid(schema, tuple(rule for rule, *_ in known), suite, others)


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


def _frame(batch: pa.RecordBatch, typed: TypedBlock, schema: Schema, others: frozenset[str]) -> pd.DataFrame:
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
