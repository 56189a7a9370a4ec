"""Keeping what a run made: files of the run, the published bundle, the registry's record, and the alias last."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

from evaluation.drift.page import EVIDENTLY
from evaluation.pages.card.files import CARD_JSON
from evaluation.pages.card.render import CARD_PAGE
from features.storage import write_text
from flows.adapters.registry import ModelVersion, Registry
from flows.environments import Environment
from flows.runs import CONFIG
from flows.steps.enlisting import enlist, lineage_json, tags
from flows.steps.findings import Findings, figures, logged
from flows.steps.lineage import LINEAGE

FIGURES, GATE = "figures.json", "gate.json"
_PAGES = (CARD_PAGE, CARD_JSON, "validation.html", "drift.html", EVIDENTLY, "drift.json")


def record(
    registry: Registry, model: str, files: Mapping[str, bytes], found: Findings, folder: Path, environment: Environment
) -> ModelVersion:
    """Register the bundle; it becomes the challenger only where the gate says so, and only when all else is there.

    Safe to run again: the bundle is published once, and a digest has one version.
    """
    lineage, decision = found.lineage, found.decision
    write_text(folder / FIGURES, json.dumps(figures(found), indent=2))
    write_text(folder / LINEAGE, lineage_json(lineage))
    write_text(folder / GATE, json.dumps(_gate(found), indent=2) + "\n")
    registry.log_trials(lineage.run_id, found.choice.trials)
    kept = [folder / name for name in (CONFIG, FIGURES, LINEAGE, GATE, *_PAGES)]
    registry.log(lineage.run_id, logged(found), kept, tags(lineage, decision, found.champion))
    registry.log_data(lineage.run_id, lineage.data, lineage.fingerprint, len(found.table.rows))
    return enlist(registry, model, files, lineage, decision, found.champion, environment)


def _gate(found: Findings) -> dict[str, object]:
    """The decision, what it rests on, and the limits it was held to."""
    rules = asdict(found.rules) | {"allowed_features": sorted(found.rules.allowed_features)}
    against = found.champion
    return {
        **asdict(found.decision),
        "comparison": asdict(found.comparison),
        "champion": None if against is None else {"version": against.version, "digest": against.digest},
        "rules": rules,
    }
