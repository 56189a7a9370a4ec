"""MLflow's Deployment: what it is told, who may call it, how it is scaled, and how its schema is brought up to date."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from mlflow.server.security_utils import is_allowed_host_header

from tests.fakes.postgres import postgres
from tests.manifests.overlays import ROOT, find
from tests.manifests.storage.shell import BASE
from tests.system import require_program

HOSTS = {
    "mlflow:5000": True,
    "mlflow": True,
    "mlflow.ml-dev.svc.cluster.local:5000": True,
    "localhost:5000": True,
    "127.0.0.1:5000": True,
    "10.244.0.17:5000": True,
    "172.31.4.9:5000": True,
    "10.rebound.example.com:5000": False,
    "192.168.example.com:5000": False,
    "mlflow.example.com:5000": False,
    "mlflow:80": False,
}
MODULE = """
import time
with open({file!r}, "a", buffering=1) as file:
    print("begin", file=file)
    time.sleep(0.2)
    print("end", file=file)
"""


def test_clients_write_artifacts_to_s3_themselves() -> None:
    for overlay, root in {"minikube": "s3://mlflow", "aws": "s3://FILL-IN/mlflow"}.items():
        assert "--no-serve-artifacts" in _server(overlay)["args"]
        assert find(overlay, "ConfigMap", "mlflow-config")["data"]["MLFLOW_DEFAULT_ARTIFACT_ROOT"] == root


def test_the_image_has_the_drivers_and_the_version_of_our_client() -> None:
    version = next(
        line for line in (ROOT / "requirements.lock").read_text().splitlines() if line.startswith("mlflow==")
    )
    assert _server("minikube")["image"] == f"ghcr.io/mlflow/mlflow:v{version.split('==')[1].split()[0]}-full"


def test_it_runs_no_jobs_and_reports_to_nobody() -> None:
    settings = find("minikube", "ConfigMap", "mlflow-config")["data"]
    assert settings["MLFLOW_SERVER_ENABLE_JOB_EXECUTION"] == "false"
    assert settings["MLFLOW_DISABLE_TELEMETRY"] == settings["DO_NOT_TRACK"] == "true"


def test_no_password_is_in_a_uri() -> None:
    for overlay in ("minikube", "aws"):
        assert "@" not in find(overlay, "ConfigMap", "mlflow-config")["data"]["MLFLOW_BACKEND_STORE_URI"]


@pytest.mark.parametrize("host", HOSTS)
def test_only_the_names_of_the_service_and_addresses_of_pods_may_be_asked_for(host: str) -> None:
    allowed = find("minikube", "ConfigMap", "mlflow-config")["data"]["MLFLOW_SERVER_ALLOWED_HOSTS"].split(",")
    assert is_allowed_host_header(allowed, host) is HOSTS[host]


def test_replicas_of_its_file_are_its_replicas_on_minikube(tmp_path: Path) -> None:
    kubectl = require_program("kubectl", "kubectl")
    manifests = shutil.copytree(ROOT / "manifests", tmp_path / "manifests")
    file = manifests / "base/mlflow/deployment.yaml"
    file.write_text(file.read_text().replace("replicas: 1\n", "replicas: 3\n", 1))
    built = subprocess.run(
        [kubectl, "kustomize", manifests / "overlays/minikube"], capture_output=True, text=True, check=True
    )
    found = {
        document["kind"]: document["spec"]
        for document in yaml.load_all(built.stdout, yaml.CSafeLoader)
        if document["metadata"]["name"] == "mlflow" and document["kind"] in ("Deployment", "HorizontalPodAutoscaler")
    }
    assert found["Deployment"]["replicas"] == 3
    scaled = found["HorizontalPodAutoscaler"]
    assert (scaled["minReplicas"], scaled["maxReplicas"]) == (3, 3)


def test_on_aws_two_or_more_run_apart_and_one_may_be_away() -> None:
    deployment = find("aws", "Deployment", "mlflow")["spec"]
    assert "replicas" not in deployment
    spread = deployment["template"]["spec"]["topologySpreadConstraints"]
    assert [one["topologyKey"] for one in spread] == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]
    assert find("aws", "HorizontalPodAutoscaler", "mlflow")["spec"]["minReplicas"] == 2
    assert find("aws", "PodDisruptionBudget", "mlflow")["spec"]["maxUnavailable"] == 1


def test_pods_that_start_together_change_the_schema_one_after_the_other(tmp_path: Path) -> None:
    """With a stand-in for `python -m mlflow`, which takes a moment."""
    (tmp_path / "mlflow").mkdir()
    (tmp_path / "mlflow/__init__.py").touch()
    (tmp_path / "mlflow/__main__.py").write_text(MODULE.format(file=str(tmp_path / "changes")))
    with postgres() as server:
        pods = [_migrate(server.port, server.password, "postgres", PYTHONPATH=str(tmp_path)) for _ in range(3)]
        assert [pod.wait(60) for pod in pods] == [0, 0, 0]
    assert (tmp_path / "changes").read_text().split() == ["begin", "end"] * 3


@pytest.mark.slow
def test_an_empty_database_is_filled_and_a_current_one_left_alone_by_pods_at_once() -> None:
    with postgres() as server:
        server.run("CREATE DATABASE mlflow")
        pods = [_migrate(server.port, server.password, "mlflow") for _ in range(2)]
        assert [pod.wait(240) for pod in pods] == [0, 0]


def _server(overlay: str) -> dict[str, Any]:
    (container,) = find(overlay, "Deployment", "mlflow")["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def _migrate(port: int, password: str, database: str, **environment: str) -> "subprocess.Popen[bytes]":
    uri = f"postgresql+psycopg2://127.0.0.1:{port}/{database}"
    own = {"PGUSER": "owner", "PGPASSWORD": password, "MLFLOW_BACKEND_STORE_URI": uri}
    return subprocess.Popen([sys.executable, BASE / "mlflow/migrate.py"], env={**os.environ, **own, **environment})
