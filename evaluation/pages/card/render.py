"""Cards as pages: one, and two beside each other by the same sections."""

from itertools import groupby
from pathlib import Path

from evaluation.pages.card.files import CARD_JSON, write_json
from evaluation.pages.card.model import Card
from evaluation.pages.card.sections.all import sections
from evaluation.pages.card.sections.figures import headline as tiles
from evaluation.pages.card.sections.verdict import headline
from evaluation.pages.templates import template
from features.storage import write_text

CARD_PAGE = "card.html"


def write_card(card: Card, folder: Path) -> Path:
    """Write ``card.json`` and the page beside it, which has no script and asks for nothing over the network."""
    write_json(card, folder / CARD_JSON)
    write_text(folder / CARD_PAGE, render_card(card))
    return folder / CARD_PAGE


def render_card(card: Card) -> str:
    """The page as text, a function of the card alone."""
    shown = sections(card)
    runs = [(half, list(group)) for half, group in groupby(shown, key=lambda section: section.half)]
    return template("card.html.j2").render(
        card=card, headline=headline(card), tiles=tiles(card), sections=shown, runs=runs
    )
