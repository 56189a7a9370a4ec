"""An environment that a cluster serves: a fake API holds its RayService, a scripted fleet answers."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from flows.adapters.cluster_lease import ClusterLease
from flows.adapters.git import read_head
from flows.adapters.kubernetes_api import KubernetesApi
from flows.adapters.kubernetes_kinds import APPLICATIONS, LEASES, RAY_CLUSTERS, RAY_SERVICES
from flows.adapters.ray_services import RayServices
from flows.promotion.edit import APPLICATION, DEPLOYMENT
from flows.promotion.locate import locate
from flows.steps.head import target
from tests.fakes.kubernetes.kinds import schema_folder
from tests.fakes.kubernetes.server import Cluster
from tests.flows.cluster.conftest import api_of
from tests.flows.verification.conftest import Place

_LABELS = {"ray.io/originated-from-cr-name": APPLICATION, "ray.io/originated-from-crd": "RayService"}
_HEAD = {"rayStartParams": {}, "template": {"spec": {"containers": [{"name": "ray-head", "image": "none:0"}]}}}


@dataclass
class ClusterPlace:
    """``inner``: git, registry and fleet."""

    inner: Place
    cluster: Cluster
    api: KubernetesApi

    @property
    def services(self) -> RayServices:
        """The door to the RayService."""
        return RayServices(self.api, APPLICATION, DEPLOYMENT, "ml-system-local")

    def sync(self, applied: bool = True) -> None:
        """What Argo CD and then KubeRay do."""
        place = self.inner.doors.environment
        text = read_head(place.repository, place.branch, place.file)[1]
        self.write(serveConfigV2=locate(text, target(place)).inner.text)
        if applied:
            self.inner.apply()
            self.status()

    def write(self, **spec: Any) -> None:
        """Into the RayService."""
        self.api.patch(RAY_SERVICES, APPLICATION, {"spec": spec})

    def status(self, **changed: Any) -> None:
        """KubeRay's, of the generation that stands there."""
        found = self.api.get(RAY_SERVICES, APPLICATION)
        side = {"rayClusterName": "c1", "applicationStatuses": {APPLICATION: {"status": "RUNNING"}}}
        calm = {"activeServiceStatus": side, "observedGeneration": found["metadata"]["generation"]}
        self.cluster.fake.status(found, {**calm, "numServeEndpoints": 2, **changed})

    def make_cluster(self, name: str, most: int = 4, version: str = "2.60.0") -> None:
        """A RayCluster of the RayService."""
        meta = {"name": name, "namespace": "ml-dev", "labels": _LABELS}
        body = {"apiVersion": "ray.io/v1", "kind": "RayCluster", "metadata": meta, "spec": config(most, version)}
        self.api.create(RAY_CLUSTERS, body)


def config(most: int = 4, version: str = "2.60.0") -> dict[str, Any]:
    """A rayClusterConfig."""
    group = {**_HEAD, "groupName": "serve", "replicas": 1, "minReplicas": 1, "maxReplicas": most}
    return {"rayVersion": version, "headGroupSpec": _HEAD, "workerGroupSpecs": [group]}


@contextmanager
def in_a_cluster(place: Place, cluster: Cluster) -> Iterator[ClusterPlace]:
    """The place, served by a RayService that names nothing yet; its objects are gone afterwards."""
    if schema_folder() is None:
        pytest.skip("no schemas of custom kinds: `make schemas`")
    api = api_of(cluster)
    found = ClusterPlace(place, cluster, api)
    place.doors = replace(place.doors, cluster=found.services, lease=ClusterLease(api, "verify-local", "me", 30))
    meta = {"name": APPLICATION, "namespace": "ml-dev"}
    spec = {"serveConfigV2": "applications: []", "rayClusterConfig": config()}
    api.create(RAY_SERVICES, {"apiVersion": "ray.io/v1", "kind": "RayService", "metadata": meta, "spec": spec})
    found.make_cluster("c1")
    found.status()
    try:
        yield found
    finally:
        kinds = [cluster.fake.kind(f"{one.group}/{one.version}", name) for one, name in _KINDS]
        for kind, (door, _) in zip(kinds, _KINDS, strict=True):
            for one in cluster.fake.store.list(kind, ""):
                api.delete(door, one["metadata"]["name"], one["metadata"]["namespace"])


_KINDS = (
    (RAY_SERVICES, "RayService"),
    (RAY_CLUSTERS, "RayCluster"),
    (LEASES, "Lease"),
    (APPLICATIONS, "Application"),
)
