"""Two cards beside each other: their figures in one table, and the sections of both in pairs."""

from dataclasses import dataclass

from evaluation.evidence import Figure
from evaluation.pages.blocks import Table
from evaluation.pages.card.model import Card
from evaluation.pages.card.sections.all import sections
from evaluation.pages.card.sections.figures import interval, named
from evaluation.pages.card.sections.verdict import Headline, headline
from evaluation.pages.figures import figure, measured
from evaluation.pages.templates import template


@dataclass(frozen=True)
class Named:
    """A card and what people call its version."""

    name: str
    card: Card


@dataclass(frozen=True)
class _Side:
    name: str
    card: Card
    headline: Headline


def render_comparison(one: Named, other: Named) -> str:
    """The page as text: a table of figures, then every section of both."""
    sides = [_Side(n.name, n.card, headline(n.card)) for n in (one, other)]
    return template("comparison.html.j2").render(
        sides=sides,
        says=same_rows(one.card, other.card),
        table=compare_figures(one, other),
        pairs=list(zip(sections(one.card), sections(other.card), strict=True)),
    )


def same_rows(one: Card, other: Card) -> str:
    """Whether the figures of both are of the same rows."""
    prints = [card.identity.lineage.get("data_fingerprint") for card in (one, other)]
    windows = [card.data.windows[-1] for card in (one, other)]
    if prints[0] is not None and prints[0] == prints[1] and windows[0] == windows[1]:
        return "Both were judged on the same test window of the same table. What is better, the gate decides, not this."
    return (
        "The two were judged on other rows: a difference may be one of the rows. Only a gate compares on the same ones."
    )


def compare_figures(one: Named, other: Named) -> Table:
    """Every figure of either, each with its interval."""
    names = dict.fromkeys(f.name for named_card in (one, other) for f in named_card.card.figures)
    rows = [_row(name, one.card.figure(name), other.card.figure(name)) for name in names]
    facts = (
        ("Verdict", *(n.card.decision.outcome for n in (one, other))),
        ("Detector", *(n.card.identity.family.replace("_", " ") for n in (one, other))),
        ("Threshold", *(figure(n.card.thresholds[0].value) for n in (one, other))),
    )
    table = tuple((name, a, "", b, "") for name, a, b in facts) + tuple(rows)
    columns = ("", one.name, "interval", other.name, "interval")
    return Table("Figures of the test windows", columns, table, (1, 3))


def _row(name: str, one: Figure | None, other: Figure | None) -> tuple[str, str, str, str, str]:
    return (named(name), *_cells(one), *_cells(other))


def _cells(found: Figure | None) -> tuple[str, str]:
    return ("–", "") if found is None else (measured(found.value, found.unit), interval(found))
