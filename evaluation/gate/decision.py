"""The gate: evidence in, a decision with a reason for each rule out."""

from evaluation.comparison import Outcome
from evaluation.gate.evidence import Decision, GateEvidence, GateRules, Reason
from evaluation.gate.rules import RULES

_HEAVIEST_FIRST: tuple[Outcome, ...] = ("refuse", "inconclusive")


def decide(evidence: GateEvidence, rules: GateRules) -> Decision:
    """Refuse if one rule does, else inconclusive if one is, else pass. Never says that a challenger is better."""
    reasons = tuple(Reason(name, *rule(evidence, rules)) for name, rule in RULES.items())
    outcomes = {reason.outcome for reason in reasons}
    outcome: Outcome = next((heavy for heavy in _HEAVIEST_FIRST if heavy in outcomes), "pass")
    registered = outcome == "pass" or (outcome == "inconclusive" and rules.on_inconclusive == "register")
    return Decision(outcome, registered, reasons)
