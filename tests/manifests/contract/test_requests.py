"""The documented curls, port-forwards and queries."""

import re
from typing import Any

import pytest

from tests.manifests.checking.services import services
from tests.manifests.checking.walking import at, mappings
from tests.manifests.contract.documented import ROOT, minikube, ports, resource

HOST = "anomaly-detector.local"
FORWARDS = (
    "ml-dev mlflow 5000:5000",
    "ml-dev minio-mlflow 9001:9001",
    "ml-dev ray-serve 8265:8265",
    "monitoring prometheus-operator-kube-p-prometheus 9090:9090",
    "monitoring prometheus-operator-grafana 3000:80",
    "argocd argocd-server 8080:443",
)


@pytest.mark.parametrize("path", ["/health", "/metrics", "/predict"])
def test_a_documented_path_leads_to_the_service(path: str) -> None:
    route = resource("VirtualService", "anomaly-detector")
    assert HOST in route.spec["hosts"]
    taken = [one for one in route.spec["http"] if path in _paths(one)]
    assert [at(one["route"][0], "destination.port.number") for one in taken] == [8000]


def test_the_gateway_takes_plain_http_for_the_documented_host() -> None:
    gateway = resource("Gateway", "anomaly-detector")
    assert gateway.spec["selector"] == {"istio": "ingress"}
    [plain] = [one for one in gateway.spec["servers"] if one["port"]["number"] == 80]
    assert HOST in plain["hosts"]
    assert not at(plain, "tls.httpsRedirect")


def test_the_ingress_addon_leads_to_the_gateway() -> None:
    ingress = resource("Ingress", "anomaly-detector")
    assert ingress.spec["ingressClassName"] == "nginx"
    [rule] = ingress.spec["rules"]
    assert rule["host"] == HOST
    backend = rule["http"]["paths"][0]["backend"]["service"]
    assert (ingress.namespace, backend["name"], backend["port"]["number"]) == ("istio-system", "istio-ingress", 80)


def test_a_call_without_a_token_passes_on_minikube() -> None:
    rules = resource("AuthorizationPolicy", "anomaly-detector").spec["rules"]
    open_paths = {
        path
        for rule in rules
        if not any("requestPrincipals" in node for _, node in mappings(rule))
        for _, node in mappings(rule)
        for path in node.get("paths") or ()
    }
    assert {"/health", "/metrics", "/predict"} <= open_paths


@pytest.mark.parametrize(
    ("service", "port"), [("mlflow", 5000), ("minio-mlflow", 9001), ("ray-serve", 8265)], ids=lambda value: str(value)
)
def test_a_documented_port_can_be_forwarded(service: str, port: int) -> None:
    assert port in ports(service)


@pytest.mark.parametrize("forward", FORWARDS)
def test_the_page_for_a_cluster_says_how_to_reach_each_console(forward: str) -> None:
    namespace, _, rest = forward.partition(" ")
    assert f"kubectl -n {namespace} port-forward svc/{rest}" in (ROOT / "docs/kubernetes.md").read_text()


def test_the_release_is_called_as_the_forward_to_prometheus_has_it() -> None:
    # The chart cuts "<release>-kube-prometheus-stack" to 26 letters: the Service is <this>-prometheus.
    assert "prometheus-operator-kube-prometheus-stack"[:26].rstrip("-") == "prometheus-operator-kube-p"
    assert not re.search(r"^(fullname|name)Override", _values(), re.MULTILINE)


def test_grafana_is_on() -> None:
    assert re.search(r"^grafana:\n\s+enabled: true", _values(), re.MULTILINE)


@pytest.mark.parametrize("name", ["ray_serve_deployment_request_counter", "ray_serve_deployment_processing_latency_ms"])
def test_a_metric_that_ray_renamed_is_recorded_under_the_documented_name(name: str) -> None:
    assert name in {rule["record"] for rule in _rules() if "record" in rule}


def test_up_in_ml_dev_has_targets() -> None:
    assert [one for one in minikube().of("ServiceMonitor", "PodMonitor") if one.namespace == "ml-dev"]


def test_ray_cluster_active_nodes_comes_from_a_scraped_head() -> None:
    monitors = list(minikube().of("PodMonitor", "ServiceMonitor"))
    assert any("head" in str(one.spec["selector"]) for one in monitors)


@pytest.mark.parametrize("dashboard", ["ray", "vigia"])
def test_grafana_gets_the_dashboard(dashboard: str) -> None:
    found = [one.name for one in minikube().of("ConfigMap") if one.labels.get("grafana_dashboard")]
    assert any(dashboard in name for name in found), found


def test_the_serve_service_is_the_one_that_kuberay_makes() -> None:
    assert "anomaly-detector-serve-svc" in {service.name for service in services(minikube())}


def _paths(route: dict[str, Any]) -> set[str]:
    return {match["uri"].get("exact") or match["uri"].get("prefix") for match in route.get("match") or ()}


def _rules() -> list[dict[str, Any]]:
    return [rule for one in minikube().of("PrometheusRule") for group in one.spec["groups"] for rule in group["rules"]]


def _values() -> str:
    return (ROOT / "scripts" / "values" / "prometheus-operator.yaml").read_text()
