"""What a replica says of itself and of the bundle it serves."""

from typing import Any, Literal
from urllib.parse import quote

import msgspec

from serving.baselines import Stratum
from serving.holder import Holder
from serving.loading import Served
from serving.manifest import Budget, PastRows
from serving.messages import ModelName
from serving.predict import model_name


class HealthAnswer(msgspec.Struct):
    """The process answers; the model is null until one is loaded."""

    status: Literal["ok"]
    model: ModelName | None


class Column(msgspec.Struct):
    """A feature: unit, lowest and highest plausible value; empty and null where the bundle does not say."""

    name: str
    unit: str
    low: float | None
    high: float | None


class Threshold(msgspec.Struct):
    """An alert row is ``score >= threshold``, the same as ``p <= alpha``."""

    threshold: float
    alpha: float
    budget: Budget


class ModelAnswer(msgspec.Struct):
    """What is served: schema in the order of data, history that a score needs, budget, thresholds by stratum.

    strata: mature, young and unseen, null without baselines; regimes: the operating states that baselines know.
    max_rows, max_body_bytes: of one request; lineage: address of a page about where this version came from, or empty.
    desired, served: digests; since: when that one went into service (seconds since 1970); error: why not the other,
    with its kind (serving.failure.Kind) and the digest that it is about, all empty without an error.
    """

    model: ModelName
    family: str
    features: list[str]
    schema: list[Column]
    history: PastRows | None
    threshold: float
    alpha: float
    budget: Budget
    strata: dict[str, Threshold] | None
    regimes: list[str]
    simulated: bool
    max_rows: int
    max_body_bytes: int
    lineage: str
    desired: str
    served: str
    since: float | None
    error: str
    error_kind: str
    error_digest: str


class FleetAnswer(msgspec.Struct):
    """What every replica says it wants to serve and serves."""

    replicas: list[dict[str, Any]]


def state_of(holder: Holder) -> dict[str, Any]:
    """What one replica wants to serve and serves."""
    served, failure = holder.served, holder.failure
    return {
        "desired": holder.desired.digest,
        "served": served.bundle.digest if served else "",
        "since": served.since if served else None,
        "error": failure.text if failure else "",
        "error_kind": str(failure.kind) if failure else "",
        "error_digest": failure.digest if failure else "",
    }


def model_answer(holder: Holder, served: Served) -> ModelAnswer:
    """The answer of ``/model``."""
    manifest, baselines = served.bundle.manifest, served.bundle.scorer.baselines
    limits = holder.settings.limits
    strata = None
    if manifest.baselines:
        strata = {Stratum.MATURE.name.lower(): Threshold(manifest.threshold, manifest.alpha, manifest.budget)}
        for stratum, of in ((Stratum.YOUNG, manifest.baselines.young), (Stratum.UNSEEN, manifest.baselines.unseen)):
            strata[stratum.name.lower()] = Threshold(of.threshold, of.alpha, of.budget)
    return ModelAnswer(
        model=model_name(served),
        family=manifest.family,
        features=manifest.features,
        schema=[
            Column(name, manifest.units.get(name, ""), *manifest.ranges.get(name, (None, None)))
            for name in manifest.features
        ],
        history=manifest.history,
        threshold=manifest.threshold,
        alpha=manifest.alpha,
        budget=manifest.budget,
        strata=strata,
        regimes=[name for name in baselines.regimes if name] if baselines else [],
        simulated=manifest.simulated,
        max_rows=limits.rows,
        max_body_bytes=limits.body_bytes,
        lineage=_lineage(holder.settings.lineage, served),
        **state_of(holder),
    )


def _lineage(template: str, served: Served) -> str:
    """The configured address with this bundle in it; its values cannot leave their place in it."""
    about = {"model": served.ref.model, "version": served.ref.version, "digest": served.bundle.digest}
    for name, value in about.items():
        template = template.replace(f"{{{name}}}", quote(value, safe=""))
    return template
