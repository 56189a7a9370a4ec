"""Kubernetes resources as YAML says them, found by kind, name and namespace."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from tests.manifests.checking.finding import Finding

TEMPLATES = "rayjob-templates"  # the ConfigMap whose values are RayJobs
_LONGEST_VALUE = 120


@dataclass(frozen=True, eq=False)
class Resource:
    """One document. template: a RayJob that is text in a ConfigMap; `vigia submit` gives it a name and an image."""

    body: dict[str, Any]
    template: bool = False

    @property
    def api(self) -> str:
        return str(self.body["apiVersion"])

    @property
    def kind(self) -> str:
        return str(self.body["kind"])

    @property
    def name(self) -> str:
        metadata = self.body["metadata"]
        return str(metadata.get("name") or metadata.get("generateName", ""))

    @property
    def namespace(self) -> str:
        return str(self.body["metadata"].get("namespace", ""))

    @property
    def labels(self) -> dict[str, str]:
        return self.body["metadata"].get("labels") or {}

    @property
    def spec(self) -> dict[str, Any]:
        return self.body.get("spec") or {}

    def finding(self, path: str, rule: str, value: object) -> Finding:
        text = " ".join(str(value).split())
        shown = text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
        return Finding(f"{self.kind}/{self.name}", path, rule, shown or "nothing")


@dataclass(frozen=True, eq=False)
class Documents:
    """All that one overlay applies."""

    resources: tuple[Resource, ...]

    def of(self, *kinds: str) -> Iterator[Resource]:
        return (resource for resource in self.resources if resource.kind in kinds)

    def find(self, kind: str, name: object, namespace: str) -> Resource | None:
        same = (one for one in self.of(kind) if (one.name, one.namespace) == (name, namespace))
        return next(same, None)


def read_documents(text: str) -> Documents:
    """The resources of YAML documents, with the RayJobs that a ConfigMap of templates holds.

    Raises:
        yaml.YAMLError: the text, or a template in it, is no YAML
    """
    resources = [Resource(body) for body in load_all(text)]
    return Documents((*resources, *_templates(resources)))


def load_all(text: str) -> list[dict[str, Any]]:
    return [body for body in yaml.load_all(text, yaml.CSafeLoader) if body]


def _templates(resources: Iterable[Resource]) -> Iterator[Resource]:
    for one in resources:
        if (one.kind, one.name) != ("ConfigMap", TEMPLATES):
            continue
        for text in one.body["data"].values():
            for body in load_all(text):
                body["metadata"].setdefault("namespace", one.namespace)
                yield Resource(body, template=True)
