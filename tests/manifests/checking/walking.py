"""Ways through nested YAML: a place by its dotted path, every mapping of a tree."""

from collections.abc import Iterator
from typing import Any


def at(node: Any, path: str, default: Any = None) -> Any:
    """What stands at a dotted path (``spec.template.spec``), else the default; an empty value counts as absent."""
    for key in path.split("."):
        node = node.get(key) if isinstance(node, dict) else None
    return default if node is None else node


def mappings(node: Any, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every mapping under a node, itself first, with its path."""
    if isinstance(node, dict):
        yield path, node
        for key, value in node.items():
            yield from mappings(value, f"{path}.{key}" if path else str(key))
    elif isinstance(node, list):
        for index, value in enumerate(node):
            yield from mappings(value, f"{path}[{index}]")


def places(node: Any, pattern: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every node at a pattern such as ``.spec.rules[].from[*].name``: ``[]`` is any item, ``[*]`` any value."""
    if not pattern:
        yield path, node
    elif pattern.startswith("[]"):
        for index, value in enumerate(node if isinstance(node, list) else []):
            yield from places(value, pattern[2:], f"{path}[{index}]")
    elif pattern.startswith("[*]"):
        for key, value in node.items() if isinstance(node, dict) else ():
            yield from places(value, pattern[3:], f"{path}.{key}")
    else:
        key, rest = _first(pattern[1:])
        if isinstance(node, dict) and key in node:
            yield from places(node[key], rest, f"{path}.{key}" if path else key)


def _first(pattern: str) -> tuple[str, str]:
    end = min((found for found in (pattern.find("."), pattern.find("[")) if found >= 0), default=len(pattern))
    return pattern[:end], pattern[end:]


def matches(selector: dict[str, str], labels: dict[str, str]) -> bool:
    """Whether labels hold everything that ``matchLabels`` asks."""
    return selector.items() <= labels.items()
