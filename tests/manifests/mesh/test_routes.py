"""The way in: host, TLS, which paths are served, what is tried again, and which pods have a sidecar."""

from typing import Any

import pytest

from serving.endpoints import ENDPOINTS
from tests.manifests.mesh.places import pod_templates
from tests.manifests.mesh.routing import Destination, sent_to
from tests.manifests.overlays import documents, find

HOSTS = {"minikube": "anomaly-detector.local", "aws": "anomaly-detector.FILL-IN"}
SERVICE = "anomaly-detector-serve-svc.ml-dev.svc.cluster.local"
BOTH = pytest.mark.parametrize("overlay", HOSTS)
SIDECAR = "traffic.sidecar.istio.io"


@BOTH
def test_every_path_of_the_service_is_routed_to_its_workers(overlay: str) -> None:
    taken = {path: sent_to(documents(overlay), HOSTS[overlay], 443, path) for path in ENDPOINTS}
    assert {each.service for each in taken.values()} == {f"{SERVICE}:8000"}
    writing = {path for path, (method, _) in ENDPOINTS.items() if method == "POST"}
    assert {path for path, each in taken.items() if each.route == "predict"} == writing


@BOTH
@pytest.mark.parametrize("path", ["/-/healthz", "/-/routes", "/metrics/", "/predict/other", "/api/serve/applications/"])
def test_no_other_path_comes_in(overlay: str, path: str) -> None:
    assert sent_to(documents(overlay), HOSTS[overlay], 443, path) == Destination(404)


@BOTH
def test_no_other_host_comes_in(overlay: str) -> None:
    assert sent_to(documents(overlay), "elsewhere.example.org", 443, "/health") == Destination(404)


def test_plain_http_is_for_minikube_alone() -> None:
    assert sent_to(documents("minikube"), HOSTS["minikube"], 80, "/health").route == "read"
    assert sent_to(documents("aws"), HOSTS["aws"], 80, "/health") == Destination(301)


@BOTH
def test_the_certificate_is_for_the_host_and_stands_where_the_gateway_reads_it(overlay: str) -> None:
    https = next(
        s for s in find(overlay, "Gateway", "anomaly-detector")["spec"]["servers"] if s["port"]["number"] == 443
    )
    certificate = find(overlay, "Certificate", "anomaly-detector")
    assert certificate["metadata"]["namespace"] == "istio-system"
    assert certificate["spec"]["secretName"] == https["tls"]["credentialName"]
    assert certificate["spec"]["dnsNames"] == https["hosts"] == [HOSTS[overlay]]


def test_minikubes_ingress_leads_the_documented_host_to_the_gateway_in_plain_http() -> None:
    ingress = find("minikube", "Ingress", "anomaly-detector")
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    assert (rule["host"], path["path"]) == (HOSTS["minikube"], "/")
    assert (ingress["metadata"]["namespace"], path["backend"]["service"]) == (
        "istio-system",
        {"name": "istio-ingress", "port": {"number": 80}},
    )
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/ssl-redirect"] == "false"


@BOTH
def test_rows_are_sent_again_only_where_no_replica_saw_them(overlay: str) -> None:
    conditions = {route["name"]: set(route["retries"]["retryOn"].split(",")) for route in routes(overlay)}
    unseen = {"connect-failure", "refused-stream"}
    assert conditions == {"predict": unseen, "read": unseen | {"reset"}}


@BOTH
def test_no_request_waits_for_ever_and_the_fleets_answer_has_its_two_seconds_each_time(overlay: str) -> None:
    seconds = {route["name"]: float(route["timeout"].removesuffix("s")) for route in routes(overlay)}
    (read,) = (route for route in routes(overlay) if route["name"] == "read")
    assert all(1 < timeout <= 30 for timeout in seconds.values())
    assert 2 < float(read["retries"]["perTryTimeout"].removesuffix("s")) < seconds["read"]


@BOTH
def test_a_worker_without_a_sidecar_is_not_called(overlay: str) -> None:
    policy = find(overlay, "DestinationRule", "anomaly-detector")["spec"]
    assert (policy["host"], policy["trafficPolicy"]["tls"]["mode"]) == (SERVICE, "ISTIO_MUTUAL")


@BOTH
def test_sidecars_are_for_the_workers_of_the_service_and_its_verifier(overlay: str) -> None:
    inside = {
        (template["metadata"]["labels"]["vigia/role"], template["spec"]["serviceAccountName"])
        for template in meshed(overlay)
    }
    assert inside == {("serve-worker", "ray-serve"), ("ops", "vigia-ops")}


@BOTH
def test_a_sidecar_takes_requests_in_and_nothing_of_rays_own(overlay: str) -> None:
    for template in meshed(overlay):
        role, annotations = template["metadata"]["labels"]["vigia/role"], template["metadata"]["annotations"]
        assert annotations[f"{SIDECAR}/includeInboundPorts"] == ("8000" if role == "serve-worker" else "")
        assert annotations[f"{SIDECAR}/includeOutboundIPRanges"] == ""
        assert set(annotations[f"{SIDECAR}/includeOutboundPorts"].split(",")) <= {"5000", "5432", "8000", "9000"}


def routes(overlay: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = find(overlay, "VirtualService", "anomaly-detector")["spec"]["http"]
    return found


def meshed(overlay: str) -> list[dict[str, Any]]:
    templates = pod_templates(documents(overlay))
    return [each for each in templates if each["metadata"]["labels"].get("sidecar.istio.io/inject") == "true"]
