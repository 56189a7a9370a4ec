"""Rules: of two bounds the lower is not above the upper."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.kuberay import ray_cluster
from tests.manifests.checking.pods import pods
from tests.manifests.checking.quantities import is_quantity, quantity
from tests.manifests.checking.serve_config import deployments


def replica_bounds(documents: Documents) -> Iterator[Finding]:
    for hpa in documents.of("HorizontalPodAutoscaler"):
        yield from _ordered(hpa, "spec", hpa.spec, ("minReplicas", "maxReplicas"))
    for resource in documents.resources:
        cluster = ray_cluster(resource)
        for path, group in cluster.workers() if cluster else ():
            yield from _ordered(resource, path, group, ("minReplicas", "replicas", "maxReplicas"))
    for service, path, deployment in deployments(documents):
        scaling = deployment.get("autoscaling_config")
        if isinstance(scaling, dict):
            names = ("min_replicas", "initial_replicas", "max_replicas")
            yield from _ordered(service, f"{path}.autoscaling_config", scaling, names)


def request_bounds(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        for path, container in pod.containers():
            resources = container.get("resources") or {}
            limits = resources.get("limits") or {}
            for name, asked in (resources.get("requests") or {}).items():
                if not (is_quantity(asked) and is_quantity(limits.get(name))):
                    continue  # amount_reads says so, where there is a limit
                if quantity(asked) > quantity(limits[name]):
                    value = f"{asked} of {limits[name]}"
                    yield pod.owner.finding(f"{path}.resources.requests.{name}", "at most the limit", value)


def _ordered(resource: Resource, path: str, node: dict[str, Any], names: tuple[str, ...]) -> Iterator[Finding]:
    given = [(name, node[name]) for name in names if node.get(name) is not None]
    for (low, small), (high, large) in pairwise(given):
        if small > large:
            yield resource.finding(f"{path}.{low}", f"at most {high}", f"{small} over {large}")
