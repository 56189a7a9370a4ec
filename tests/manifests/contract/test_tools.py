"""Tools and versions that the documents name: the same, or newer with the reason beside it."""

import pytest

from tests.manifests.checking.schemas import KUBERNETES
from tests.manifests.contract.documented import ROOT, calls, numbers, versions

EXACTLY = {
    "KUBECTL_VERSION": "v1.34.2",
    "KUSTOMIZE_VERSION": "v5.7.1",
    "MINIKUBE_VERSION": "v1.37.0",
    "HELM_VERSION": "v3.19.2",
}
AT_LEAST = {
    "DOCKER_VERSION": "29.1.1",
    "GIT_VERSION": "2.43.0",
    "ISTIO_VERSION": "1.28.0",
    "CERT_MANAGER_VERSION": "v1.19.1",
    "KUBERAY_VERSION": "v1.5.1",
}
RELEASES = {
    "istio-base": "istio-system",
    "istiod": "istio-system",
    "istio-ingress": "istio-system",
    "cert-manager": "cert-manager",
    "kuberay-operator": "ray-system",
    "prometheus-operator": "monitoring",
}


@pytest.mark.parametrize(("name", "documented"), EXACTLY.items())
def test_it_is_installed_in_the_documented_version(name: str, documented: str) -> None:
    assert versions()[name] == documented


@pytest.mark.parametrize(("name", "documented"), AT_LEAST.items())
def test_it_is_at_least_the_documented_version(name: str, documented: str) -> None:
    assert numbers(versions()[name]) >= numbers(documented)


@pytest.mark.parametrize("name", ["ISTIO_VERSION", "CERT_MANAGER_VERSION", "KUBERAY_VERSION"])
def test_a_newer_version_has_its_reason_beside_it(name: str) -> None:
    before, _, _ = (ROOT / "scripts" / "versions.env").read_text().partition(f"{name}=")
    assert "# Documented: " in before.splitlines()[-1] + before.splitlines()[-2] + before.splitlines()[-3]


def test_argo_cd_is_pinned() -> None:
    assert versions()["ARGOCD_VERSION"].startswith("v3.")


def test_manifests_are_checked_against_the_kubernetes_of_kubectl() -> None:
    assert versions()["KUBECTL_VERSION"].startswith(f"v{KUBERNETES}.")


@pytest.mark.parametrize(("release", "namespace"), RELEASES.items())
def test_helm_installs_the_release_in_its_namespace(release: str, namespace: str) -> None:
    found = [line for line in calls().splitlines() if line.startswith("helm upgrade --install " + release + " ")]
    assert found, release
    assert all(f"--namespace {namespace}" in line for line in found)


def test_prometheus_takes_monitors_of_every_release() -> None:
    values = (ROOT / "scripts" / "values" / "prometheus-operator.yaml").read_text()
    assert "serviceMonitorSelectorNilUsesHelmValues: false" in values
    assert "podMonitorSelectorNilUsesHelmValues: false" in values


def test_minikube_starts_as_documented() -> None:
    [start] = {line for line in calls().splitlines() if line.startswith("minikube start")}
    assert {"--cpus=6", "--memory=12288", "--driver=docker"} <= set(start.split())


@pytest.mark.parametrize("addon", ["ingress", "metrics-server", "dashboard"])
def test_minikube_has_the_addon(addon: str) -> None:
    assert f"minikube addons enable {addon}" in calls()


def test_argo_cd_is_applied_server_side() -> None:
    applied = [line for line in calls().splitlines() if "kubectl" in line and "argo-cd" in line]
    assert applied
    assert all("--server-side" in line for line in applied)
