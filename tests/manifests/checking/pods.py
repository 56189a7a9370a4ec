"""The pods that the resources of an overlay make, those of KubeRay among them."""

from collections.abc import Iterator
from functools import lru_cache

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.kuberay import ray_pods
from tests.manifests.checking.pod import Pod, pod_from
from tests.manifests.checking.walking import at, matches

TEMPLATES = {
    "Deployment": "spec.template",
    "StatefulSet": "spec.template",
    "DaemonSet": "spec.template",
    "Job": "spec.template",
    "CronJob": "spec.jobTemplate.spec.template",
}


@lru_cache(maxsize=4)
def pods(documents: Documents) -> tuple[Pod, ...]:
    """Every pod that the documents make."""
    return tuple(pod for resource in documents.resources for pod in _pods(resource))


def selected(documents: Documents, selector: dict[str, str], namespace: str) -> list[Pod]:
    """The pods of a namespace that a selector of labels takes."""
    return [pod for pod in pods(documents) if pod.namespace == namespace and matches(selector, pod.labels)]


def _pods(resource: Resource) -> Iterator[Pod]:
    if resource.kind == "Pod":
        yield Pod(resource, "", resource.labels, resource.spec)
    elif resource.kind in TEMPLATES:
        path = TEMPLATES[resource.kind]
        yield pod_from(resource, path, at(resource.body, path, {}))
    else:
        yield from ray_pods(resource)
