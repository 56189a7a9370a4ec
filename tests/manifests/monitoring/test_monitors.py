"""What Prometheus scrapes: every port of a Ray node once, under the labels that Ray's dashboards ask for."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.pod import Pod
from tests.manifests.checking.pods import pods
from tests.manifests.checking.rendering import ROOT, rendered
from tests.manifests.checking.services import services
from tests.manifests.checking.walking import at, matches
from tests.manifests.monitoring.files import dropped_names

OVERLAYS = ("minikube", "aws")
PORTS = {"metrics", "as-metrics", "dash-metrics"}
CLUSTER = "ray.io/cluster"


def ray_nodes(documents: Documents) -> list[Pod]:
    """Heads and workers of the clusters that run all the time, and of jobs."""
    return [pod for pod in pods(documents) if pod.labels.get("ray.io/node-type") in ("head", "worker")]


def dropped(endpoint: dict[str, Any], pod: Pod) -> bool:
    """Whether a relabeling drops the pod by its cluster."""
    drops = [rule for rule in endpoint.get("relabelings", ()) if rule.get("action") == "drop"]
    return any(re.fullmatch(rule["regex"], pod.labels[CLUSTER]) for rule in drops)


def by_pod(documents: Documents, pod: Pod) -> Iterator[str]:
    """Ports of the pod that a PodMonitor scrapes, one for each time."""
    for monitor in documents.of("PodMonitor"):
        here = at(monitor.spec, "namespaceSelector.matchNames", [monitor.namespace])
        if pod.namespace in here and matches(monitor.spec["selector"]["matchLabels"], pod.labels):
            yield from (one["port"] for one in monitor.spec["podMetricsEndpoints"] if not dropped(one, pod))


def by_service(documents: Documents, pod: Pod) -> Iterator[str]:
    """Ports of a head that a ServiceMonitor scrapes, by each of its head services; of a RayService there are two."""
    if pod.labels["ray.io/node-type"] != "head":
        return
    heads = [one.labels for one in services(documents) if one.labels.get(CLUSTER) == pod.labels[CLUSTER]]
    if pod.owner.kind == "RayService":
        heads.append({"ray.io/node-type": "head", "ray.io/originated-from-cr-name": pod.owner.name})
    for monitor in documents.of("ServiceMonitor"):
        for labels in heads:
            if matches(monitor.spec["selector"]["matchLabels"], labels):
                yield from (one["port"] for one in monitor.spec["endpoints"])


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_port_of_a_ray_node_is_scraped_once(overlay: str) -> None:
    documents = rendered(overlay)
    nodes = ray_nodes(documents)
    assert {pod.owner.kind for pod in nodes} >= {"RayService", "RayCluster"}
    for pod in nodes:
        offered = {port["name"] for _, one in pod.containers() for port in one.get("ports") or ()} & PORTS
        scraped = Counter([*by_pod(documents, pod), *by_service(documents, pod)])
        assert {name: scraped[name] for name in offered} == dict.fromkeys(offered, 1), str(pod.owner)
        assert "metrics" in offered


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_metrics_of_ray_name_their_cluster_and_the_type_of_the_node(overlay: str) -> None:
    for monitor in rendered(overlay).of("PodMonitor"):
        if "ray.io/node-type" in monitor.spec["selector"]["matchLabels"]:
            for endpoint in monitor.spec["podMetricsEndpoints"]:
                targets = {rule.get("targetLabel") for rule in endpoint["relabelings"]}
                assert {"ray_io_cluster", "ray_io_node_type"} <= targets


def test_a_metric_that_a_rule_or_dashboard_reads_is_not_thrown_away(exported: frozenset[str]) -> None:
    throw = dropped_names()
    assert throw
    assert not [name for name in exported for regex in throw if re.fullmatch(regex, name)]


def test_mlflow_is_scraped_because_it_is_started_to_be() -> None:
    documents = rendered("minikube")
    mlflow = documents.find("Deployment", "mlflow", "ml-dev")
    assert mlflow is not None
    assert any(
        "--expose-prometheus" in argument for argument in mlflow.spec["template"]["spec"]["containers"][0]["args"]
    )
    assert documents.find("ServiceMonitor", "mlflow", "ml-dev")


def test_a_store_that_aws_brings_itself_is_not_looked_for() -> None:
    assert rendered("minikube").find("ServiceMonitor", "minio-mlflow", "ml-dev")
    assert not rendered("aws").find("ServiceMonitor", "minio-mlflow", "ml-dev")


def test_what_is_monitored_here_is_not_monitored_by_its_chart_too() -> None:
    for chart in ("kuberay-operator", "cert-manager"):
        values = yaml.safe_load((ROOT / "scripts" / "values" / f"{chart}.yaml").read_text())
        for path in (
            "metrics.serviceMonitor.enabled",
            "prometheus.servicemonitor.enabled",
            "prometheus.podmonitor.enabled",
        ):
            assert not at(values, path, False), f"{chart}: {path}"
