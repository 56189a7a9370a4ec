"""The pages of this repository as text: their code, links and headings."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"(?:(?<=\n\n)|\A)(?: {4}.*\n|\n(?= {4}))+")
_SPAN = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TABLE = re.compile(r"(?:^\|.*\|\n?)+", re.MULTILINE)
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@dataclass(frozen=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """Its path in the repository."""
        return str(self.path.relative_to(ROOT))

    @cached_property
    def _parts(self) -> tuple[str, tuple[str, ...]]:
        """Prose without blocks of code, and those blocks."""
        blocks: list[str] = []
        prose = self.path.read_text(encoding="utf-8")
        for kind in (_FENCED, _INDENTED):
            blocks += kind.findall(prose)
            prose = kind.sub("", prose)
        return prose, tuple(blocks)

    @property
    def code(self) -> Iterator[str]:
        """Lines of its blocks of code, those that a backslash joins as one, and its spans of code."""
        prose, blocks = self._parts
        for block in blocks:
            yield from block.replace("\\\n", " ").splitlines()
        yield from _SPAN.findall(prose)

    @property
    def links(self) -> Iterator[str]:
        """Targets of its links into this repository."""
        found = _LINK.findall(_SPAN.sub("", self._parts[0]))
        return (target for target in found if not re.match(r"[a-z]+:", target))

    @property
    def tables(self) -> Iterator[list[list[str]]]:
        """Cells of each table, by row, without the line below its head."""
        for table in _TABLE.findall(self._parts[0]):
            rows = [re.split(r"(?<!\\)\|", line.strip("|")) for line in table.splitlines()]
            yield [[cell.strip() for cell in row] for row in (rows[0], *rows[2:])]

    def section(self, heading: str) -> str:
        """What stands below a heading, up to the next of its level; "" where there is none."""
        found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", self._parts[0], re.MULTILINE | re.DOTALL)
        return found[1] if found else ""

    @property
    def anchors(self) -> set[str]:
        """What its headings are called in a URL, as GitHub makes it of their text."""
        slugs: list[str] = []
        for heading in _HEADING.findall(self._parts[0]):
            text = re.sub(r"\[([^]]*)\]\([^)]*\)", r"\1", heading).strip().lower()
            slug = re.sub(r"[^\w\- ]", "", text).replace(" ", "-")
            slugs.append(slug if slug not in slugs else f"{slug}-{slugs.count(slug)}")
        return set(slugs)


PAGES = [Page(path) for path in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")))]
