"""A small system that keeps every rule, and the one thing to break in it so that a rule speaks."""

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.manifests.checking.documents import Documents, Resource, read_documents

FOLDER = Path(__file__).parent / "examples"


@dataclass(frozen=True)
class Break:
    """One change that a rule has to notice. rule: the function's name; at: ``kind/name path``; value: None removes."""

    rule: str
    at: str
    value: Any = None

    def __str__(self) -> str:
        return f"{self.rule}: {self.at.rpartition('.')[2]}"


@cache
def example() -> Documents:
    return read_documents("\n---\n".join(file.read_text() for file in sorted(FOLDER.glob("*.yaml"))))


def broken(change: Break) -> Documents:
    """The example with one change."""
    resource, _, path = change.at.partition(" ")
    kind, _, name = resource.partition("/")
    [found] = [one for one in example().resources if (one.kind, one.name) == (kind, name)]
    body = changed(found.body, path, change.value)
    made = Resource(body, found.template)
    return Documents(tuple(made if one is found else one for one in example().resources))


def changed(body: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy with another value at a path such as ``spec.ports[0].name``; None removes what is there."""
    body = json.loads(json.dumps(body))  # a deep copy would keep what anchors share
    *way, last = [int(part[1:-1]) if part[0] == "[" else part for part in re.findall(r"\[\d+\]|[^.\[]+", path)]
    node: Any = body
    for part in way:
        node = node[part]
    if value is None:
        del node[last]
    else:
        node[last] = value
    return body
