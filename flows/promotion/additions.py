"""What is missing, written in the style of what is there: block or flow, indentation, separators, quotes."""

import re
from collections.abc import Iterator, Mapping

import yaml

from flows.promotion.locate import SECTIONS, Located
from flows.promotion.source import NULL, Pair
from flows.promotion.values import write_value

Splice = tuple[int, int, str]
"""Characters begin to end of the inner text become this."""
Tree = Mapping[str, "str | Tree"]
_COMMA, _COLON = re.compile(r",\s*"), re.compile(r":[ \t]*")
_INDENT = 2


def additions(found: Located, missing: Mapping[tuple[str, str], str]) -> Iterator[Splice]:
    """One insertion for each mapping that lacks something, the deeper ones first."""
    sections: dict[str, dict[str, str]] = {}
    for (section, key), value in missing.items():
        sections.setdefault(section, {})[key] = value
    there = {section: found.section(section) for section in sections}
    for section, leaves in sections.items():
        if isinstance(mapping := there[section], yaml.MappingNode):
            yield _into(found, mapping, leaves)
    absent = {section: leaves for section, leaves in sections.items() if there[section] is None}
    if not absent:
        return
    pair = found.inner.child(found.deployment, "user_config")
    if pair is None:
        yield _into(found, found.deployment, {"user_config": absent})
    elif pair[1].tag == NULL:
        yield _below(found, pair, absent)
    elif isinstance(pair[1], yaml.MappingNode):
        new = dict(absent)
        for section in absent:
            if empty := found.inner.child(pair[1], section):
                yield _below(found, empty, new.pop(section))
        if new:
            yield _into(found, pair[1], new)
    else:
        raise found.inner.error(pair[1], "user_config must be a mapping")


def sibling_style(found: Located) -> str | None:
    """How the values that are there are quoted; in double quotes where there is none."""
    for section in SECTIONS:
        mapping = found.section(section)
        for _, node in mapping.value if isinstance(mapping, yaml.MappingNode) else ():
            if isinstance(node, yaml.ScalarNode) and node.tag != NULL and node.style not in ("|", ">"):
                return str(node.style) if node.style else None
    return '"'


def _into(found: Located, mapping: yaml.MappingNode, tree: Tree) -> Splice:
    """After the last pair of a mapping."""
    if mapping.flow_style:
        return _into_flow(found, mapping, tree)
    text, last = found.inner.text, _last(mapping)
    end = text.find("\n", len(text[: last.end_mark.index].rstrip()))
    end = len(text) if end < 0 else end
    column = mapping.value[0][0].start_mark.column
    return end, end, _lines(tree, column, _step(mapping), sibling_style(found))


def _into_flow(found: Located, mapping: yaml.MappingNode, tree: Tree) -> Splice:
    text, pairs, style = found.inner.text, mapping.value, sibling_style(found)
    if not pairs:
        start = text.index("{", mapping.start_mark.index) + 1
        return start, start, _flow(tree, ", ", ", ", ": ", "", style)
    key, value = pairs[-1]
    colon = text[key.end_mark.index : value.start_mark.index]
    colon = colon if _COLON.fullmatch(colon) else ": "
    short = ", " if colon.endswith(" ") else ","
    comma = "," + text[text.index("{", mapping.start_mark.index) + 1 : key.start_mark.index]
    if len(pairs) > 1:
        comma = text[pairs[-2][1].end_mark.index : key.start_mark.index]
    comma = comma if _COMMA.fullmatch(comma) and (len(pairs) > 1 or "\n" in comma) else short
    end = value.end_mark.index
    return end, end, comma + _flow(tree, comma, short, colon, key.style or "", style)


def _below(found: Located, pair: Pair, tree: Tree) -> Splice:
    """Below a key that has no value yet."""
    text, (key, value) = found.inner.text, pair
    at = value.start_mark.index
    if at != value.end_mark.index:
        raise found.inner.error(key, f"{key.value} must be a mapping or empty", value.value)
    end = text.find("\n", at)
    end = len(text) if end < 0 else end
    return end, end, _lines(tree, key.start_mark.column + _INDENT, _INDENT, sibling_style(found))


def _lines(tree: Tree, column: int, step: int, style: str | None) -> str:
    lines = ""
    for key, value in tree.items():
        lines += f"\n{' ' * column}{key}:"
        lines += (
            f" {write_value(value, style)}" if isinstance(value, str) else _lines(value, column + step, step, style)
        )
    return lines


def _flow(tree: Tree, comma: str, short: str, colon: str, quote: str, style: str | None) -> str:
    """Pairs with ``comma`` between them; what stands below one goes on its line, with ``short``."""
    pairs = []
    for key, value in tree.items():
        if isinstance(value, str):
            written = write_value(value, style)
        else:
            written = f"{{{_flow(value, short, short, colon, quote, style)}}}"
        pairs.append(f"{quote}{key}{quote}{colon}{written}")
    return comma.join(pairs)


def _last(node: yaml.Node) -> yaml.Node:
    """The last scalar or flow collection below a block collection; the end of a block itself is past its comments."""
    while isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        node = last[1] if isinstance(last, tuple) else last
    return node


def _step(mapping: yaml.MappingNode) -> int:
    """By how much the children of its children are indented."""
    for key, value in mapping.value:
        if isinstance(value, yaml.MappingNode) and not value.flow_style and value.value:
            step: int = value.value[0][0].start_mark.column - key.start_mark.column
            return step
    return _INDENT
