"""The Services of an overlay, with those that KubeRay and the platform's charts make."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.kuberay import RayCluster, ray_cluster
from tests.manifests.checking.walking import at

_HEAD_PORTS = {"gcs-server": 6379, "dashboard": 8265, "client": 10001, "metrics": 8080, "serve": 8000}


@dataclass(frozen=True)
class Service:
    """ports: by name; labels: for monitors to select it by."""

    name: str
    namespace: str
    ports: dict[str, int]
    labels: dict[str, str]

    def hosts(self, namespace: str) -> set[str]:
        """The names by which a pod of a namespace, or of any, reaches it."""
        full = f"{self.name}.{self.namespace}"
        short = {self.name} if namespace == self.namespace else set()
        return short | {full, f"{full}.svc", f"{full}.svc.cluster.local"}


# Charts make what is in these; which pods and labels, only a cluster tells.
OF_CHARTS = ("istio-system", "cert-manager", "ray-system", "monitoring", "argocd", "kube-system", "external-secrets")
# What manifests of ours name and a chart installs: release, namespace and ports as in scripts/1-config-cluster.sh.
PLATFORM = (
    Service("istio-ingress", "istio-system", {"status-port": 15021, "http2": 80, "https": 443}, {"istio": "ingress"}),
    Service("kubernetes", "default", {"https": 443}, {}),
)


@lru_cache(maxsize=4)
def services(documents: Documents) -> tuple[Service, ...]:
    """Every Service that there will be, ours first."""
    ours = tuple(_ours(one) for one in documents.of("Service"))
    return (*ours, *(made for one in documents.resources for made in _made(one)), *PLATFORM)


def _ours(one: Resource) -> Service:
    ports = {str(port.get("name", port["port"])): int(port["port"]) for port in one.spec.get("ports") or ()}
    return Service(one.name, one.namespace, ports, one.labels)


def _made(resource: Resource) -> Iterator[Service]:
    cluster = ray_cluster(resource)
    if cluster is None or resource.template:
        return
    ports = _container_ports(cluster) or _HEAD_PORTS
    labels = {"ray.io/node-type": "head", "ray.io/cluster": cluster.name, "app.kubernetes.io/name": "kuberay"}
    yield Service(f"{resource.name}-head-svc", resource.namespace, ports, labels)
    if resource.kind == "RayService":
        serve = {"ray.io/originated-from-cr-name": resource.name, "ray.io/serve": f"{resource.name}-serve"}
        port = {"serve": ports.get("serve", _HEAD_PORTS["serve"])}
        yield Service(f"{resource.name}-serve-svc", resource.namespace, port, serve)


def _container_ports(cluster: RayCluster) -> dict[str, int]:
    containers: list[dict[str, Any]] = at(cluster.head, "template.spec.containers", [{}])
    return {port["name"]: int(port["containerPort"]) for port in containers[0].get("ports") or ()}
