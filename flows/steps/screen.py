"""The last screen of a training run, line by line."""

import numpy as np

from evaluation.evidence import Evidence, Figure
from flows.steps.drift import in_words
from flows.steps.findings import Findings
from flows.steps.gating import verdict
from serving.manifest import Budget

_ENOUGH = 10
"""Independent exceedances below which a realised rate says little."""
_FAR = 0.5
"""Recall of injected faults below which a detector is said not to see far."""


def screen(found: Findings) -> list[tuple[str, str]]:
    """The last screen: (heading, text) by line."""
    rows, judged = found.table.rows, found.judged
    origin = "SIMULATED fleet, no machine produced these rows: " if found.table.simulated else ""
    lines = [
        ("Data", f"{origin}{len(rows):,} rows, {len(rows.series_names):,} series, {len(rows.features)} features; "
                 f"{found.table.validation.quarantined:,} rows quarantined, "
                 f"{found.table.validation.implausible:,} flagged as implausible"),
        *_at_rest(found),
        *_history(found),
        ("Detector", f"{found.manifest.family.replace('_', ' ')}: {found.choice.reason}"),
        *_baselines(found),
        ("Threshold", f"{found.manifest.threshold:.4g}; {_budget(found.manifest.budget)}"),
        ("Alerts", _alerts(found)),
        *_concentrated(found),
        *_quality(judged.evidence),
        *_episodes(found),
        *_injected(found),
        *_stability(found),
    ]  # fmt: skip
    if judged.drivers:
        top = list(judged.drivers.items())[:3]
        lines.append(("Driven by", ", ".join(f"{name} {share:.0%}" for name, share in top)))
    lines.append(("Drift", in_words(found.drift.assessment)))
    return [*lines, *_compared(found), ("Gate", verdict(found.decision))]


def _quality(evidence: Evidence) -> list[tuple[str, str]]:
    """Rankings where labels allow them."""
    auroc, precision = evidence["auroc"], evidence["average_precision"]
    if auroc.value is None or precision.value is None:
        return []
    share = f"{evidence.anomalous_share:.1%} of the judged rows are anomalous"
    figures = f"AUROC {_with_interval(auroc, '.3f')}, average precision {_with_interval(precision, '.3f')}"
    return [("Quality", f"{figures} on the test window ({share})")]


def _with_interval(figure: Figure, form: str) -> str:
    """The value, and its interval where there is one."""
    text = format(figure.value, form)
    if figure.interval is None:
        return text
    return f"{text} ({format(figure.interval.low, form)} to {format(figure.interval.high, form)})"


def _episodes(found: Findings) -> list[tuple[str, str]]:
    episodes, recall = found.judged.evidence.episodes, found.judged.evidence["episode_recall"]
    if episodes is None or not episodes.labelled:
        return []
    text = f"{episodes.detected} of {episodes.labelled} labelled ones of the test window hold an alert"
    if recall.interval is not None:
        text += f", {recall.value:.0%} ({recall.interval.low:.0%} to {recall.interval.high:.0%})"
    if episodes.quarantined or episodes.reported:
        text += f"; missed: {episodes.quarantined} in quarantine, {episodes.reported} reported by sensor health"
    if found.table.unplaced:
        text += f"; {found.table.unplaced:,} anomalous rows in quarantine lack series or time and are in no episode"
    return [("Episodes", text)]


def _injected(found: Findings) -> list[tuple[str, str]]:
    """Where no label judges, how far the detector sees."""
    if found.injected is None or found.judged.evidence["auroc"].value is not None:
        return []
    each, recall = found.injected.each, _with_interval(found.injected.recall, ".0%")
    kinds = ", ".join(f"{kind} {np.mean([one.value for one in by.values()]):.0%}" for kind, by in each.items())
    sizes = ", ".join(f"{size:g}" for size in found.injected.sizes)
    text = f"{recall} of made-up faults put into test rows are found ({kinds})"
    lines = [("Injected", f"{text}, sizes {sizes} robust standard deviations")]
    if (found.injected.recall.value or 0.0) < _FAR and "forest" in found.manifest.family:
        lines.append(("", "an autoencoder often sees what a forest does not: --set search.families=[autoencoder]"))
    return lines


def _stability(found: Findings) -> list[tuple[str, str]]:
    stability = found.judged.stability
    if stability is None:
        return []
    text = f"{stability.seeds} seeds agree: rank correlation {stability.spearman:.2f}"
    return [("Stability", f"{text}, {stability.overlap:.0%} of the top 1 % in common")]


def _concentrated(found: Findings) -> list[tuple[str, str]]:
    """A warning when the worst tenth of the series holds most alerts."""
    worst = found.judged.concentration
    if worst is None or worst.share <= max(0.5, worst.by_chance):
        return []
    what = "alerts outside labelled anomalies" if found.judged.scored.rows.rows.labels is not None else "alerts"
    return [("Warning", f"Concentrated: {worst.share:.0%} of the {what} come from the worst tenth of the series")]


def _compared(found: Findings) -> list[tuple[str, str]]:
    if found.champion is None:
        return []
    return [("Champion", f"version {found.champion.version}: {found.comparison.sentence}")]


def _baselines(found: Findings) -> list[tuple[str, str]]:
    strata = found.manifest.baselines
    if strata is None:
        return []
    others = f"thresholds of young series {strata.young.threshold:.4g}, of unseen ones {strata.unseen.threshold:.4g}"
    return [("Baselines", f"rows are seen as deviations from their series; {others}")]


def _at_rest(found: Findings) -> list[tuple[str, str]]:
    count = found.left_out.at_rest
    return [("At rest", f"{count:,} rows of machines at rest are neither fitted on nor scored")] if count else []


def _history(found: Findings) -> list[tuple[str, str]]:
    history = found.manifest.history
    if history is None:
        return []
    reducers = ", ".join(history.reducers)
    left_out = f"{found.left_out.without_history:,} rows without a complete one left out"
    return [("History", f"{history.rows} rows ({reducers}), steps up to {history.max_gap_s:g} s; {left_out}")]


def _budget(budget: Budget) -> str:
    counted = f"{budget.exceedances} independent exceedance" + "s" * (budget.exceedances != 1)
    rare = "" if budget.exceedances >= _ENOUGH else f": only {counted}"
    if budget.kind == "row_rate":
        promised = f"budget {budget.limit:.1%} of the rows ({budget.reason}), {budget.realised:.2%} on the calibration"
        return f"{promised} window, 90 % range {budget.low:.2%} to {budget.high:.2%}{rare}"
    promised = f"budget {budget.limit:g} onsets per series and day, {budget.realised:.3f} on the calibration window"
    return f"{promised}, 90 % range {budget.low:.3f} to {budget.high:.3f}{rare}"


def _alerts(found: Findings) -> str:
    evidence = found.judged.evidence
    rate, onsets = f"{evidence['alert_rate'].value:.2%} of the test rows", evidence["onsets"]
    if onsets.value is None:
        return rate
    series = len(np.unique(found.judged.scored.rows.rows.series))
    return f"{onsets.value * series:.1f} a day on the test window, {_with_interval(onsets, '.2f')} a series; {rate}"
