"""A YAML text and the file that holds it: parsing, looking up, and errors that name the file's line."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import yaml

from features.errors import InputError

MERGE, NULL, STRING = "tag:yaml.org,2002:merge", "tag:yaml.org,2002:null", "tag:yaml.org,2002:str"
_ALIAS = "!alias"
_TEMPLATE = re.compile(r"\{[{%]")
_TEMPLATE_LINE = re.compile(r"^[ \t]*(?=\{[{%])", re.MULTILINE)
Pair = tuple[yaml.Node, yaml.Node]


class _Loader(yaml.SafeLoader):
    """Leaves every alias in place, so that what is reached through one can be refused."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            event = self.get_event()  # type: ignore[no-untyped-call]
            return yaml.ScalarNode(_ALIAS, event.anchor, event.start_mark, event.end_mark)
        return super().compose_node(parent, index)


@dataclass(frozen=True)
class Source:
    """``text`` is YAML; its character i is character ``offsets[i]`` of ``whole``, the text of ``file``."""

    file: str
    whole: str
    text: str
    offsets: Sequence[int]

    def error(self, at: yaml.Node | int, rule: str, value: object = ...) -> InputError:
        """An error at a node or at a character of ``text``."""
        index = at if isinstance(at, int) else at.start_mark.index
        offset = self.offsets[min(index, len(self.offsets) - 1)] if self.offsets else 0
        return InputError(f"{self.file}:{self.whole.count(chr(10), 0, offset) + 1}", rule, value)

    def documents(self) -> list[yaml.Node]:
        """Every document, aliases not followed. Raises InputError where it is no YAML."""
        try:
            return list(yaml.compose_all(self.text, _Loader))
        except yaml.YAMLError as error:
            raise self.syntax_error(error) from error

    def syntax_error(self, error: yaml.YAMLError) -> InputError:
        """The parser's own error, or the template line that caused it."""
        mark = getattr(error, "problem_mark", None)
        at = getattr(error, "position", 0) if mark is None else mark.index
        line = self.text[self.text.rfind("\n", 0, at) + 1 :].partition("\n")[0]
        template = _TEMPLATE_LINE.search(self.text)
        if template or _TEMPLATE.search(line):
            return self.error(template.end() if template else at, "must be YAML, not a template")
        said = getattr(error, "problem", None) or getattr(error, "reason", None) or " ".join(str(error).split())
        return self.error(at, f"must be YAML: {said}")

    def refuse_templates(self, node: yaml.Node) -> None:
        """Raise InputError where ``{{ }}`` stands unquoted below the node; quoted braces may be anybody's text."""
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if isinstance(key, yaml.MappingNode):
                    raise self.error(key, "must be YAML, not a template")
                self.refuse_templates(value)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                self.refuse_templates(item)
        elif isinstance(node, yaml.ScalarNode) and node.style is None and _TEMPLATE.search(node.value):
            raise self.error(node, "must be YAML, not a template", node.value)

    def child(self, node: yaml.Node, key: str) -> Pair | None:
        """(key, value) of a mapping. Raises InputError when the key comes twice, by ``<<``, or leads to an alias."""
        if not isinstance(node, yaml.MappingNode):
            raise self.error(node, f"must be a mapping that holds {key}")
        found: list[Pair] = [pair for pair in node.value if pair[0].value == key]
        if len(found) > 1:
            raise self.error(found[1][0], f"must hold {key} once")
        if not found:
            for merged, _ in node.value:
                if merged.tag == MERGE:
                    raise self.error(merged, f"must hold {key} itself: it may come from what << merges")
            return None
        self._refuse_alias(found[0][1], key)
        return found[0]

    def value(self, node: yaml.Node, *keys: str) -> yaml.Node:
        """The node below these keys, each of which must be there."""
        for key in keys:
            pair = self.child(node, key)
            if pair is None:
                raise self.error(node, f"must hold {key}")
            node = pair[1]
        return node

    def named(self, node: yaml.Node, what: str, name: str) -> tuple[int, yaml.MappingNode]:
        """(position, entry) of the one entry of a list whose ``name`` this is."""
        if not isinstance(node, yaml.SequenceNode):
            raise self.error(node, f"must be a list of {what}s")
        found = []
        for position, item in enumerate(node.value):
            self._refuse_alias(item, what)
            if isinstance(item, yaml.MappingNode) and is_text(self.child(item, "name"), name):
                found.append((position, item))
        if not found:
            raise self.error(node, f"must hold the {what} {name}")
        if len(found) > 1:
            raise self.error(found[1][1], f"must hold the {what} {name} once")
        return found[0]

    def _refuse_alias(self, node: yaml.Node, what: str) -> None:
        if node.tag == _ALIAS:
            raise self.error(node, f"{what} must be written out, not an alias", f"*{node.value}")


def is_text(pair: Pair | None, text: str) -> bool:
    """Whether the value is that text."""
    return pair is not None and isinstance(pair[1], yaml.ScalarNode) and pair[1].value == text
