"""Rules about a whole table, decided from counts and the summary; and the profile of each feature."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import DAY_US
from evaluation.validation.rules import Limits, OwnExpectation
from evaluation.validation.summary import Summary
from evaluation.validation.verdict import Finding, Profile, Rule
from features.schema import Schema
from features.typed import TypedBlock

_BINS = 24
_LARGEST = 1e300  # so that the span of a histogram stays finite


class Valid:
    """What the valid rows of a table hold, block by block: how many, (d,) extremes, first and last time."""

    def __init__(self, d: int) -> None:
        self.rows = 0
        self.lowest, self.highest = np.full(d, np.inf), np.full(d, -np.inf)
        self.first: int | None = None
        self.last: int | None = None

    def add(self, block: TypedBlock, valid: NDArray[np.bool_]) -> None:
        """Count the valid rows of one block."""
        values = block.values[valid]
        self.rows += len(values)
        self.lowest = np.minimum(self.lowest, values.min(axis=0, initial=np.inf))
        self.highest = np.maximum(self.highest, values.max(axis=0, initial=-np.inf))
        if block.times is not None and len(values):
            times = block.times[valid]
            self.first = min(int(times.min()), self.first if self.first is not None else int(times.min()))
            self.last = max(int(times.max()), self.last if self.last is not None else int(times.max()))


def table_findings(
    found: list[Finding],
    own: Mapping[Rule, OwnExpectation],
    rows: int,
    valid: Valid,
    schema: Schema,
    limits: Limits,
) -> Iterator[Finding]:
    """The findings on rows, marked where they fail the table, and those on the table itself.

    own: the owner's rules among them.
    """
    quarantined = rows - valid.rows
    share = quarantined / rows if rows else 0.0
    too_many = share > limits.max_quarantined_share
    for finding in found:
        rule = finding.rule
        failed = rule.grade == "invalid" and too_many and finding.failing > 0
        if rule.grade == "table":
            allowed = own[rule].allowed if rule in own else 0.0
            failed = finding.share > allowed + 1e-12  # 1 - mostly is not exact
        yield replace(finding, failed=failed)
    yield _about(
        "quarantined_share",
        f"at most {limits.max_quarantined_share:.1%} of the rows may be invalid (validation.max_quarantined_share)",
        f"{share:.1%} are",
        too_many,
    )
    yield _about(
        "rows",
        f"must hold at least {limits.min_rows:,} valid rows (validation.min_rows)",
        f"{valid.rows:,} found",
        valid.rows < limits.min_rows,
    )
    for k, name in enumerate(schema.features):
        if valid.lowest[k] == valid.highest[k]:
            text = "must not be constant (leave it out of data.features, or validation.constant_features: allow)"
            rule = Rule("constant", (name,), "table", text)
            yield Finding(rule, 0, 0, (), f"always {valid.lowest[k]:g}", not limits.allow_constant)
    if valid.first is None or valid.last is None:
        return
    days = (valid.last - valid.first) / DAY_US
    if limits.min_days:
        text = f"must span at least {limits.min_days:g} days (validation.min_days)"
        yield _about("days", text, f"{days:.2f} found", days < limits.min_days)
    if limits.max_age_us:
        age = limits.now_us - valid.last
        text = f"the latest row must be at most {limits.max_age_us / DAY_US:g} days old (validation.max_age)"
        yield _about("freshness", text, f"it is {age / DAY_US:.2f} days old", age > limits.max_age_us)


def profiles(summary: Summary, schema: Schema) -> Iterator[Profile]:
    """One a feature; histograms span the middle 99 % of the sample, with the rest in the outermost bins."""
    for k, name in enumerate(schema.features if len(summary) else ()):
        values = summary.sample[:, k]
        values = values[np.isfinite(values)]
        edges, counts = np.empty(0), np.empty(0)
        if len(values):
            low, high = np.clip(np.quantile(values, [0.005, 0.995]), -_LARGEST, _LARGEST)
            if high - low < 1e-9 * max(abs(low), 1):
                low, high = low - 0.5 * max(abs(low), 1), high + 0.5 * max(abs(high), 1)
            counts, edges = np.histogram(np.clip(values, low, high), bins=_BINS, range=(low, high))
        known = np.isfinite(summary.lowest[k])
        yield Profile(
            column=name,
            missing=int(summary.missing[k]),
            lowest=float(summary.lowest[k]) if known else None,
            highest=float(summary.highest[k]) if known else None,
            edges=tuple(edges.tolist()),
            counts=tuple(int(count) for count in counts),
        )


def _about(name: str, sentence: str, observed: str, failed: bool) -> Finding:
    return Finding(Rule(name, (), "table", sentence), 0, 0, (), observed, failed)
