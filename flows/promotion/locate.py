"""Where a manifest says what is served: RayService, ``serveConfigV2``, application, deployment, ``user_config``."""

from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from flows.promotion.scalar import Written, read_scalar
from flows.promotion.source import MERGE, NULL, Source, is_text

APPLICATION, DEPLOYMENT = "anomaly-detector", "AnomalyDetector"
SECTIONS = ("bundle", "previous")
Path = tuple[str | int, ...]


@dataclass(frozen=True)
class Target:
    """Which deployment. ``file`` is what errors call the text; ``service`` is needed where there are several."""

    file: str = "manifest"
    service: str | None = None
    application: str = APPLICATION
    deployment: str = DEPLOYMENT


@dataclass(frozen=True)
class Located:
    """The outer text with the path and writing of ``serveConfigV2``; the inner one with that of the deployment."""

    outer: Source
    scalar_path: Path
    written: Written
    inner: Source
    deployment_path: Path
    deployment: yaml.MappingNode

    @property
    def user_config(self) -> yaml.Node | None:
        """The node, where there is one."""
        pair = self.inner.child(self.deployment, "user_config")
        return pair[1] if pair else None

    def section(self, name: str) -> yaml.Node | None:
        """``user_config.<name>``; None when it or ``user_config`` is missing or is ``null``."""
        if self.user_config is None or self.user_config.tag == NULL:
            return None
        pair = self.inner.child(self.user_config, name)
        return None if pair is None or pair[1].tag == NULL else pair[1]

    def leaf(self, section: str, key: str) -> yaml.ScalarNode | None:
        """One value. Raises InputError when it is no plain or quoted scalar of its own on one line."""
        mapping = self.section(section)
        pair = self.inner.child(mapping, key) if mapping else None
        if pair is None:
            return None
        name, node = f"{section}.{key}", pair[1]
        begin, end = node.start_mark.index, node.end_mark.index
        if not isinstance(node, yaml.ScalarNode) or node.style in ("|", ">"):
            raise self.inner.error(node, f"{name} must be a value on one line")
        if begin < end:
            first, last = self.written.span(begin, end)
            if "\n" in self.inner.text[begin:end] or "\n" in self.outer.text[first:last]:
                raise self.inner.error(node, f"{name} must be a value on one line", node.value)
            if self.inner.text[begin] in "&!":
                raise self.inner.error(node, f"{name} must have no anchor and no tag", self.inner.text[begin:end])
        if "{{" in node.value:
            raise self.inner.error(node, f"{name} must be a value, not a template", node.value)
        return node

    def leaves(self) -> Iterator[tuple[str, str, yaml.ScalarNode]]:
        """(section, key, node) of every value that is there."""
        for section in SECTIONS:
            mapping = self.section(section)
            if mapping is None:
                continue
            if not isinstance(mapping, yaml.MappingNode):
                raise self.inner.error(mapping, f"{section} must be a mapping", mapping.value)
            for key, _ in mapping.value:
                if key.tag == MERGE:
                    raise self.inner.error(key, f"{section} must hold its values itself, not merged with <<")
                pair = self.inner.child(mapping, key.value)
                if pair and isinstance(pair[1], yaml.ScalarNode):
                    yield section, key.value, pair[1]


def locate(text: str, target: Target) -> Located:
    """Find the deployment. Raises InputError, with file, line and reason, where it is not there exactly once."""
    outer = Source(target.file, text, text, range(len(text)))
    path, service = _service(outer, target)
    outer.refuse_templates(service)
    node = outer.value(service, "spec", "serveConfigV2")
    if not isinstance(node, yaml.ScalarNode):
        raise outer.error(node, "serveConfigV2 must be a string (KubeRay accepts no mapping); write it as a block: |")
    written = read_scalar(text, node)
    if written.value != node.value:
        raise outer.error(node, "serveConfigV2 must be written so that its characters can be told apart")
    begins = tuple(begin for _, begin, _ in written.characters) or (node.start_mark.index,)
    inner = Source(target.file, text, node.value, begins)
    documents = inner.documents()
    if len(documents) != 1:
        raise inner.error(documents[1] if documents else 0, "serveConfigV2 must hold one document", len(documents))
    inner.refuse_templates(documents[0])
    number, application = inner.named(inner.value(documents[0], "applications"), "application", target.application)
    deployments = inner.value(application, "deployments")
    position, deployment = inner.named(deployments, "deployment", target.deployment)
    inside: Path = ("applications", number, "deployments", position)
    return Located(outer, (*path, "spec", "serveConfigV2"), written, inner, inside, deployment)


def _service(source: Source, target: Target) -> tuple[Path, yaml.Node]:
    documents = source.documents()
    found = [(path, node) for path, node in _resources(documents) if _is_kind(node, "RayService")]
    if target.service is not None:
        found = [
            one for one in found if is_text(source.child(source.value(one[1], "metadata"), "name"), target.service)
        ]
    named = f" named {target.service}" if target.service else ""
    if not found:
        for document in documents:
            source.refuse_templates(document)
        raise source.error(0, f"must hold a RayService{named}")
    if len(found) > 1:
        raise source.error(found[1][1], f"must hold exactly one RayService{named}", len(found))
    return found[0]


def _resources(documents: list[yaml.Node]) -> Iterator[tuple[Path, yaml.Node]]:
    """Every document, and what stands in one of kind List."""
    for number, document in enumerate(documents):
        yield (number,), document
        if _is_kind(document, "List") or _is_kind(document, "RayServiceList"):
            for key, value in document.value:
                if key.value == "items" and isinstance(value, yaml.SequenceNode):
                    yield from (((number, "items", position), item) for position, item in enumerate(value.value))


def _is_kind(node: yaml.Node, kind: str) -> bool:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return any(is_text(pair, kind) for pair in pairs if pair[0].value == "kind")
