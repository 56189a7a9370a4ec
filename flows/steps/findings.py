"""What a training run learned, as figures for machines and as a last screen for people."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.drift.report import Drift
from evaluation.episodes import Episodes
from evaluation.measures import Measures
from features.history import Scorable
from features.split import Window
from flows.steps.choosing import Choice
from flows.steps.table import CheckedTable
from serving.bundle import Budget, Manifest

_ENOUGH = 10
"""Independent exceedances below which a realised rate says little."""


@dataclass(frozen=True)
class LeftOut:
    """Valid rows that are neither fitted on nor scored: without complete history, and of machines at rest."""

    without_history: int
    at_rest: int


@dataclass(frozen=True)
class Findings:
    """Everything the outputs of a run state; each figure is computed once."""

    table: CheckedTable
    windows: Mapping[Window, Scorable]
    choice: Choice
    manifest: Manifest
    left_out: LeftOut
    measures: Measures
    drivers: Mapping[str, float]
    drift: Drift


def figures(found: Findings) -> dict[str, Any]:
    """For ``--summary`` and ``figures.json``."""
    manifest = found.manifest
    return {
        "simulated": found.table.simulated,
        "rows": len(found.table.rows),
        "quarantined": found.table.validation.quarantined,
        "windows": {window.name.lower(): len(rows) for window, rows in found.windows.items()},
        **asdict(found.left_out),
        "family": manifest.family,
        "parameters": manifest.parameters,
        "chosen": found.choice.reason,
        "trials": [asdict(trial) for trial in found.choice.trials],
        "search": {
            "ranked_by": found.choice.ranked_by or None,
            "planned": found.choice.planned,
            "repeats": len(found.choice.trials) == found.choice.planned,
        },
        "threshold": manifest.threshold,
        "alpha": manifest.alpha,
        "per_series": manifest.baselines is not None,
        "budget": {name: getattr(manifest.budget, name) for name in manifest.budget.__struct_fields__},
        "anomalous_without_key": found.table.unplaced,
        "implausible": found.table.validation.implausible,
        "test": asdict(found.measures),
        "drivers": dict(found.drivers),
        "drift": asdict(found.drift) | {"drifted": found.drift.drifted},
    }


def logged(found: Findings) -> dict[str, float | None]:
    """Measures of the test window for the registry, by name."""
    values = asdict(found.measures)
    episodes = values.pop("episodes") or {}
    recall = found.measures.episodes.recall if found.measures.episodes else None
    return values | {f"episodes_{name}": count for name, count in episodes.items()} | {"episode_recall": recall}


def screen(found: Findings) -> list[tuple[str, str]]:
    """The last screen: (heading, text) by line."""
    rows, measures, drift = found.table.rows, found.measures, found.drift
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
        ("Alerts", _alerts(measures)),
    ]  # fmt: skip
    if measures.auroc is not None:
        share = f"{measures.anomalous_share:.1%} of the judged rows are anomalous"
        quality = f"AUROC {measures.auroc:.3f}, average precision {measures.average_precision:.3f} on the test window"
        lines.append(("Quality", f"{quality} ({share})"))
    if measures.episodes and measures.episodes.labelled:
        lines.append(("Episodes", _episodes(measures.episodes, found.table.unplaced)))
    if found.drivers:
        top = list(found.drivers.items())[:3]
        lines.append(("Driven by", ", ".join(f"{name} {share:.0%}" for name, share in top)))
    drifted = ", ".join(drift.drifted[:3]) + (" …" if len(drift.drifted) > 3 else "")
    lines.append(
        ("Drift", f"{len(drift.drifted)} of {len(drift.distances)} features" + (f": {drifted}" if drifted else ""))
    )
    return lines


def _episodes(episodes: Episodes, unplaced: int) -> str:
    text = f"{episodes.detected} of {episodes.labelled} labelled ones of the test window hold an alert"
    if episodes.quarantined or episodes.reported:
        text += f"; missed: {episodes.quarantined} in quarantine, {episodes.reported} reported by sensor health"
    if unplaced:
        text += f"; {unplaced:,} anomalous rows in quarantine lack series or time and are in no episode"
    return text


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
    rare = "" if budget.exceedances >= _ENOUGH else f": only {budget.exceedances} independent exceedances"
    if budget.kind == "row_rate":
        promised = f"budget {budget.limit:.1%} of the rows ({budget.reason}), {budget.realised:.2%} on the calibration"
        return f"{promised} window, 90 % range {budget.low:.2%} to {budget.high:.2%}{rare}"
    promised = f"budget {budget.limit:g} onsets per series and day, {budget.realised:.3f} on the calibration window"
    return f"{promised}, 90 % range {budget.low:.3f} to {budget.high:.3f}{rare}"


def _alerts(measures: Measures) -> str:
    rate = f"{measures.alert_rate:.2%} of the test rows"
    if measures.onsets_per_day is None:
        return rate
    per_series = f"{measures.onsets_per_series_day:.2f} a series"
    return f"{measures.onsets_per_day:.1f} a day on the test window ({per_series}), {rate}"
