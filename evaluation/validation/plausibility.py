"""Rows that may be used but should be looked at: out of range, stuck, clipped, after a gap, out of order.

They stay in the table, flagged, and are scored, since they may be the anomaly. A row is judged by itself and by the
rows of its series before it, in the order of the table, so that blocks give what the whole table gives.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from evaluation.validation.rules import Limits
from evaluation.validation.summary import Summary
from evaluation.validation.verdict import Grade, Rule
from features.schema import Schema
from features.typed import TypedBlock

_FEW_LEVELS = 10
_FEW_SHARE = 0.02


class Plausibility:
    """Judges one block after the other."""

    def __init__(self, schema: Schema, limits: Limits, summary: Summary) -> None:
        d, known = len(schema.features), len(summary.names) or 1
        self._limits, self._summary, self._step = limits, summary, summary.usual_step() if schema.timestamp else 0
        self._timed = schema.timestamp is not None
        self._discrete = tuple(name for k, name in enumerate(schema.features) if _is_discrete(summary.sample[:, k]))
        self._continuous = np.array([name not in self._discrete for name in schema.features], bool)
        self._last = np.full((known, d), np.nan)
        self._run = np.zeros((known, d), np.int64)
        self._time = np.full(known, np.iinfo(np.int64).min)
        self._range = {schema.features.index(name): bounds for name, bounds in limits.ranges.items()}
        self._rules = {name: list(_rules(name, schema, limits)) for name in ("range", "stuck", "clipped")}
        self._gap = Rule(
            "gap", (str(schema.timestamp),), "implausible", f"follows a gap of over {limits.gap_factor:g} steps"
        )
        order: Grade = "table" if limits.refuse_unordered else "implausible"
        self._order = Rule(
            "unordered", (str(schema.timestamp),), order, "must not lie before the row of its series above it"
        )

    def spared(self, rule: Rule) -> str:
        """Why a rule is not held against its column; "" where it is."""
        still = rule.name in ("stuck", "clipped") and rule.column in self._discrete
        return "not judged: the column takes few values" if still else ""

    def judge(self, block: TypedBlock, codes: NDArray[np.int64]) -> Iterator[tuple[Rule, NDArray[np.bool_]]]:
        """(rule, (n,) True where a row breaks it) for every rule; blocks come in the order of the table."""
        values = block.values
        for rule, (k, (low, high)) in zip(self._rules["range"], self._range.items(), strict=True):
            yield rule, (values[:, k] < low) | (values[:, k] > high)
        if not self._timed or block.times is None:
            return
        rows = np.flatnonzero(block.has_time & (codes >= 0))
        rows = rows[np.argsort(codes[rows], kind="stable")]
        step, run = self._follow(values[rows], block.times[rows], codes[rows])
        n = len(block)
        yield self._gap, _scatter(n, rows, (step > self._limits.gap_factor * self._step) & (self._step > 0))
        yield self._order, _scatter(n, rows, step < 0)
        extreme = (values[rows] == self._summary.lowest) | (values[rows] == self._summary.highest)
        for k, rule in enumerate(self._rules["stuck"]):
            limit = self._limits.stuck_rows
            yield rule, _scatter(n, rows, (run[:, k] >= limit) & self._continuous[k])
        for k, rule in enumerate(self._rules["clipped"]):
            limit = self._limits.clipped_rows
            yield rule, _scatter(n, rows, (run[:, k] >= limit) & extreme[:, k] & self._continuous[k])

    def _follow(
        self, values: NDArray[np.float64], times: NDArray[np.int64], codes: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """(m,) microseconds since the row before, 0 for a first row; (m, d) rows so far with the same value."""
        m = len(codes)
        if not m:
            return np.zeros(0, np.int64), np.zeros(values.shape, np.int64)
        first = np.r_[True, codes[1:] != codes[:-1]]
        before = np.where(first, self._time[codes], np.r_[0, times[:-1]])
        step = np.where(before == np.iinfo(np.int64).min, 0, times - before)
        equal = np.empty(values.shape, bool)
        equal[1:] = values[1:] == values[:-1]
        equal[first] = values[first] == self._last[codes[first]]
        carried = np.zeros(values.shape, np.int64)
        carried[first] = np.where(equal[first], self._run[codes[first]], 0)
        at = np.arange(m)[:, None]
        start = np.maximum.accumulate(np.where(~equal | first[:, None], at, 0), axis=0)
        run = at - start + 1 + np.take_along_axis(carried, start, axis=0)
        last = np.flatnonzero(np.r_[codes[1:] != codes[:-1], True])
        self._last[codes[last]], self._run[codes[last]], self._time[codes[last]] = values[last], run[last], times[last]
        return step, run


def _rules(name: str, schema: Schema, limits: Limits) -> Iterator[Rule]:
    sentences = {
        "stuck": f"must change within {limits.stuck_rows} rows of a series",
        "clipped": f"must not stay at the table's extreme for {limits.clipped_rows} rows of a series",
    }
    if name == "range":
        for column, (low, high) in limits.ranges.items():
            yield Rule("range", (column,), "implausible", f"should lie between {low:g} and {high:g}")
    elif getattr(limits, f"{name}_rows"):
        for column in schema.features:
            yield Rule(name, (column,), "implausible", sentences[name])


def _is_discrete(sample: NDArray[np.float64]) -> bool:
    """True for counts, switches and coarse steps: few levels, however often each occurs."""
    finite = sample[np.isfinite(sample)]
    return len(np.unique(finite)) <= max(_FEW_LEVELS, _FEW_SHARE * len(finite))


def _scatter(n: int, rows: NDArray[np.int64], mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    found = np.zeros(n, bool)
    found[rows] = mask
    return found
