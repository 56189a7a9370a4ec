"""What the doctor says of a cluster, through the fake of the Kubernetes API: all well, and each thing amiss."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.adapters.kubernetes_api import KubernetesApi
from flows.adapters.kubernetes_client import connect
from flows.doctor.checkup import Found, Verdict, examine
from flows.environments import Environment
from flows.steps.doctor_cluster import checks_of_cluster
from tests.fakes.kubernetes.access import Rule, User
from tests.fakes.kubernetes.server import Cluster, kubernetes_api

PLACE = Environment(
    "minikube", "", "main", "f", "", None, "", controller="argocd", namespace="ml-dev", probe="http://localhost"
)
UP = "monitoring/prometheus-operator-kube-p-prometheus:9090/api/v1/query"
Objects = dict[str, dict[str, Any]]
Change = Callable[[Objects], None]


def healthy() -> Objects:
    """By name."""
    with (Path(__file__).parent / "healthy.yaml").open() as file:
        return {one["metadata"]["name"]: one for one in yaml.safe_load_all(file)}


@contextmanager
def cluster_of(objects: Objects, up: tuple[str, ...] = ("1", "1")) -> Iterator[Cluster]:
    with kubernetes_api(("default",)) as found:
        for one in objects.values():
            found.fake.make(one)
        targets = [{"metric": {"pod": f"pod-{k}"}, "value": [0, value]} for k, value in enumerate(up)]
        found.fake.proxied[UP] = {"status": "success", "data": {"resultType": "vector", "result": targets}}
        yield found


def api_of(cluster: Cluster, **kubeconfig: str) -> KubernetesApi:
    return KubernetesApi(connect(None, {"KUBECONFIG": str(cluster.kubeconfig(**kubeconfig))}), "ml-dev", 5.0)


def examined(api: KubernetesApi) -> dict[str, Found]:
    """By title, but for the one question about a program of this machine; the API's host is that of the service too."""
    place = replace(PLACE, probe=api.client.configuration.host)
    checks = [one for one in checks_of_cluster(place, lambda: api) if one.title != "kubectl"]
    return {one.title: one for one in examine(checks)}


def test_a_cluster_as_the_scripts_leave_it_is_well() -> None:
    with cluster_of(healthy()) as cluster:
        found = examined(api_of(cluster))
    assert {title: one.text for title, one in found.items() if one.verdict is not Verdict.OK} == {}
    assert "v1.7.0" in found["KubeRay"].text
    assert found["Monitoring"].text == "2 targets up"
    assert found["Namespace"].text == "ml-dev enforces Pod Security restricted"


def set_value(name: str, *path: str | int, to: Any) -> Change:
    def act(objects: Objects) -> None:
        place: Any = objects[name]
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to

    return act


GATED = ["--feature-gates=RayServiceIncrementalUpgrade=true"]
CONTAINER = ("spec", "template", "spec", "containers", 0)
AMISS = [
    ("Secrets", set_value("ray-auth-token", "data", to={}), "ray-auth-token.auth_token"),
    ("RayService", set_value("anomaly-detector", "status", "conditions", 0, "status", to="False"), "Ready False"),
    ("Argo CD", set_value("ml-system-minikube", "status", "sync", "status", to="OutOfSync"), "must be Synced"),
    ("Argo CD", set_value("ml-system-minikube", "status", "health", "status", to="Degraded"), "must be healthy"),
    ("Health checks", set_value("argocd-cm", "data", to={}), "ray.io_RayService, ray.io_RayJob"),
    ("KubeRay", set_value("kuberay-operator", "status", to={}), "must have a ready pod"),
    ("KubeRay", set_value("kuberay-operator", *CONTAINER, "args", to=GATED), "RayServiceIncrementalUpgrade=false"),
    ("Namespace", set_value("ml-dev", "metadata", "labels", to={}), "must enforce a level of Pod Security"),
]


@pytest.mark.parametrize(("title", "change", "words"), AMISS)
def test_what_is_amiss_is_named_with_its_fix(title: str, change: Change, words: str) -> None:
    objects = healthy()
    change(objects)
    with cluster_of(objects) as cluster:
        found = examined(api_of(cluster))
    assert (found[title].verdict, bool(found[title].fix)) == (Verdict.FAILED, True)
    assert words in found[title].text
    assert {other for other, one in found.items() if one.verdict is Verdict.FAILED} == {title}


def external(status: str) -> dict[str, Any]:
    meta = {"name": "ray-auth-token", "namespace": "ml-dev", "labels": {"app.kubernetes.io/part-of": "vigia"}}
    ready = {"type": "Ready", "status": status, "reason": "SecretSyncedError", "message": "no such property"}
    spec = {"secretStoreRef": {"name": "aws-secrets-manager"}}
    return {"apiVersion": "external-secrets.io/v1", "kind": "ExternalSecret", "metadata": meta, "spec": spec} | {
        "status": {"conditions": [ready]}
    }


@pytest.mark.parametrize(
    ("status", "verdict", "words"),
    [
        ("True", Verdict.OK, "1 fetched from their store"),
        ("False", Verdict.FAILED, "ray-auth-token (Ready False: no such"),
    ],
)
def test_secrets_that_an_operator_fetches_need_no_script(status: str, verdict: Verdict, words: str) -> None:
    objects = healthy()
    del objects["ray-auth-token"]  # what the operator makes of it carries no label of ours
    with cluster_of(objects | {"external": external(status)}) as cluster:
        found = examined(api_of(cluster))["Secrets"]
    assert (found.verdict, words in found.text) == (verdict, True), found.text


def test_secrets_that_nobody_declared_are_missed_with_and_without_that_operator() -> None:
    objects = healthy()
    del objects["ray-auth-token"]
    with cluster_of(objects) as cluster:
        found = examined(api_of(cluster))["Secrets"]
    with kubernetes_api(("default",), groups=("argoproj.io",)) as cluster:
        cluster.fake.make(healthy()["ml-dev"])
        other = examined(api_of(cluster))["Secrets"]
    assert found.text == other.text == "secrets: must be there: the overlay was not applied"


@pytest.mark.parametrize(("up", "words"), [(("1", "0"), "down pod-1"), ((), "no target")])
def test_monitoring_that_does_not_reach_all_is_named(up: tuple[str, ...], words: str) -> None:
    with cluster_of(healthy(), up) as cluster:
        found = examined(api_of(cluster))
    assert found["Monitoring"].verdict is Verdict.FAILED
    assert words in found["Monitoring"].text


def test_without_an_operator_its_kinds_are_named_and_what_needs_them_is_left_out() -> None:
    with kubernetes_api(("default", "ml-dev"), groups=("argoproj.io",)) as cluster:
        found = examined(api_of(cluster))
    assert found["Operators"].verdict is Verdict.FAILED
    assert "rayservices.ray.io (v1)" in found["Operators"].text
    assert found["RayService"].verdict is Verdict.LEFT_OUT
    assert found["KubeRay"].verdict is Verdict.FAILED


def test_who_may_not_look_is_told_what_right_is_missing() -> None:
    rules = (Rule(("get", "list"), ("ray.io", "apiextensions.k8s.io"), ("*",)), Rule(("get",), ("",), ("namespaces",)))
    with cluster_of(healthy()) as cluster:
        cluster.fake.access.users["weak"] = User("weak", rules)
        found = examined(api_of(cluster, token="weak"))
    assert found["Kubernetes API"].text.endswith(", as weak")
    assert found["Secrets"].verdict is Verdict.UNKNOWN
    assert "weak may not list secrets in namespace ml-dev (403)" in found["Secrets"].text
    assert found["RayService"].verdict is Verdict.OK


def test_who_may_see_one_namespace_alone_is_still_told_of_its_service() -> None:
    with cluster_of(healthy()) as cluster:
        cluster.fake.access.users["inner"] = User("inner", (Rule(("get",), ("ray.io",), ("rayservices",), "ml-dev"),))
        found = examined(api_of(cluster, token="inner"))
    assert found["Operators"].verdict is Verdict.UNKNOWN
    assert "1-config-cluster" not in found["Operators"].fix
    assert found["RayService"].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("token", "words"), [("expired", "does not know these credentials"), ("none", "no credentials")]
)
def test_an_api_that_does_not_know_who_asks_is_to_be_mended_first(token: str, words: str) -> None:
    with cluster_of(healthy()) as cluster:
        cluster.fake.access.users["none"] = User("system:anonymous", ())
        found = examined(api_of(cluster, token=token))
    assert (found["Kubernetes API"].verdict, words in found["Kubernetes API"].text) == (Verdict.FAILED, True)
    assert "auth whoami" in found["Kubernetes API"].fix
    assert found["RayService"].verdict is Verdict.LEFT_OUT


def test_a_host_where_nobody_listens_is_not_reached() -> None:
    with cluster_of(healthy()) as cluster:
        api = api_of(cluster)
        assert "takes connections at port" in examined(api)["Host"].text
    found = examined(api)["Host"]
    assert (found.verdict, "nobody answers at 127.0.0.1:" in found.text) == (Verdict.UNKNOWN, True)


def test_an_api_that_is_away_leaves_all_else_out() -> None:
    with cluster_of(healthy()) as cluster:
        api = api_of(cluster)
        cluster.stop()
        found = examined(api)
        cluster.start()
    assert found["Kubernetes API"].verdict is Verdict.UNKNOWN
    others = {one.verdict for title, one in found.items() if title not in ("Kubernetes API", "Host")}
    assert others == {Verdict.LEFT_OUT}
