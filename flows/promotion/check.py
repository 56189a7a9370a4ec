"""What differs between two parsed texts, value by value, wherever aliases lead."""

from collections.abc import Iterator
from itertools import zip_longest

import yaml

from flows.promotion.locate import Path
from flows.promotion.source import NULL

Difference = tuple[Path, yaml.Node | None, yaml.Node | None]


def differences(old: str, new: str) -> list[Difference]:
    """(path, old node, new node) of every value that is not the same; the path begins with the document's number.

    What was added comes leaf by leaf, with None for what it was. Raises yaml.YAMLError.
    """
    seen: dict[tuple[int, int], bool] = {}
    pairs = zip_longest(_documents(old), _documents(new))
    return [difference for number, (a, b) in enumerate(pairs) for difference in _compare((number,), a, b, seen)]


def _documents(text: str) -> list[yaml.Node]:
    return list(yaml.compose_all(text, yaml.SafeLoader))


def _compare(
    path: Path, old: yaml.Node | None, new: yaml.Node | None, seen: dict[tuple[int, int], bool]
) -> Iterator[Difference]:
    if new is not None and (old is None or (old.tag == NULL and isinstance(new, yaml.CollectionNode))):
        yield from ((place, None, leaf) for place, leaf in _leaves(path, new))
        return
    if old is None or new is None:
        yield path, old, new
        return
    met = (id(old), id(new))
    if met in seen:  # reached again through an alias: what differs there differs here
        if seen[met]:
            yield path, old, new
        return
    seen[met] = False
    found: list[Difference] = []
    if old.tag != new.tag or type(old) is not type(new):
        found.append((path, old, new))
    elif isinstance(old, yaml.ScalarNode):
        found += [(path, old, new)] if old.value != new.value else []
    elif isinstance(old, yaml.SequenceNode):
        for position, (a, b) in enumerate(zip_longest(old.value, new.value)):
            found += _compare((*path, position), a, b, seen)
    else:
        for (key, a), (new_key, b) in zip_longest(old.value, new.value, fillvalue=(None, None)):
            found += _compare((*path, "?"), key, new_key, {}) if key and new_key else []
            found += _compare((*path, (key or new_key or old).value), a, b, seen)
    seen[met] = bool(found)
    yield from found


def _leaves(path: Path, node: yaml.Node) -> Iterator[tuple[Path, yaml.Node]]:
    if isinstance(node, yaml.MappingNode) and node.value:
        for key, value in node.value:
            yield from _leaves((*path, key.value), value)
    else:
        yield path, node
