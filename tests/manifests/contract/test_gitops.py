"""The documented ways to change something: by git, or by kubectl without it."""

import shutil
from pathlib import Path

import pytest
import yaml

from tests.manifests.checking.documents import read_documents
from tests.manifests.checking.rendering import DoesNotBuild, build, kubectl
from tests.manifests.contract.documented import ROOT, minikube, resource


def test_mlflow_says_its_replicas_where_the_documents_edit_them() -> None:
    [deployment] = yaml.safe_load_all((ROOT / "manifests/base/mlflow/deployment.yaml").read_text())
    assert isinstance(deployment["spec"]["replicas"], int)


def test_a_change_of_mlflows_replicas_is_what_minikube_runs(tmp_path: Path) -> None:
    if kubectl() is None:
        pytest.skip("kubectl is not installed")
    shutil.copytree(ROOT / "manifests", tmp_path / "manifests")
    file = tmp_path / "manifests/base/mlflow/deployment.yaml"
    text = file.read_text()
    assert text.count("replicas: 1") == 1
    file.write_text(text.replace("replicas: 1", "replicas: 3"))
    try:
        built = read_documents(build(tmp_path / "manifests/overlays/minikube"))
    except DoesNotBuild as error:
        pytest.fail(str(error))
    assert [one.spec["replicas"] for one in built.of("Deployment") if one.name == "mlflow"] == [3]
    [scaler] = [one for one in built.of("HorizontalPodAutoscaler") if one.name == "mlflow"]
    assert (scaler.spec["minReplicas"], scaler.spec["maxReplicas"]) == (3, 3)


def test_the_overlay_is_applied_whole_by_kubectl() -> None:
    assert resource("Namespace", "ml-dev")
    assert all(one.namespace or one.kind in ("Namespace", "StorageClass") for one in minikube().resources)


def test_deleting_the_overlay_leaves_what_git_cannot_bring_back_to_a_choice() -> None:
    for kind in ("PersistentVolumeClaim", "Namespace", "Secret"):
        for one in minikube().of(kind):
            options = one.body["metadata"]["annotations"].get("argocd.argoproj.io/sync-options", "")
            assert {"Prune=false", "Delete=false"} <= set(options.split(",")), f"{kind}/{one.name}"


@pytest.mark.parametrize("name", ["contact", "documentation"])
def test_every_object_of_the_overlay_says_whose_it_is_and_where_to_read(name: str) -> None:
    assert [
        f"{one.kind}/{one.name}" for one in minikube().resources if not one.template and not _said(one.body, name)
    ] == []


def test_the_application_names_its_repository_and_a_contact() -> None:
    [application] = read_documents((ROOT / "manifests/argocd/app-minikube.yaml").read_text()).resources
    assert application.spec["source"]["repoURL"].endswith("/anomaly-detection-system.git")
    assert "Contact" in {one["name"] for one in application.spec["info"]}


def test_the_page_says_how_argo_cd_reads_the_repository_of_a_cluster_that_no_script_makes() -> None:
    page = (ROOT / "docs/kubernetes.md").read_text()
    secret = "repo-anomaly-detection-system-ssh"
    for part in ("type=git", "url=git@github.com:OWNER/NAME.git", "sshPrivateKey=$HOME/.ssh/argocd_rsa"):
        assert part in page.partition(f"kubectl -n argocd create secret generic {secret}")[2]
    assert f"kubectl -n argocd label secret {secret} argocd.argoproj.io/secret-type=repository" in page


def test_a_sync_does_not_undo_the_secrets_of_the_cluster() -> None:
    [application] = read_documents((ROOT / "manifests/argocd/app-minikube.yaml").read_text()).resources
    assert {"kind": "Secret", "jsonPointers": ["/data"]} in application.spec["ignoreDifferences"]
    assert "RespectIgnoreDifferences=true" in application.spec["syncPolicy"]["syncOptions"]


def _said(body: dict[str, dict[str, dict[str, str]]], name: str) -> str | None:
    return (body["metadata"].get("annotations") or {}).get(name)
