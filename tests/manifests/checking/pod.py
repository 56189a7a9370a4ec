"""A pod to come: what the rules look at, whoever makes it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.manifests.checking.documents import Resource
from tests.manifests.checking.walking import at


@dataclass(frozen=True)
class Pod:
    """path: of its template in the owner. ray: a node of a Ray cluster, or the submitter of a RayJob."""

    owner: Resource
    path: str
    labels: dict[str, str]
    spec: dict[str, Any]
    ray: bool = False

    @property
    def namespace(self) -> str:
        return self.owner.namespace

    def containers(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Containers and init containers with their paths, by name: those that KubeRay adds have no place in a file."""
        for kind in ("initContainers", "containers"):
            for container in self.spec.get(kind) or ():
                yield f"{self.path}.spec.{kind}[{container.get('name')}]", container


def pod_from(owner: Resource, path: str, template: dict[str, Any]) -> Pod:
    return Pod(owner, path, at(template, "metadata.labels", {}), at(template, "spec", {}))
