"""The rules of the gate, each from evidence and limits to a verdict in a sentence."""

from collections.abc import Callable, Mapping

from evaluation.comparison import Outcome
from evaluation.gate.evidence import GateEvidence, GateRules

Verdict = tuple[Outcome, str]
_BURST = 3.0
"""Onsets that one disturbance brings: a bound from no onset at all is that many times as wide as a Poisson one."""


def _validation(evidence: GateEvidence, _: GateRules) -> Verdict:
    failures = evidence.validation_failures
    return (
        ("refuse", f"the table fails validation: {'; '.join(failures)}")
        if failures
        else ("pass", "the table passed validation")
    )


def _calibration(evidence: GateEvidence, rules: GateRules) -> Verdict:
    """Few exceedances are a doubt; in place of a champion's threshold that rests on enough, they are a loss."""
    found = evidence.budget.exceedances
    text = f"the threshold rests on {found} independent exceedances of the calibration window"
    if found >= rules.min_exceedances:
        return "pass", text
    text += f", fewer than {rules.min_exceedances}"
    before = evidence.champion_budget
    if before is None or before.exceedances < rules.min_exceedances:
        return "inconclusive", f"{text}: more calibration rows would tell"
    return "refuse", f"{text}, the champion's on {before.exceedances}: bring more calibration rows"


def _strata(evidence: GateEvidence, rules: GateRules) -> Verdict:
    """A threshold that judged test rows and rests on little is a doubt; one that no row met only has its range said."""
    if not evidence.strata:
        return "pass", "one threshold judges every row"
    said, few = [], []
    for stratum in evidence.strata:
        budget = stratum.budget
        said.append(
            f"{stratum.name} series: {budget.exceedances} independent exceedances, 90 % range of the rate "
            f"{budget.low:.3g} to {budget.high:.3g}, {stratum.rows:,} test rows"
        )
        if stratum.rows and budget.exceedances < rules.min_exceedances:
            few.append(stratum.name)
    text = "; ".join(said)
    if few:
        return "inconclusive", f"{text}: fewer than {rules.min_exceedances} exceedances for {' and '.join(few)} series"
    return "pass", text


def _alerts(evidence: GateEvidence, _: GateRules) -> Verdict:
    """Both rates have an interval; only where they lie apart is the threshold not what it was set to be."""
    found, budget = evidence.alerts, evidence.budget
    if found.value is None:
        return "inconclusive", f"{found.name}: {found.reason}"
    high = max(budget.high, budget.limit)
    unit = "onsets per series and day" if budget.kind == "onsets_per_series_day" else "of the rows"
    text = f"{found.value:.4g} {unit} on the test window, {budget.low:.4g} to {high:.4g} by the calibration window"
    if found.interval is None:
        if budget.low <= found.value <= high:
            return "pass", text
        return "inconclusive", f"{text}; {found.reason}"
    text = text.replace(" on the test", f" ({found.interval.low:.4g} to {found.interval.high:.4g}) on the test", 1)
    if found.interval.low > high:
        return "refuse", f"{text}: too many alerts, beyond the budget of {budget.limit:g}"
    if found.interval.high < budget.low:
        text += ": too few alerts, the threshold is higher than the budget set it"
        if not found.value and found.interval.high * _BURST >= budget.low:
            return "inconclusive", f"{text}, or the window was quiet"
        return "refuse", text
    return "pass", text


def _cost(evidence: GateEvidence, rules: GateRules) -> Verdict:
    text = f"{evidence.operations:,.0f} operations a row, {evidence.bundle_bytes:,} bytes"
    over = []
    if evidence.operations > rules.max_operations:
        over.append(f"more than {rules.max_operations:,.0f} operations a row")
    if evidence.bundle_bytes > rules.max_bundle_bytes:
        over.append(f"more than {rules.max_bundle_bytes:,} bytes")
    return ("refuse", f"{text}: {' and '.join(over)}") if over else ("pass", text)


def _schema(evidence: GateEvidence, rules: GateRules) -> Verdict:
    if evidence.champion is None:
        return "pass", "the first model sets the schema"
    changed: Outcome = "pass" if rules.allow_schema_change else "refuse"
    old, new = evidence.champion, evidence.challenger
    if old.features != new.features:
        added, gone = sorted({*new.features} - {*old.features}), sorted({*old.features} - {*new.features})
        detail = "; ".join(f"{what} {', '.join(names)}" for what, names in (("new", added), ("gone", gone)) if names)
        return changed, f"requests carry the champion's features in their order ({detail or 'another order'})"
    if old.past_rows != new.past_rows:
        return changed, f"requests carry {old.past_rows} past rows, the challenger needs {new.past_rows}"
    return "pass", f"the champion's {len(new.features)} features and {new.past_rows} past rows"


def _units(evidence: GateEvidence, rules: GateRules) -> Verdict:
    if evidence.champion is None:
        return "pass", "the first model sets the units"
    found = []
    for name in sorted(evidence.champion.levels.keys() & evidence.challenger.levels.keys()):
        (old, old_spread), (new, spread) = evidence.champion.levels[name], evidence.challenger.levels[name]
        ratio, shift = spread / old_spread, abs(new - old) / old_spread
        if not 1 / rules.max_unit_ratio <= ratio <= rules.max_unit_ratio or shift > rules.max_level_shift:
            found.append(f"{name!r} had centre {old:.4g} and spread {old_spread:.4g}, now {new:.4g} and {spread:.4g}")
    if found:
        return "refuse", f"another unit is suspected: {'; '.join(found)}"
    return "pass", "every feature has the level of the champion's reference window"


def _concentration(evidence: GateEvidence, rules: GateRules) -> Verdict:
    found = evidence.concentration
    if found is None:
        return "pass", "fewer than ten series, or no alert outside labelled anomalies"
    if found.events < rules.min_alerts_per_series * found.series:
        return "pass", f"{found.events:,} alerts of {found.series:,} series are too few to tell"
    text = f"{found.share:.0%} of {found.events:,} alerts come from the worst tenth of {found.series:,} series"
    if found.share > max(rules.max_worst_tenth, found.by_chance):
        return "refuse", f"{text}, more than {rules.max_worst_tenth:.0%} and than chance ({found.by_chance:.0%})"
    return "pass", text


def _leak(evidence: GateEvidence, rules: GateRules) -> Verdict:
    above = {name: auroc for name, auroc in evidence.separations.items() if auroc > rules.leak_auroc}
    suspects = [f"{name!r} ({auroc:.4f})" for name, auroc in above.items() if name not in rules.allowed_features]
    if suspects:
        names = ", ".join(suspects)
        how = "leave it out of data.features, or name it in gate.allowed_features where that is right"
        return "refuse", f"a leak is suspected: {names} alone tells the labels, AUROC above {rules.leak_auroc:g}; {how}"
    return "pass", "no feature alone tells the labels" + (f", but those allowed: {', '.join(above)}" if above else "")


def _comparison(evidence: GateEvidence, _: GateRules) -> Verdict:
    found = evidence.comparison
    aside = f" ({found.left_out:,} rows of training windows left out)" if found.left_out else ""
    return ("pass" if found.outcome == "first" else found.outcome), found.sentence + aside


RULES: Mapping[str, Callable[[GateEvidence, GateRules], Verdict]] = {
    "validation": _validation,
    "schema": _schema,
    "units": _units,
    "leak": _leak,
    "calibration": _calibration,
    "strata": _strata,
    "alerts": _alerts,
    "concentration": _concentration,
    "cost": _cost,
    "comparison": _comparison,
}
