"""Measured tables in the documents, each between two markers that name it."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_DOCS = Path(__file__).parents[2] / "docs"


def markdown(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A table in Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def publish(tables: Mapping[str, str], *, write: bool, to: str = "quality.md") -> None:
    """Print the tables; with ``write`` replace each between ``<!-- name -->`` and the next ``<!-- end -->`` as well."""
    text = (_DOCS / to).read_text(encoding="utf-8") if write else ""
    for name, table in tables.items():
        print(f"{name}\n\n{table}\n")
        if write:
            marked = rf"(<!-- {name} -->\n).*?(<!-- end -->)"
            text, count = re.subn(marked, lambda m, t=table: f"{m[1]}\n{t}\n\n{m[2]}", text, flags=re.DOTALL)  # type: ignore[misc]
            assert count == 1, f"docs/{to} has {count} places for {name}"
    if write:
        (_DOCS / to).write_text(text, encoding="utf-8")
