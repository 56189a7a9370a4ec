"""`kubectl apply -k manifests/argocd/` on an Argo CD with settings of its own: real kubectl, a fake of the API."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.kubernetes.server import Cluster, kubernetes_api
from tests.manifests.checking.rendering import ROOT
from tests.system import require_program

LABELS = {"app.kubernetes.io/name": "argocd-cm", "app.kubernetes.io/part-of": "argocd"}
INSTALLED = {
    "apiVersion": "v1",
    "kind": "ConfigMap",
    "metadata": {"name": "argocd-cm", "namespace": "argocd", "labels": LABELS},
}  # as Argo CD's manifests have it: without data

Kubectl = Callable[..., str]


@pytest.fixture(scope="module")
def api() -> Iterator[Cluster]:
    """A cluster whose Argo CD has an address of its own."""
    with kubernetes_api(("default", "argocd"), ("argoproj.io",)) as cluster:
        cluster.fake.make(INSTALLED | {"data": {"url": "https://argocd.example"}})
        yield cluster


@pytest.fixture(scope="module")
def kubectl(api: Cluster) -> Kubectl:
    program, config = require_program("kubectl", "kubectl"), api.kubeconfig()

    def run(*arguments: str | Path, given: str = "") -> str:
        command = [program, "--kubeconfig", config, *arguments]
        ran = subprocess.run(command, cwd=ROOT, input=given, capture_output=True, text=True, timeout=60, check=False)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    return run


def configuration(kubectl: Kubectl) -> dict[str, Any]:
    return dict(json.loads(kubectl("--namespace", "argocd", "get", "configmap", "argocd-cm", "--output", "json")))


def test_the_documented_command_makes_the_application_and_leaves_other_configuration_alone(kubectl: Kubectl) -> None:
    said = kubectl("apply", "--validate=false", "--kustomize", "manifests/argocd/")
    assert "application.argoproj.io/ml-system-minikube created" in said
    found = configuration(kubectl)
    assert found["data"]["url"] == "https://argocd.example"
    assert len([key for key in found["data"] if key.startswith("resource.customizations.health.ray.io_")]) == 3
    assert found["metadata"]["labels"] == LABELS


def test_a_second_time_changes_nothing(kubectl: Kubectl) -> None:
    said = kubectl("apply", "--validate=false", "--kustomize", "manifests/argocd/")
    assert {line.rpartition(" ")[2] for line in said.splitlines()} == {"unchanged"}


def reinstall(kubectl: Kubectl) -> set[str]:
    """Keys of the configuration after Argo CD's manifests were applied again, as scripts/1-config-cluster.sh does."""
    kubectl("apply", "--validate=false", "--server-side", "--force-conflicts", "-f", "-", given=json.dumps(INSTALLED))
    return set(configuration(kubectl)["data"])


def test_installing_argo_cd_anew_takes_the_health_checks_until_the_command_is_run_again(kubectl: Kubectl) -> None:
    """kubectl hands what was applied on the client over to who applies on the server, and drops what that one lacks."""
    before = set(configuration(kubectl)["data"])
    assert reinstall(kubectl) == {"url"}
    kubectl("apply", "--validate=false", "--kustomize", "manifests/argocd/")
    assert set(configuration(kubectl)["data"]) == before


def test_applied_on_the_server_they_outlive_an_installation(kubectl: Kubectl) -> None:
    kubectl("apply", "--validate=false", "--server-side", "--field-manager=vigia", "-k", "manifests/argocd/health")
    before = set(configuration(kubectl)["data"])
    assert reinstall(kubectl) == before
    assert len(before) == 5
