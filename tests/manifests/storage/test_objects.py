"""Database, store and registry as the API server gets them, on Minikube and on AWS."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from tests.manifests.overlays import ROOT, documents, find

OURS = ("mlflow", "postgresql-mlflow", "minio-mlflow", "vigia-backup")
KEEP = "Prune=false,Delete=false"
CRON_JOBS = ("backup-buckets", "backup-postgresql", "restore-postgresql")


def test_every_object_of_storage_is_valid_to_the_last_field() -> None:
    for overlay in ("minikube", "aws"):
        core = [found for found in _ours(overlay) if "." not in found["apiVersion"]]
        assert len(core) > 6
        for found in core:
            kubernetes_validate.validate(found, "1.34", strict=True)


def test_what_holds_data_survives_its_removal_from_git() -> None:
    names = [found["metadata"]["name"] for found in documents("minikube") if found["kind"] == "PersistentVolumeClaim"]
    assert {"postgresql-mlflow-pvc", "minio-mlflow-pvc"} <= set(names)
    held = [found for found in documents("minikube") if found["kind"] in ("Namespace", "PersistentVolumeClaim")]
    for found in [*held, *_declared_secrets()]:
        assert found["metadata"]["annotations"]["argocd.argoproj.io/sync-options"] == KEEP, found["metadata"]["name"]


def test_a_declared_secret_names_its_keys_and_holds_none() -> None:
    declared = {found["metadata"]["name"]: found for found in _declared_secrets()}
    assert {"minio-mlflow-secret", "postgresql-mlflow-secret", "mlflow-secret", "ray-auth-token"} < set(declared)
    for name, found in declared.items():
        assert not {"data", "stringData"} & set(found), name
        assert found["type"] == "Opaque"
        assert found["metadata"]["labels"]["vigia/values"] == "script"
    for name, key in _secret_keys("minikube"):
        assert key in declared[name]["metadata"]["annotations"]["vigia/keys"].split(","), f"{name} has no key {key}"


def test_services_lead_to_their_pods_and_to_no_others() -> None:
    for name, ports in {"mlflow": [5000], "minio-mlflow": [9000, 9001], "postgresql-mlflow": [5432]}.items():
        spec = find("minikube", "Service", name)["spec"]
        assert [port["port"] for port in spec["ports"]] == ports
        labels = [_template(found)["metadata"]["labels"] for found in _ours("minikube") if _has_pods(found)]
        chosen = [pod["app"] for pod in labels if spec["selector"].items() <= pod.items()]
        assert chosen == [name]


def test_the_buckets_job_makes_a_user_of_every_policy_and_bounds_every_sync() -> None:
    job = find("minikube", "Job", "minio-mlflow-buckets")
    assert job["metadata"]["annotations"]["argocd.argoproj.io/hook"] == "Sync"
    volumes = {volume["name"]: volume for volume in _template(job)["spec"]["volumes"]}
    declared = next(found for found in documents("minikube") if found["metadata"]["name"] == _declared(volumes))
    identities = {file.removesuffix(".json") for file in declared["data"] if file.endswith(".json")} - {"lifecycle"}
    assert {name for name, volume in volumes.items() if "secret" in volume} == identities
    assert f"for identity in {' '.join(sorted(identities))}; do" in declared["data"]["buckets.sh"]


@pytest.mark.parametrize("name", CRON_JOBS)
def test_backups_run_one_at_a_time_and_end(name: str) -> None:
    spec = find("minikube", "CronJob", name)["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert spec["startingDeadlineSeconds"] >= 600
    assert spec["successfulJobsHistoryLimit"]
    assert spec["failedJobsHistoryLimit"]
    assert spec["jobTemplate"]["spec"]["activeDeadlineSeconds"] <= 7200


def test_scripts_that_pods_run_pass_shellcheck() -> None:
    scripts = sorted((ROOT / "manifests").rglob("*.sh"))
    assert len(scripts) >= 3
    checked = subprocess.run([Path(sys.executable).parent / "shellcheck", *scripts], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stdout


def test_backups_use_the_programs_of_the_servers_that_they_save() -> None:
    server = _images(find("minikube", "StatefulSet", "postgresql-mlflow"))
    client = _images(find("minikube", "Job", "minio-mlflow-buckets"))
    used = [image for name in CRON_JOBS for image in _images(find("minikube", "CronJob", name))]
    assert set(used) == {*server, *client}


def test_aws_keeps_no_store_no_database_and_no_key_in_the_cluster() -> None:
    there = {(found["kind"], found["metadata"]["name"]) for found in documents("aws")}
    assert not {kind for kind, _ in there} & {"PersistentVolumeClaim", "StatefulSet", "Secret"}
    assert not {name for _, name in there} & {"vigia-backup", *CRON_JOBS, "minio-mlflow-buckets"}
    assert find("aws", "Service", "postgresql-mlflow")["spec"]["type"] == "ExternalName"
    assert not [name for name, key in _secret_keys("aws") if key.startswith("AWS_")]
    assert "MLFLOW_S3_ENDPOINT_URL" not in find("aws", "ConfigMap", "mlflow-config")["data"]


def test_aws_makes_every_secret_that_a_pod_reads_from_secrets_manager() -> None:
    stores = {found["metadata"]["name"] for found in documents("aws") if found["kind"] == "SecretStore"}
    made = [found["spec"] for found in documents("aws") if found["kind"] == "ExternalSecret"]
    assert {spec["secretStoreRef"]["name"] for spec in made} <= stores
    keys = {(spec["target"]["name"], data["secretKey"]) for spec in made for data in spec.get("data", [])}
    assert {pair for pair in _secret_keys("aws") if pair[0] != "vigia-git-secret"} <= keys
    assert {"ghcr-secret", "ray-auth-token", "vigia-git-secret"} < {spec["target"]["name"] for spec in made}


@pytest.mark.parametrize(
    ("account", "role"),
    [("mlflow", "register"), ("ray-serve", "serve"), ("ray-train", "train"), ("vigia-ops", "ops")],
)
def test_aws_gives_each_service_account_the_role_of_its_identity(account: str, role: str) -> None:
    annotations = find("aws", "ServiceAccount", account)["metadata"]["annotations"]
    assert annotations["eks.amazonaws.com/role-arn"].endswith(f":role/vigia-{role}")


def _ours(overlay: str) -> list[dict[str, Any]]:
    return [found for found in documents(overlay) if found["metadata"].get("labels", {}).get("app") in OURS]


def _declared_secrets() -> list[dict[str, Any]]:
    return [found for found in documents("minikube") if found["kind"] == "Secret"]


def _secret_keys(overlay: str) -> set[tuple[str, str]]:
    """Every (Secret, key) that a container's environment reads, of storage alone."""
    containers = [one for found in _ours(overlay) if _has_pods(found) for one in _containers(found)]
    sources = [variable.get("valueFrom", {}) for one in containers for variable in one.get("env", [])]
    references = [source["secretKeyRef"] for source in sources if "secretKeyRef" in source]
    return {(reference["name"], reference["key"]) for reference in references}


def _has_pods(found: dict[str, Any]) -> bool:
    return found["kind"] in ("CronJob", "Deployment", "Job", "StatefulSet")


def _template(found: dict[str, Any]) -> dict[str, Any]:
    spec: dict[str, Any] = found["spec"]
    template: dict[str, Any] = spec["jobTemplate"]["spec"]["template"] if "jobTemplate" in spec else spec["template"]
    return template


def _containers(found: dict[str, Any]) -> list[dict[str, Any]]:
    spec = _template(found)["spec"]
    return [*spec.get("initContainers", []), *spec["containers"]]


def _images(found: dict[str, Any]) -> list[str]:
    return [container["image"] for container in _containers(found)]


def _declared(volumes: dict[str, Any]) -> str:
    name: str = volumes["declared"]["configMap"]["name"]
    return name
