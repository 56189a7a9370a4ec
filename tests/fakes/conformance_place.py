"""Where the conformance list is asked: the fake of the Kubernetes API, or the cluster of VIGIA_TEST_KUBECONFIG."""

from dataclasses import dataclass
from typing import Any

import pytest
from kubernetes import client

from tests.fakes.kubernetes.kinds import schema_folder
from tests.fakes.kubernetes.server import Cluster

Json = dict[str, Any]


@dataclass(frozen=True)
class Place:
    """Where the rows are asked; ``cluster`` is the fake, None when it is a real one."""

    api: client.ApiClient
    namespace: str
    cluster: Cluster | None

    @property
    def core(self) -> client.CoreV1Api:
        return client.CoreV1Api(self.api)

    @property
    def custom(self) -> client.CustomObjectsApi:
        return client.CustomObjectsApi(self.api)

    @property
    def fake(self) -> Cluster:
        if self.cluster is None:
            pytest.skip("only the fake's API can be broken on purpose")
        return self.cluster

    def map(self, name: str, data: Json | None = None, **metadata: Any) -> Json:
        """A ConfigMap."""
        return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, **metadata}, "data": data or {}}

    def make(self, name: str, data: Json | None = None, **metadata: Any) -> Any:
        return self.core.create_namespaced_config_map(self.namespace, self.map(name, data, **metadata))

    def job(self, name: str, **spec: Any) -> Json:
        """A RayJob that KubeRay leaves alone."""
        container = {"name": "ray-head", "image": "none:0"}
        head = {"rayStartParams": {}, "template": {"spec": {"containers": [container]}}}
        values = {
            "entrypoint": "true",
            "managedBy": "kueue.x-k8s.io/multikueue",
            "rayClusterSpec": {"headGroupSpec": head},
            **spec,
        }
        return {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": name}, "spec": values}

    def submit(self, given: Json, **how: Any) -> Json:
        if self.cluster and schema_folder() is None:
            pytest.skip("no schemas of custom kinds: `make schemas`")
        made: Json = self.custom.create_namespaced_custom_object(
            "ray.io", "v1", self.namespace, "rayjobs", given, **how
        )
        return made

    def ray(self, verb: str, name: str, *body: Any) -> Json:
        """get, replace, patch, delete (…_status) of one RayJob."""
        call = "{}_namespaced_custom_object{}".format(*verb.partition("_")[::2])
        call = call.replace("objectstatus", "object_status")
        found: Json = getattr(self.custom, call)("ray.io", "v1", self.namespace, "rayjobs", name, *body)
        return found
