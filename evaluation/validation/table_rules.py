"""Rules about a whole table, decided from counts and the summary; and the profile of each feature."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from evaluation.calibration import DAY_US
from evaluation.validation.rules import Limits
from evaluation.validation.summary import Summary
from evaluation.validation.verdict import Finding, Profile, Rule
from features.schema import Schema

_BINS = 24
_LARGEST = 1e300  # so that the span of a histogram stays finite


def table_findings(
    found: list[Finding],
    rows: int,
    quarantined: int,
    summary: Summary,
    schema: Schema,
    limits: Limits,
    times: NDArray[np.int64],
) -> Iterator[Finding]:
    """The findings on rows, marked where they fail the table, and those on the table itself.

    times: (m,) known times of the table, microseconds.
    """
    share = quarantined / rows if rows else 0.0
    too_many = share > limits.max_quarantined_share
    allowed = {own.type + own.column: 1 - float(own.kwargs.get("mostly", 1)) for own in limits.own}
    for finding in found:
        rule = finding.rule
        failed = rule.grade == "invalid" and too_many and finding.failing > 0
        if rule.grade == "table":
            failed = finding.share > allowed.get(rule.name + rule.column, 0.0) + 1e-12  # 1 - mostly is not exact
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
        f"{rows - quarantined:,} found",
        rows - quarantined < limits.min_rows,
    )
    for k, name in enumerate(schema.features):
        if rows and summary.lowest[k] == summary.highest[k]:
            text = "must not be constant (leave it out of data.features, or validation.constant_features: allow)"
            rule = Rule("constant", name, "table", text)
            yield Finding(rule, 0, 0, (), f"always {summary.lowest[k]:g}", not limits.allow_constant)
    if not len(times):
        return
    days = float(times.max() - times.min()) / DAY_US
    if limits.min_days:
        text = f"must span at least {limits.min_days:g} days (validation.min_days)"
        yield _about("days", text, f"{days:.2f} found", days < limits.min_days)
    if limits.max_age_us:
        age = limits.now_us - int(times.max())
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
    return Finding(Rule(name, "", "table", sentence), 0, 0, (), observed, failed)
