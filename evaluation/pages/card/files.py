"""A card as files: the JSON that holds every figure, and the page made of it."""

from pathlib import Path

import msgspec

from evaluation.pages.card.model import FORMAT, Card
from features.errors import InputError
from features.storage import write_text

CARD_JSON = "card.json"


def write_json(card: Card, file: Path) -> None:
    """Write the JSON that ``read_json`` reads back as the same card."""
    write_text(file, msgspec.json.format(msgspec.json.encode(card), indent=1).decode() + "\n")


def read_json(file: Path) -> Card:
    """The card in a file. Raises InputError where there is none, or it has another format."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise InputError(CARD_JSON, f"cannot be read ({error.strerror or error})", str(file)) from error
    return parse_card(content, str(file))


def parse_card(content: bytes, named: str) -> Card:
    """The card in the content of a file of that name. Raises InputError where it has another format."""
    try:
        found = msgspec.json.decode(content, type=_Format).format
        if found != FORMAT:
            raise InputError(f"{named} format", f"must be {FORMAT}", found)
        return msgspec.json.decode(content, type=Card)
    except msgspec.MsgspecError as error:
        raise InputError(named, f"is not a card ({error})") from error


class _Format(msgspec.Struct):
    format: int
