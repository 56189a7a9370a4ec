"""What a page is made of: sections of tiles, charts, tables and sentences, as values that one template draws."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Tile:
    """One figure: what it is, its value, and in small print how sure it is."""

    name: str
    value: str
    note: str = ""


@dataclass(frozen=True)
class Tiles:
    """Figures in a row."""

    form: ClassVar[str] = "tiles"
    tiles: tuple[Tile, ...]


@dataclass(frozen=True)
class Table:
    """Cells of text; ``numeric`` columns stand right. A folded one opens on a click, under its caption."""

    form: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[int, ...] = ()
    folded: bool = False


@dataclass(frozen=True)
class Bar:
    """A name, the length of its bar as a share of the longest (0 to 1), and the value in words; kind: its colour."""

    name: str
    length: float
    value: str
    kind: str = ""


@dataclass(frozen=True)
class Bars:
    """Horizontal bars: a table that shows its numbers."""

    form: ClassVar[str] = "bars"
    caption: str
    columns: tuple[str, str]
    bars: tuple[Bar, ...]


@dataclass(frozen=True)
class Label:
    """Text beside a chart, ``at`` percent from the left or from the bottom; kind: its colour and place."""

    at: float
    text: str
    kind: str = ""


@dataclass(frozen=True)
class Shape:
    """One SVG path in a box of 100 by 100, y downwards; kind: how it is drawn."""

    kind: str
    path: str


@dataclass(frozen=True)
class Chart:
    """A drawing with its scales, what it shows in a sentence, and the same as a table.

    marks: labels at the upper end of vertical lines; legend: (kind, text); lines: rows of text high.
    """

    form: ClassVar[str] = "chart"
    title: str
    says: str
    shapes: tuple[Shape, ...]
    x: tuple[Label, ...]
    y: tuple[Label, ...]
    table: Table
    x_title: str = ""
    y_title: str = ""
    marks: tuple[Label, ...] = ()
    legend: tuple[tuple[str, str], ...] = ()
    lines: int = 12
    heading: bool = True


@dataclass(frozen=True)
class Panel:
    """A small chart with a headline, a chip, lines of facts and shares of what drove it."""

    title: str
    chip: str
    kind: str
    facts: tuple[str, ...]
    chart: Chart
    drivers: tuple[Bar, ...]


@dataclass(frozen=True)
class Panels:
    """Small charts in a grid."""

    form: ClassVar[str] = "panels"
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Text:
    """Paragraphs, or with ``listed`` a list."""

    form: ClassVar[str] = "text"
    sentences: tuple[str, ...]
    listed: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values, one line each."""

    form: ClassVar[str] = "facts"
    facts: tuple[tuple[str, str], ...]


Block = Tiles | Table | Bars | Chart | Panels | Text | Facts


@dataclass(frozen=True)
class Section:
    """A heading and what stands under it; ``half``: two of them may stand side by side."""

    id: str
    heading: str
    blocks: tuple[Block, ...]
    half: bool = False


def bars(named: Sequence[tuple[str, float, str]], most: float | None = None) -> tuple[Bar, ...]:
    """Bars of (name, value, words); the longest is ``most``, the largest value by default."""
    top = max((value for _, value, _ in named), default=0.0) if most is None else most
    return tuple(Bar(name, value / top if top else 0.0, words) for name, value, words in named)
