"""`vigia drift`: new rows against the reference rows of a bundle: a page, figures, and a verdict with an exit code."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from evaluation.drift.assess import MIN_ROWS, Assessment, assess
from evaluation.drift.page import EVIDENTLY, About, moved_most, render_drift
from evaluation.drift.report import Drift, report_drift
from evaluation.drift.verdict import DriftLimits
from features.errors import InputError, NotEnoughDataError
from features.rows import Rows
from features.storage import write_text
from flows.config.train import TrainConfig
from flows.exit_codes import ExitCode
from flows.outcome import Outcome, Progress
from flows.steps.bundles import FoundBundle, missing_roles
from flows.steps.sampling import Sampled, Span, sample_table, utc
from flows.steps.table import open_for_bundle
from flows.workspace import Workspace
from serving.bundle import REFERENCE, Bundle
from serving.reference import read_reference, sample

_CODES = {"ok": ExitCode.DONE, "watch": ExitCode.WATCH, "retrain": ExitCode.RETRAIN}
_SHOWN = 5
_REPORTED = 25  # features in Evidently's report, whose time grows with their square: two hundred take over a minute


@dataclass(frozen=True)
class DriftReport:
    """What our own measures and Evidently say of the same rows."""

    assessment: Assessment
    evidently: Drift


def drift(config: TrainConfig, found: FoundBundle, span: Span, workspace: Workspace, progress: Progress) -> Outcome:
    """Compare the rows of ``data.uri`` in a span of time with the bundle's reference; write drift.html, drift.json.

    Raises InputError for a table that lacks a feature, NotEnoughDataError where too few rows can be compared.
    """
    data = config.data.model_copy(update={"features": list(found.bundle.manifest.features)})
    if missing := missing_roles(found.bundle, data):
        rule = "must be set, as the bundle's baselines are by it: without, every row looks like one of an unseen series"
        raise InputError(missing[0], rule, None)
    folder, opened = workspace.new_run("drift"), open_for_bundle(data, workspace.cache)
    with progress.stage("Reading") as stage:
        sampled = sample_table(opened, span, config.drift.max_rows, config.seed)
        stage.result(f"{len(sampled.rows):,} of {sampled.eligible:,} rows")
    if len(sampled.rows) < MIN_ROWS:
        rule = f"needs at least {MIN_ROWS} rows to compare{sampled.span} (left out there: {_left_out(sampled)})"
        raise NotEnoughDataError("drift current window", rule, len(sampled.rows))
    about = About(
        model=f"{found.named}, bundle sha256:{found.bundle.digest[:12]}",
        reference="sample of the normal rows of the reference window, from the bundle",
        current=data.uri,
        chosen=_chosen(sampled, config),
        simulated=opened.source.simulated,
    )
    with progress.stage("Comparing") as stage:
        report = report_rows(found.bundle, found.files, sampled.rows, about, config, folder)
        stage.result(report.assessment.verdict.outcome)
    paths = {"drift": folder / "drift.html", "evidently": folder / EVIDENTLY, "figures": folder / "drift.json"}
    outcome = report.assessment.verdict.outcome
    return Outcome(
        lines=_lines(about, report, sampled),
        next_command=_next(data.uri, found) if outcome == "retrain" else "",
        digest=found.bundle.digest,
        version="" if found.version is None else found.version.version,
        figures=figures(report) | {"rows": _counts(sampled)},
        paths={name: str(path) for name, path in paths.items()},
        exit_code=_CODES[outcome],
    )


def report_rows(
    bundle: Bundle, files: Mapping[str, bytes], current: Rows, about: About, config: TrainConfig, folder: Path
) -> DriftReport:
    """Compare rows with the reference of a bundle, whose files are given; write both pages and drift.json.

    Raises InputError for a bundle without reference rows.
    """
    if REFERENCE not in files:
        raise InputError("--bundle", f"must hold {REFERENCE}; train it again, older ones have none", bundle.digest[:12])
    reference = read_reference(files[REFERENCE], tuple(bundle.manifest.features))
    current = current.take(sample(len(current), config.drift.max_rows, config.seed))
    assessment = assess(reference, current, bundle.scorer.baselines, limits(config), config.seed)
    title = f"{about.current} against {about.model}" + " (SIMULATED)" * about.simulated
    most = moved_most(assessment, _REPORTED)
    columns = [reference.features.index(name) for name in most]
    if len(most) < len(reference.features):
        title += f": the {len(most)} of {len(reference.features)} features that moved most"
    evidently = report_drift(
        reference.values[:, columns], current.values[:, columns], most, page=folder / EVIDENTLY, title=title
    )
    report = DriftReport(assessment, evidently)
    write_text(folder / "drift.html", render_drift(about, assessment, evidently))
    written = {"about": asdict(about), **figures(report)}
    write_text(folder / "drift.json", json.dumps(written, indent=2) + "\n")
    return report


def figures(report: DriftReport) -> dict[str, Any]:
    """For drift.json, ``--summary`` and figures.json."""
    found = report.assessment
    units = {"reference": found.reference_units, "current": found.current_units}
    return {
        "verdict": found.verdict.outcome,
        "reasons": list(found.verdict.reasons),
        "reference_rows": found.reference_rows,
        "current_rows": found.current_rows,
        "independent": {name: {"by": side.by, "count": side.count} for name, side in units.items()},
        "seen_as": found.seen_as,
        "effects": [asdict(effect) | {"verdict": found.verdict.features[effect.feature]} for effect in found.effects],
        "series": {
            "judged": found.series.judged,
            "share_moved": found.series.share,
            "moved": [{"series": name, "feature": feature, "shift": by} for name, feature, by in found.series.moved],
        },
        "limits": asdict(found.limits),
        "evidently": asdict(report.evidently) | {"drifted": report.evidently.drifted},
    }


def limits(config: TrainConfig) -> DriftLimits:
    """The limits of a configuration."""
    return DriftLimits(**config.drift.model_dump(exclude={"max_rows"}))


def in_words(found: Assessment) -> str:
    """The verdict on one line."""
    outcomes = found.verdict.features.values()
    drifted = sum(outcome != "ok" for outcome in outcomes)
    text = f"{found.verdict.outcome}: {drifted} of {len(outcomes)} features beyond a limit"
    if found.series.judged:
        text += f", {len(found.series.moved)} of {found.series.judged} series moved"
    return text


def _next(uri: str, found: FoundBundle) -> str:
    """Train on these rows, under the name of the model that was compared."""
    named = "" if found.version is None else f" --set model={found.version.name}"
    return f"train {shlex.quote(uri)}{named}"


def _lines(about: About, report: DriftReport, sampled: Sampled) -> tuple[tuple[str, str], ...]:
    found = report.assessment
    origin = "SIMULATED fleet, no machine produced these rows: " if about.simulated else ""
    ranked = sorted(
        found.effects, key=lambda effect: (found.verdict.features[effect.feature] == "ok", -abs(effect.shift.value))
    )
    table = [
        (
            effect.feature,
            f"shift {effect.shift.value:+.2f} ({effect.shift.low:+.2f} to {effect.shift.high:+.2f}), "
            f"spread {effect.spread.value:.2f} ({effect.spread.low:.2f} to {effect.spread.high:.2f}), "
            f"n_eff {effect.shift.current_n_eff:,.0f}: {found.verdict.features[effect.feature]}",
        )
        for effect in ranked[:_SHOWN]
    ]
    width = max(len(name) for name, _ in table)
    return (
        ("Current", f"{origin}{about.current}: {found.current_rows:,} of {sampled.eligible:,} rows"),
        ("Reference", f"{found.reference_rows:,} rows of {about.model}"),
        *(("Features" if not number else "", f"{name:<{width}}  {text}") for number, (name, text) in enumerate(table)),
        ("Verdict", in_words(found)),
        *(("", reason) for reason in found.verdict.reasons[:_SHOWN]),
    )


def _left_out(sampled: Sampled) -> str:
    left = {
        "incomplete": sampled.incomplete,
        "labelled anomalous": sampled.anomalous,
        "of machines at rest": sampled.at_rest,
    }
    return ", ".join(f"{count:,} {name}" for name, count in left.items() if count) or "none"


def _chosen(sampled: Sampled, config: TrainConfig) -> tuple[tuple[str, str], ...]:
    taken = f"{len(sampled.rows):,} of {sampled.eligible:,} rows"
    if len(sampled.rows) < sampled.eligible:
        taken += f", sampled with seed {config.seed}"
    times = sampled.rows.times
    span = () if times is None or not len(times) else (("Span", f"{utc(times.min())} to {utc(times.max())}"),)
    return (*span, ("Rows", taken), ("Left out", _left_out(sampled)))


def _counts(sampled: Sampled) -> dict[str, int]:
    return {name: getattr(sampled, name) for name in ("inside", "eligible", "incomplete", "anomalous", "at_rest")}
