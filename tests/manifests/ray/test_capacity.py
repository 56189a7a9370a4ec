"""docs/capacity-minikube.md adds up, and is what the overlay asks for."""

import pytest
import yaml

from tests.manifests.checking.pod import Pod
from tests.manifests.checking.pods import pods
from tests.manifests.checking.rendering import ROOT, rendered
from tests.manifests.overlays import find
from tests.manifests.ray.capacity import DOCUMENT, Asked, asked_by, requested, rows, sidecar_of, total

LIMIT = Asked(5_500, 11 * 1024)
TABLE = dict(rows())
SUMS = [what for what in TABLE if what.startswith("**")]


def group(last: str) -> list[str]:
    """The rows above a sum, down from the sum before."""
    names = [*TABLE]
    end = names.index(last)
    begin = max([names.index(one) + 1 for one in SUMS if names.index(one) < end], default=0)
    return names[begin:end]


def made(owner: str, role: str = "") -> list[Pod]:
    """Pods of an owner, with that ``vigia/role`` where one is given."""
    every = [pod for pod in pods(rendered("minikube")) if pod.owner.name == owner]
    return [pod for pod in every if not role or pod.labels.get("vigia/role") == role]


POD_ROWS = {
    "postgresql-mlflow": [("postgresql-mlflow", "")],
    "minio-mlflow": [("minio-mlflow", "")],
    "mlflow": [("mlflow", "")],
    "RayService, head": [("anomaly-detector", "serve-head")],
    "RayService, worker": [("anomaly-detector", "serve-worker")],
    "ray-cluster, head": [("ray-cluster", "jobs-head")],
    "one RayJob: submitter": [("train", "job-submitter")],
    "`vigia submit`, two that wait": [("submit-train", ""), ("submit-drift", "")],
    "`vigia verify`": [("verify", "")],
    "backups and their drill": [("backup-buckets", ""), ("backup-postgresql", ""), ("restore-postgresql", "")],
    "bucket Job": [("minio-mlflow-buckets", "")],
}
SIDECARS = {"sidecar of the worker": ("anomaly-detector", "serve-worker"), "sidecar of verify": ("verify", "ops")}


@pytest.mark.parametrize("row", POD_ROWS)
def test_a_row_is_what_its_pods_ask_for(row: str) -> None:
    found = [pod for owner, role in POD_ROWS[row] for pod in made(owner, role)]
    assert len(found) == len(POD_ROWS[row])
    assert TABLE[row] == total(map(asked_by, found))


@pytest.mark.parametrize("row", SIDECARS)
def test_a_sidecar_is_what_its_pods_annotations_ask_for(row: str) -> None:
    (pod,) = made(*SIDECARS[row])
    assert TABLE[row] == sidecar_of(pod)


def test_no_pod_of_the_overlay_is_missing() -> None:
    counted = {owner for owners in POD_ROWS.values() for owner, _ in owners}
    left_out = {"monitor", "validate", "drift"}  # suspended; jobs on a cluster that one job fills
    assert {pod.owner.name for pod in pods(rendered("minikube"))} == counted | left_out
    in_mesh = {pod.owner.name for pod in pods(rendered("minikube")) if sidecar_of(pod) != Asked()}
    assert in_mesh == {owner for owner, _ in SIDECARS.values()}
    idle = find("minikube", "RayCluster", "ray-cluster")["spec"]["workerGroupSpecs"][0]
    assert idle["maxReplicas"] == 0
    assert find("minikube", "CronJob", "monitor")["spec"]["suspend"] is True


def test_workloads_of_one_replica_are_counted_once() -> None:
    for name, kind in {
        "mlflow": "Deployment",
        "minio-mlflow": "Deployment",
        "postgresql-mlflow": "StatefulSet",
    }.items():
        assert find("minikube", kind, name)["spec"]["replicas"] == 1


@pytest.mark.parametrize(
    "chart", ["istiod", "istio-cni", "istio-ingress", "cert-manager", "kuberay-operator", "prometheus-operator"]
)
def test_the_platform_is_what_the_charts_values_ask_for(chart: str) -> None:
    values = yaml.safe_load((ROOT / f"scripts/values/{chart}.yaml").read_text())
    values.pop("global", None)  # of sidecars, which are counted where they are
    (row,) = [what for what in TABLE if what.partition(":")[0] == chart]
    assert TABLE[row] == requested(values)


@pytest.mark.parametrize("row", ["**platform**", "**overlay**", "**for a while**"])
def test_sums_add_up(row: str) -> None:
    assert TABLE[row] == total(TABLE[one] for one in group(row))


def test_all_of_it_fits_and_a_second_cluster_does_not() -> None:
    everything = total(TABLE[row] for row in ("**platform**", "**overlay**", "**for a while**"))
    assert TABLE["**all of it**"] == everything
    second = total(TABLE[row] for row in ("RayService, head", "RayService, worker", "sidecar of the worker"))
    assert TABLE["a second RayService cluster: head, worker, sidecar"] == second
    both = everything + second
    assert TABLE["**with a second cluster**"] == both
    assert everything.cpu <= LIMIT.cpu
    assert everything.memory <= LIMIT.memory
    fits = both.cpu <= LIMIT.cpu and both.memory <= LIMIT.memory
    strategy = find("minikube", "RayService", "anomaly-detector")["spec"]["upgradeStrategy"]["type"]
    assert strategy == ("NewCluster" if fits else "None")
    assert ("`upgradeStrategy: None`" in DOCUMENT.read_text(encoding="utf-8")) is not fits
