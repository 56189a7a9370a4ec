"""Files that people have opened by their names, and that hold no secret."""

import os

import pytest

from tests.manifests.contract.documented import ROOT

FOLDERS = {
    "manifests/base": "kustomization",
    "manifests/base/namespace": "kustomization namespace",
    "manifests/base/postgres-mlflow": "configmap secret kustomization pvc service statefulset",
    "manifests/base/minio-mlflow": "configmap secret kustomization pvc service deployment",
    "manifests/base/mlflow": "configmap secret kustomization service deployment",
    "manifests/base/ray-cluster": "kustomization raycluster service servicemonitor",
    "manifests/base/istio": (
        "kustomization gateway virtual-service destination-rule peer-authentication request-authentication "
        "authorization-policy"
    ),
    "manifests/overlays/minikube": (
        "kustomization namespace-patch postgresql-mlflow-statefulset-patch postgresql-mlflow-pvc-patch "
        "minio-mlflow-deployment-patch minio-mlflow-pvc-patch raycluster-patch"
    ),
    "manifests/argocd": "kustomization project app-minikube app-aws",
}
DOCUMENTS = (
    "00-domain-context",
    "01-requirements",
    "02-capacity-estimation",
    "03-api-design",
    "04-high-level-design",
    "TROUBLESHOOTING",
)
SCRIPTS = ("0-install-dependencies.sh", "1-config-cluster.sh")
FILES = [f"{folder}/{name}.yaml" for folder, names in FOLDERS.items() for name in names.split()]


@pytest.mark.parametrize("file", FILES)
def test_the_manifest_is_where_the_documents_say(file: str) -> None:
    assert (ROOT / file).is_file()


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_document_is_there_and_says_something(name: str) -> None:
    assert len((ROOT / "docs" / f"{name}.md").read_text().split()) > 100


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_script_can_be_run(name: str) -> None:
    assert os.access(ROOT / "scripts" / name, os.X_OK)
