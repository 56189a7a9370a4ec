"""The gate of a run: its limits from the configuration, its evidence from what was judged, its verdict in words."""

from collections.abc import Mapping

from evaluation.comparison import Comparison, Outcome
from evaluation.gate.decision import decide
from evaluation.gate.evidence import Decision, GateEvidence, GateRules, StratumBudget, contract
from evaluation.validation.verdict import Validation
from flows.config.judging import Gate
from flows.steps.champion import Champion
from flows.steps.judging import Judgement
from serving.baselines import Stratum
from serving.bundle import Bundle
from training.export.cost import operations

_TITLES: Mapping[Outcome, str] = {"pass": "passed", "inconclusive": "inconclusive", "refuse": "refused"}


def gate_rules(asked: Gate) -> GateRules:
    """The limits of a configuration."""
    values = asked.model_dump(exclude={"champion", "allowed_features"})
    return GateRules(**values, allowed_features=frozenset(asked.allowed_features))


def gate(
    files: Mapping[str, bytes],
    bundle: Bundle,
    judged: Judgement,
    comparison: Comparison,
    champion: Champion | None,
    validation: Validation,
    asked: Gate,
) -> Decision:
    """Decide on a bundle with these files."""
    evidence = GateEvidence(
        validation_failures=tuple(validation.failures),
        comparison=comparison,
        alerts=judged.alerts,
        budget=bundle.manifest.budget,
        operations=operations(files["model.onnx"]),
        bundle_bytes=sum(len(content) for content in files.values()),
        challenger=contract(bundle),
        champion=None if champion is None else contract(champion.bundle),
        concentration=judged.concentration,
        separations=judged.separations,
        champion_budget=None if champion is None else champion.bundle.manifest.budget,
        strata=_strata(bundle, judged),
    )
    return decide(evidence, gate_rules(asked))


def verdict(decision: Decision) -> str:
    """One line: the outcome, and the rules that do not pass, in words elsewhere."""
    title = _TITLES[decision.outcome]
    if decision.outcome == "inconclusive":
        title += ", registered all the same" if decision.registered else ", so not registered (gate.on_inconclusive)"
    named = ", ".join(reason.rule for reason in decision.objections)
    return f"{title} ({named})" if named else f"{title}, {len(decision.reasons)} rules"


def reasons(decision: Decision) -> str:
    """Every rule that does not pass, a line each; each rule's sentence where all do."""
    return "\n".join(f"{reason.rule}: {reason.sentence}" for reason in decision.objections or decision.reasons)


def refusal(decision: Decision) -> str:
    """Why a bundle is not the challenger, and what stays."""
    said = "\n  ".join(f"{reason.rule}: {reason.sentence}" for reason in decision.objections)
    head = "the gate refused this bundle the alias challenger; its run, pages and version are kept"
    return f"{head}. Its limits and exceptions are the section gate of the configuration\n  {said}"


def _strata(bundle: Bundle, judged: Judgement) -> tuple[StratumBudget, ...]:
    found = bundle.manifest.baselines
    if found is None:
        return ()
    named = ((Stratum.YOUNG, found.young), (Stratum.UNSEEN, found.unseen))
    return tuple(
        StratumBudget(stratum.name.lower(), threshold.budget, judged.by_stratum.get(stratum, 0))
        for stratum, threshold in named
    )
