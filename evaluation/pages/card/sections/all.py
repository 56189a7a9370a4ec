"""The sections of a card, in the order of the page."""

from evaluation.pages.blocks import Block, Section, Text
from evaluation.pages.card.model import Card
from evaluation.pages.card.sections import origin
from evaluation.pages.card.sections.episodes import kinds, timelines
from evaluation.pages.card.sections.figures import figure_table, threshold_table
from evaluation.pages.card.sections.verdict import champion, rules
from evaluation.pages.charts.curve import draw_curve
from evaluation.pages.charts.distribution import draw_distribution


def sections(card: Card) -> tuple[Section, ...]:
    """Everything below the verdict."""
    return (
        Section("limits", "What it is not for", (Text(card.limits, listed=True),)),
        _scores(card),
        timelines(card),
        _quality(card),
        kinds(card),
        champion(card),
        origin.series(card),
        origin.features(card),
        origin.search(card),
        rules(card),
        Section("figures", "Figures", (figure_table(card), threshold_table(card))),
        origin.data(card),
        origin.lineage(card),
    )


def _scores(card: Card) -> Section:
    return Section("scores", "Scores", (draw_distribution(card.scores, card.thresholds),))


def _quality(card: Card) -> Section:
    reason = card.absent.get("curve", "")
    block: Block = draw_curve(card.curve) if card.curve else Text((reason,))
    return Section("quality", "Precision and recall", (block,), half=True)
