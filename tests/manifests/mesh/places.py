"""Who may want to talk to whom: the pods of ml-dev by the labels that policies know them by, and their surroundings."""

from collections.abc import Iterator
from typing import Any

import yaml

from tests.manifests.checking.documents import TEMPLATES
from tests.manifests.checking.walking import mappings
from tests.manifests.mesh.network_policy import Endpoint

HOME = "ml-dev"
ROLES = ("serve-head", "serve-worker", "jobs-head", "jobs-worker", "job-head", "job-worker", "job-submitter", "ops")
APPS = ("mlflow", "postgresql-mlflow", "minio-mlflow", "vigia-backup", "minio-mlflow-buckets")
_MESHED = {"sidecar.istio.io/inject": "true"}

PLACES: dict[str, Endpoint] = {
    **{role: Endpoint(HOME, {"vigia/role": role}) for role in ROLES},
    **{app: Endpoint(HOME, {"app": app}) for app in APPS},
    "serve-worker": Endpoint(HOME, {"vigia/role": "serve-worker", **_MESHED}),
    "verifier": Endpoint(HOME, {"vigia/role": "ops", **_MESHED}),
    "unknown": Endpoint(HOME, {"app": "unknown"}),
    "gateway": Endpoint("istio-system", {"app": "istio-ingress", "istio": "ingress"}),
    "istiod": Endpoint("istio-system", {"app": "istiod", "istio": "pilot"}),
    "dns": Endpoint("kube-system", {"k8s-app": "kube-dns"}),
    "kuberay": Endpoint("ray-system", {"app.kubernetes.io/name": "kuberay-operator"}),
    "prometheus": Endpoint("monitoring", {"app.kubernetes.io/name": "prometheus"}),
    "grafana": Endpoint("monitoring", {"app.kubernetes.io/name": "grafana"}),
    "other team": Endpoint("default", {"vigia/role": "ops", "app": "mlflow", "istio": "ingress"}),
    "node": Endpoint(address="192.168.49.2"),
    "internet": Endpoint(address="203.0.113.7"),
    "vpc": Endpoint(address="10.3.0.9"),
    "metadata": Endpoint(address="169.254.169.254"),
}


def pod_templates(documents: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Template of every pod that the objects make, wherever a kind keeps it; of RayJobs in a ConfigMap too."""
    held = [document["data"] for document in documents if document["metadata"]["name"] == TEMPLATES]
    jobs = [yaml.safe_load(text) for data in held for text in data.values()]
    for _, node in mappings([*documents, *jobs]):
        if "containers" in (node.get("spec") or {}):
            yield node
