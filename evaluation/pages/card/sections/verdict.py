"""The verdict: what the gate decided, in a headline, and the rules with their reasons."""

from dataclasses import dataclass

from evaluation.gate.evidence import Reason
from evaluation.pages.blocks import Section, Table, Text
from evaluation.pages.card.model import Card
from evaluation.pages.charts.spans import draw_difference


@dataclass(frozen=True)
class Headline:
    """The first lines of the page; kind: good, warn or bad."""

    kind: str
    word: str
    rest: str
    objections: tuple[Reason, ...]


def headline(card: Card) -> Headline:
    """What the gate decided."""
    decision = card.decision
    of = len(decision.reasons)
    objections = decision.objections
    if decision.outcome == "pass":
        return Headline("good", "Passed", f"all {of} rules of the gate; registered as challenger", ())
    n = len(objections)
    rules = f"{n} of {of} rules" if n > 1 else f"1 of {of} rules"
    if decision.outcome == "refuse":
        return Headline("bad", "Refused", f"by the gate: {rules} object; it gets no alias", objections)
    done = "registered as challenger" if decision.registered else "it gets no alias"
    return Headline("warn", "Inconclusive", f"{rules} cannot be settled; {done}", objections)


def rules(card: Card) -> Section:
    """One row a rule."""
    rows = tuple((reason.rule, reason.outcome, reason.sentence) for reason in card.decision.reasons)
    table = Table("Each rule of the gate with what it found", ("rule", "verdict", "reason"), rows)
    return Section("gate", "Gate", (table,))


def champion(card: Card) -> Section:
    """The comparison with the model that serves."""
    found = card.comparison
    sentence = found.sentence[:1].upper() + found.sentence[1:] + "."
    left_out = f" {found.left_out:,} rows of training windows are left out." if found.left_out else ""
    chart = draw_difference(found, card.margin)
    text = Text((sentence + left_out,))
    return Section("champion", "Against the champion", (text, chart) if chart else (text,), half=True)
