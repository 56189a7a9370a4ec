"""Who may talk to whom: every pair of places and every port that means something, against one table."""

from functools import cache
from itertools import product

import pytest

from tests.manifests.mesh.network_policy import Document, Endpoint, Flow, passes, policies_of
from tests.manifests.mesh.places import APPS, HOME, PLACES, ROLES, pod_templates
from tests.manifests.overlays import documents

OVERLAYS = ("minikube", "aws")
PORTS = (22, 53, 80, 443, 5000, 5432, 6379, 6443, 8000, 8080, 8265, 8443, 9000, 9001, 15012, 30000, 44217, 44227)

HEADS = {"serve-head", "jobs-head", "job-head"}
SERVE = {"serve-head", "serve-worker"}
SHARED = {"jobs-head", "jobs-worker"}
JOB = {"job-head", "job-worker"}
OPS = {"ops", "verifier"}
OWN = {*ROLES, *APPS, "verifier", "unknown"}
OUTSIDE = {"node", "internet", "vpc"}

ROWS: tuple[tuple[set[str], set[str], set[int]], ...] = (
    (OWN, {"dns"}, {53}),
    ({"serve-worker", "verifier"}, {"istiod"}, {15012}),
    (SERVE, SERVE, set(PORTS)),
    (SHARED, SHARED, set(PORTS)),
    (JOB, JOB, set(PORTS)),
    ({"job-submitter"}, {"job-head", "jobs-head"}, {8265}),
    ({"kuberay"}, HEADS, {8265}),
    ({"gateway", *OPS}, {"serve-worker"}, {8000}),
    (OPS, {"serve-head"}, {8265}),
    ({*JOB, *SHARED, *OPS}, {"mlflow"}, {5000}),
    ({"prometheus"}, {"mlflow"}, {5000}),
    ({"prometheus"}, {*SERVE, *SHARED, *JOB}, {8080}),
    ({"prometheus"}, HEADS, {44217, 44227}),
    ({*HEADS, *OPS}, OUTSIDE, {443, 6443, 8443}),
    (OPS, OUTSIDE, {22}),
)
ONLY: dict[str, tuple[tuple[set[str], set[str], set[int]], ...]] = {
    "minikube": (
        ({"mlflow", "vigia-backup"}, {"postgresql-mlflow"}, {5432}),
        ({"mlflow", "vigia-backup", "serve-worker", *JOB, *SHARED, *OPS}, {"minio-mlflow"}, {9000}),
        ({"minio-mlflow-buckets", "prometheus"}, {"minio-mlflow"}, {9000}),
    ),
    "aws": (
        ({"mlflow", "serve-worker", *JOB, *SHARED, *OPS}, OUTSIDE, {443}),
        ({"mlflow"}, {"vpc"}, {5432}),
        ({"serve-head"}, {"vpc"}, {6379}),
    ),
}


def flow(source: str, destination: str, port: int, protocol: str = "TCP") -> Flow:
    return Flow(PLACES[source], PLACES[destination], port, protocol)


def expected(overlay: str) -> set[tuple[str, str, int]]:
    rows = (product(*row) for row in ROWS + ONLY[overlay])
    return {(source, destination, port) for row in rows for source, destination, port in row}


@cache
def policies(overlay: str) -> list[Document]:
    return policies_of(documents(overlay))


def concerns_us(source: Endpoint, destination: Endpoint) -> bool:
    return HOME in (source.namespace, destination.namespace)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_exactly_the_flows_of_the_table_pass(overlay: str) -> None:
    passing = {
        (source, destination, port)
        for (source, near), (destination, far), port in product(PLACES.items(), PLACES.items(), PORTS)
        if concerns_us(near, far) and passes(policies(overlay), Flow(near, far, port))
    }
    assert passing - expected(overlay) == set(), "pass and should not"
    assert expected(overlay) - passing == set(), "do not pass and should"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_udp_passes_for_names_alone(overlay: str) -> None:
    pairs = product(OWN, PLACES)
    tried = [(source, destination, port) for (source, destination), port in product(pairs, (53, 443, 8000))]
    passing = {each for each in tried if passes(policies(overlay), flow(*each, "UDP"))}
    within = {(s, d, p) for group in (SERVE, SHARED, JOB) for s, d, p in product(group, group, (53, 443, 8000))}
    assert passing - within == {(name, "dns", 53) for name in OWN}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_policy_and_every_rule_is_needed(overlay: str) -> None:
    flows = [flow(*row) for row in expected(overlay)] + [flow(name, "dns", 53, "UDP") for name in OWN]
    idle = []
    for policy, direction in product(policies(overlay), ("ingress", "egress")):
        for rule in policy["spec"].get(direction, []):
            rest = [other for other in policy["spec"][direction] if other is not rule]
            without = [p for p in policies(overlay) if p is not policy]
            changed = {**policy, "spec": {**policy["spec"], direction: rest}}
            if all(passes([*without, changed], each) for each in flows):
                idle.append((policy["metadata"]["name"], direction, rule))
    assert idle == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_without_the_default_a_pod_that_nobody_knows_is_open(overlay: str) -> None:
    rest = [policy for policy in policies(overlay) if policy["metadata"]["name"] != "default-deny"]
    assert passes(rest, flow("other team", "unknown", 80))
    assert not passes(policies(overlay), flow("other team", "unknown", 80))


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_a_place_of_the_table(overlay: str) -> None:
    found = [template["metadata"]["labels"] for template in pod_templates(documents(overlay))]
    strangers = [labels for labels in found if not places_of(labels)]
    assert strangers == []


def places_of(labels: dict[str, str]) -> list[str]:
    """The places that look to every policy as a pod with these labels does; one that nobody knows is none."""
    seen = {key: value for key, value in labels.items() if key in ("app", "vigia/role")}
    if labels.get("sidecar.istio.io/inject") == "true":
        seen["sidecar.istio.io/inject"] = "true"
    return [name for name in OWN if PLACES[name].labels == seen]
