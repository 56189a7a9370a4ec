"""Which of the other columns are measurements that a detector can use as features, and why the rest is not."""

import numpy as np
from numpy.typing import NDArray

from features.guess.columns import Column
from features.guess.labels import tells
from features.guess.times import named_like_time

MISSING_SHARE = 0.1
"""A row without one of its features is invalid; validation accepts a tenth of such rows by default."""
_ENOUGH = 10
_TRUTHS = {"true", "false", "yes", "no", "on", "off", "t", "f", "y", "n"}
_IDS = {"id", "uid", "uuid", "udi", "guid", "index", "idx", "row", "rowid", "unnamed", "key", "serial"}


def why_no_feature(column: Column, label: Column | None, series: Column | None) -> str:
    """The reason in words, "" for a column that is a feature."""
    if column.kind in ("list", "other"):
        return (
            "a list in each row (raw vibration records: see data.record)" if column.kind == "list" else "no plain type"
        )
    if not column.known:
        return "no value in the sample"
    if column.kind == "text":
        return _text(column)
    if column.kind == "time":
        return "times, but not readable as one clock (with and without zone?)"
    if tells(column):
        return "its name says a judgement: as a feature it would tell the answer"
    values = column.finite
    if not len(values):
        return "no finite number in the sample"
    if values.min() == values.max():
        return f"always {values[0]:g} in the sample"
    missing = 1 - len(values) / len(column)
    if missing > MISSING_SHARE:
        return f"{missing:.0%} missing or not finite: rows without a feature are set aside"
    if label is not None and _repeats(column, label):
        return f"repeats the label {label.name!r}"
    return _counter(column, values, series)


def _text(column: Column) -> str:
    if column.looks == "number":
        return "numbers stored as text; store them as numbers to use them"
    if column.looks == "time":
        return "times, but not readable as one clock (with and without zone?)"
    if {str(text).strip().lower() for text in column.cells.drop_null().unique().to_pylist()} <= _TRUTHS:
        return "true and false as text; write 1 and 0 to use it"
    return f"text without a role, {column.distinct:,} value{'s' if column.distinct > 1 else ''}"


def _repeats(column: Column, label: Column) -> bool:
    both = np.isfinite(column.numbers) & np.isfinite(label.judgements)
    one, two = column.numbers[both], label.judgements[both]
    return len(np.unique(two)) > 1 and (bool(np.all(one == two)) or bool(np.all(one == 1 - two)))


def _counter(column: Column, values: NDArray[np.float64], series: Column | None) -> str:
    """Why its numbers count rows or name them rather than measure, "" where they do not."""
    if len(values) < _ENOUGH:
        return ""
    rises = bool(np.all(np.diff(values) > 0))
    if column.whole:
        if rises:
            return "rises with every row, as an index does"
        if series is not None and _counts_within(column, series):
            return f"counts the rows of each {series.name!r}"
        dense = values.max() - values.min() < 2 * len(values)
        if len(np.unique(values)) == len(values) and (dense or _IDS & set(column.words)):
            return "another whole number in every row, as an identifier has"
        if _IDS & set(column.words):
            return "named like an identifier"
    if rises and named_like_time(column):
        return "rises with every row, as elapsed time does (data.timestamp_format: s would read it as the time)"
    return ""


def _counts_within(column: Column, series: Column) -> bool:
    order = np.argsort(series.codes, kind="stable")
    steps = np.diff(column.numbers[order])[np.diff(series.codes[order]) == 0]
    return len(steps) >= _ENOUGH and bool(np.all(steps == 1))
