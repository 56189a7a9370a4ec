"""What the gate looks at, the limits it holds it to, and what it says of it: values alone."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from evaluation.comparison import Comparison, Outcome
from evaluation.concentration import Concentration
from evaluation.evidence import Figure
from serving.bundle import Bundle
from serving.manifest import Budget

_STILL = 1e-8  # of the centre; a spread below says nothing of the unit


@dataclass(frozen=True)
class GateRules:
    """Limits. max_operations: multiply-adds and comparisons to score a row; max_unit_ratio: between the spreads of a
    feature in the champion's reference window and the challenger's; max_level_shift: between their centres, in the
    champion's spreads; max_worst_tenth: share of the alerts in the worst tenth of the series, judged from
    min_alerts_per_series on; allowed_features: those
    known to tell the labels; allow_schema_change: those who ask are changed along with the model."""

    margin: float = 0.05
    on_inconclusive: Literal["register", "refuse"] = "register"
    max_operations: float = 1e6
    max_bundle_bytes: int = 500_000_000
    min_exceedances: int = 5
    max_worst_tenth: float = 0.8
    min_alerts_per_series: float = 0.5
    leak_auroc: float = 0.995
    allowed_features: frozenset[str] = frozenset()
    max_unit_ratio: float = 5.0
    max_level_shift: float = 20.0
    allow_schema_change: bool = False


@dataclass(frozen=True)
class Contract:
    """What a bundle expects of those who ask it: features in order, past rows; centre and spread of each feature in its
    reference window, by name, in the units of the table."""

    features: tuple[str, ...]
    past_rows: int = 0
    levels: Mapping[str, tuple[float, float]] = field(default_factory=dict)


@dataclass(frozen=True)
class StratumBudget:
    """What the threshold of young or unseen series rests on, and how many test rows it judged."""

    name: str
    budget: Budget
    rows: int


@dataclass(frozen=True)
class GateEvidence:
    """All that the rules look at.

    champion, champion_budget: None for the first model; alerts: the onsets, or the alert rate where the budget is one
    of rows, of test rows not known to be anomalous; strata: thresholds beside the one of ``budget``.
    """

    validation_failures: tuple[str, ...]
    comparison: Comparison
    alerts: Figure
    budget: Budget
    operations: float
    bundle_bytes: int
    challenger: Contract
    champion: Contract | None
    concentration: Concentration | None
    separations: Mapping[str, float]
    champion_budget: Budget | None = None
    strata: tuple[StratumBudget, ...] = ()


@dataclass(frozen=True)
class Reason:
    """One rule's verdict, in a sentence."""

    rule: str
    outcome: Outcome
    sentence: str


@dataclass(frozen=True)
class Decision:
    """``registered``: whether the challenger's alias is set; reasons: one a rule, in order."""

    outcome: Outcome
    registered: bool
    reasons: tuple[Reason, ...]

    @property
    def objections(self) -> tuple[Reason, ...]:
        """The reasons that are not a pass."""
        return tuple(reason for reason in self.reasons if reason.outcome != "pass")


def contract(bundle: Bundle) -> Contract:
    """The contract of a bundle. A feature that hardly moved in its reference window has no level to compare."""
    manifest, baselines = bundle.manifest, bundle.scorer.baselines
    centres, spreads = bundle.scorer.transform.centre, bundle.scorer.transform.scale
    if baselines is not None:  # the transform sees deviations: levels are those of the fleet in any state
        centres, spreads = baselines.centre[-1], baselines.scale[-1].astype(float)
    found = zip(manifest.features, centres.tolist(), spreads.tolist(), strict=False)  # history: own values come first
    levels = {name: (c, s) for name, c, s in found if s > _STILL * max(abs(c), 1e-3)}
    return Contract(tuple(manifest.features), bundle.scorer.history.rows, levels)
