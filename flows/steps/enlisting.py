"""A bundle enters the registry: published once, tagged with where it comes from and with the gate's verdict."""

from collections.abc import Mapping

import msgspec

from evaluation.gate.evidence import Decision
from flows.adapters.registry import ModelVersion, Registry
from flows.bundles import publish_bundle
from flows.environments import Environment
from flows.promotion.admission import CHALLENGER, GATE, GATE_REASONS
from flows.steps.gating import reasons
from flows.steps.lineage import Lineage, stated


def enlist(
    registry: Registry,
    model: str,
    files: Mapping[str, bytes],
    lineage: Lineage,
    decision: Decision,
    against: ModelVersion | None,
    environment: Environment,
) -> ModelVersion:
    """Publish and register; the alias moves last, and only where the gate registered the bundle.

    against: the champion that it was compared with. Safe to run again: a digest is published once and has one version,
    whose verdict is the latest.
    """
    version = registry.register(model, publish_bundle(files, environment), lineage.digest, lineage.run_id)
    registry.tag_version(model, version.version, tags(lineage, decision, against))
    if decision.registered:
        registry.set_alias(model, CHALLENGER, version.version)
    return version


def tags(lineage: Lineage, decision: Decision, against: ModelVersion | None) -> dict[str, str]:
    """Lineage and verdict as a version and its run carry them."""
    compared = "none" if against is None else f"version {against.version} sha256:{against.digest}"
    return stated(lineage) | {
        GATE: decision.outcome,
        GATE_REASONS: reasons(decision),
        "gate_registered": str(decision.registered).lower(),
        "compared_with": compared,
    }


def lineage_json(lineage: Lineage) -> str:
    """The text of ``lineage.json``."""
    return msgspec.json.format(msgspec.json.encode(lineage), indent=2).decode() + "\n"
