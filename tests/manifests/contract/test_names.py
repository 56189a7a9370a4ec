"""Names, ports and labels that people have in scripts, bookmarks and dashboards."""

import re

import pytest

from tests.manifests.checking.documents import read_documents
from tests.manifests.checking.walking import at
from tests.manifests.contract.documented import NAMESPACE, ROOT, calls, labelled, minikube, ports, resource

KINDS = {
    "svc": "Service",
    "pvc": "PersistentVolumeClaim",
    "statefulsets": "StatefulSet",
    "deployments": "Deployment",
    "raycluster": "RayCluster",
    "rayservice": "RayService",
    "gateway": "Gateway",
    "virtualservice": "VirtualService",
    "destinationrule": "DestinationRule",
    "servicemonitor": "ServiceMonitor",
    "hpa": "HorizontalPodAutoscaler",
}
PORTS = [
    ("mlflow", 5000),
    ("minio-mlflow", 9000),
    ("minio-mlflow", 9001),
    ("postgresql-mlflow", 5432),
    ("ray-serve", 8265),
    ("ray-serve", 8000),
]


def test_the_namespace_is_ml_dev() -> None:
    assert resource("Namespace", NAMESPACE)


@pytest.mark.parametrize(("kind"), KINDS.values(), ids=KINDS)
def test_kubectl_get_in_ml_dev_returns_something(kind: str) -> None:
    assert [one for one in minikube().of(kind) if one.namespace == NAMESPACE]


@pytest.mark.parametrize(("service", "port"), PORTS, ids=lambda value: str(value))
def test_a_service_answers_at_the_documented_port(service: str, port: int) -> None:
    assert port in ports(service)


def test_the_secret_of_the_store_is_minio_mlflow_secret() -> None:
    assert resource("Secret", "minio-mlflow-secret").namespace == NAMESPACE


@pytest.mark.parametrize("app", ["mlflow", "postgresql-mlflow", "minio-mlflow"])
def test_app_selects_the_pods_of_a_store_for_logs(app: str) -> None:
    assert app in labelled({"app": app})


@pytest.mark.parametrize("node", ["head", "worker"])
def test_node_type_selects_pods_of_ray_for_logs(node: str) -> None:
    assert {"ray-cluster", "anomaly-detector"} <= labelled({"ray.io/node-type": node})


def test_ray_serve_selects_the_pods_that_serve_for_logs() -> None:
    assert labelled({"ray.io/serve": "true"}) == {"anomaly-detector"}


def test_argo_cd_keeps_the_application_ml_system_minikube() -> None:
    [application] = read_documents((ROOT / "manifests/argocd/app-minikube.yaml").read_text()).resources
    assert (application.kind, application.name, application.namespace) == (
        "Application",
        "ml-system-minikube",
        "argocd",
    )
    assert at(application.spec, "source.path") == "manifests/overlays/minikube"


def test_argo_cd_has_an_application_for_aws() -> None:
    [application] = read_documents((ROOT / "manifests/argocd/app-aws.yaml").read_text()).resources
    assert at(application.spec, "source.path") == "manifests/overlays/aws"


def test_applying_the_argocd_folder_makes_the_application() -> None:
    assert re.search(r"^kubectl apply (-k|--kustomize) manifests/argocd/?( |$)", calls(), re.MULTILINE)


def test_the_repository_secret_is_labelled_for_argo_cd() -> None:
    [secret] = {line for line in calls().splitlines() if '"name":"repo-anomaly-detection-system-ssh"' in line}
    assert '"namespace":"argocd"' in secret
    assert '"argocd.argoproj.io/secret-type":"repository"' in secret


def test_argo_cd_reads_with_the_deploy_key() -> None:
    assert ".ssh/argocd_rsa" in (ROOT / "scripts/1-config-cluster.sh").read_text()


def test_images_are_pulled_with_ghcr_secret() -> None:
    assert "ghcr-secret" in calls()
