"""What a training run learned: one value that every page, screen and record is made from, and its figures as JSON."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from evaluation.comparison import Comparison
from evaluation.evidence import Evidence
from evaluation.gate.evidence import Decision, GateRules
from evaluation.injected_figures import InjectedFigures
from features.history import Scorable
from features.split import Window
from flows.adapters.registry import ModelVersion
from flows.steps.choosing import Choice
from flows.steps.drift import DriftReport
from flows.steps.drift import figures as drift_figures
from flows.steps.judging import Judgement
from flows.steps.lineage import Lineage, stated
from flows.steps.table import CheckedTable
from flows.steps.windows import LeftOut
from serving.manifest import Manifest


@dataclass(frozen=True)
class Findings:
    """Everything the outputs of a run state; each figure is computed once.

    model: the name it registers under; judged: the bundle on the test window; comparison: with the champion;
    injected: faults put into test rows, None where no run of rows could take one; champion: None for the first
    model; rules: the limits behind the decision.
    """

    model: str
    table: CheckedTable
    windows: Mapping[Window, Scorable]
    choice: Choice
    manifest: Manifest
    left_out: LeftOut
    judged: Judgement
    comparison: Comparison
    injected: InjectedFigures | None
    champion: ModelVersion | None
    rules: GateRules
    decision: Decision
    lineage: Lineage
    drift: DriftReport


def figures(found: Findings) -> dict[str, Any]:
    """For ``--summary`` and ``figures.json``."""
    manifest = found.manifest
    return {
        "model": found.model,
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
        "test": _test(found.judged.evidence),
        "alerts": asdict(found.judged.alerts),
        "stability": None if found.judged.stability is None else asdict(found.judged.stability),
        "injected_faults": None if found.injected is None else _injected(found.injected),
        "concentration": None if found.judged.concentration is None else asdict(found.judged.concentration),
        "separations": dict(found.judged.separations),
        "comparison": asdict(found.comparison),
        "gate": asdict(found.decision),
        "lineage": stated(found.lineage),
        "drivers": dict(found.judged.drivers),
        "drift": drift_figures(found.drift),
    }


def _test(evidence: Evidence) -> dict[str, Any]:
    named = {figure.name: asdict(figure) for figure in evidence.figures}
    return asdict(evidence) | {"figures": named}


def _injected(faults: InjectedFigures) -> dict[str, Any]:
    return {
        "recall": faults.recall.value,
        "by_kind": {kind: {size: one.value for size, one in sizes.items()} for kind, sizes in faults.each.items()},
        "faults_of_each": faults.of_each,
        "alerts_without_a_fault": faults.untouched,
        "figures": [asdict(one) for one in (faults.recall, *(f for s in faults.each.values() for f in s.values()))],
    }


def logged(found: Findings) -> dict[str, float | None]:
    """Figures of the test window for the registry, by name; the bounds of an interval as ``…_low`` and ``…_high``."""
    values: dict[str, float | None] = {"test_rows": found.judged.evidence.rows}
    overall = () if found.injected is None else (found.injected.recall,)
    for figure in (*found.judged.evidence.figures, *overall):
        values[figure.name] = figure.value
        if figure.interval is not None:
            values |= {f"{figure.name}_low": figure.interval.low, f"{figure.name}_high": figure.interval.high}
    if found.judged.stability is not None:
        values |= {
            "stability_spearman": found.judged.stability.spearman,
            "stability_overlap": found.judged.stability.overlap,
        }
    return values
