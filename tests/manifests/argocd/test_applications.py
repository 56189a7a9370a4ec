"""The Argo CD part of the manifests: what is kept in step with git, and what it may touch."""

import re
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests import overlays
from tests.manifests.checking.documents import read_documents
from tests.manifests.checking.rendering import build, kubectl
from tests.manifests.checking.schemas import MISSING, schema_folder, strict_schema

FOLDER = Path(__file__).parents[3] / "manifests" / "argocd"
APPLICATIONS = {"minikube": "ml-system-minikube", "aws": "ml-system-aws"}


def read(file: str) -> dict[str, Any]:
    return dict(yaml.safe_load((FOLDER / file).read_text()))


@pytest.fixture(params=APPLICATIONS)
def environment(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def application(environment: str) -> dict[str, Any]:
    return read(f"app-{environment}.yaml")


def test_argo_cd_knows_every_field() -> None:
    if schema_folder() is None:
        pytest.skip(MISSING)
    for file in ("project.yaml", "app-minikube.yaml", "app-aws.yaml"):
        assert not list(strict_schema(read_documents((FOLDER / file).read_text())))


def test_an_application_keeps_its_overlay_as_git_says(environment: str, application: dict[str, Any]) -> None:
    assert (application["metadata"]["name"], application["metadata"]["namespace"]) == (
        APPLICATIONS[environment],
        "argocd",
    )
    source, sync = application["spec"]["source"], application["spec"]["syncPolicy"]
    assert (FOLDER.parents[1] / source["path"] / "kustomization.yaml").is_file()
    assert source["path"] == f"manifests/overlays/{environment}"
    assert sync["automated"] == {"prune": True, "selfHeal": True, "allowEmpty": False}
    assert sync["retry"]["refresh"] is True
    assert {"ServerSideApply=true", "RespectIgnoreDifferences=true"} <= set(sync["syncOptions"])
    assert "Contact" in {entry["name"] for entry in application["spec"]["info"]}


def test_values_of_secrets_and_what_autoscalers_write_are_left_alone(
    environment: str, application: dict[str, Any]
) -> None:
    """No path leads into a list: for one field there, Argo CD keeps the whole live list of a custom resource."""
    rules = application["spec"]["ignoreDifferences"]
    left = {(rule.get("group", ""), rule["kind"], rule.get("name")): rule["jsonPointers"] for rule in rules}
    scaled = overlays.find(environment, "RayCluster", "ray-cluster")["spec"]["enableInTreeAutoscaling"]
    workers = {("ray.io", "RayCluster", "ray-cluster"): ["/spec/workerGroupSpecs"]} if scaled else {}
    assert left == {("", "Secret", None): ["/data"], ("apps", "Deployment", "mlflow"): ["/spec/replicas"], **workers}


def test_a_schedule_that_somebody_suspends_by_hand_stays_suspended(environment: str) -> None:
    """What git does not say, nobody sets back: the API's own default is that it runs."""
    schedules = [found["spec"] for found in overlays.documents(environment) if found["kind"] == "CronJob"]
    assert {spec.get("suspend", "unsaid") for spec in schedules} == {"unsaid", True}


def test_the_project_lets_the_application_in(application: dict[str, Any]) -> None:
    project, spec = read("project.yaml"), application["spec"]
    assert spec["project"] == project["metadata"]["name"]
    assert spec["source"]["repoURL"] in project["spec"]["sourceRepos"]
    assert spec["destination"] in project["spec"]["destinations"]


def test_the_project_allows_every_object_of_the_overlay(environment: str) -> None:
    spec = read("project.yaml")["spec"]
    cluster = {(kind["group"], kind["kind"], kind["name"]) for kind in spec["clusterResourceWhitelist"]}
    kinds = {(kind["group"], kind["kind"]) for kind in spec["namespaceResourceWhitelist"]}
    namespaces = {destination["namespace"] for destination in spec["destinations"]}
    refused = [
        (kind, name)
        for kind, name, namespace in map(identity, overlays.documents(environment))
        if not ((kind in kinds and namespace in namespaces) if namespace else (*kind, name) in cluster)
    ]
    assert not refused


def test_the_project_allows_nothing_that_no_overlay_holds() -> None:
    spec = read("project.yaml")["spec"]
    every = list(chain.from_iterable(map(overlays.documents, APPLICATIONS)))
    held = {identity(found)[0] for found in every} | {("ray.io", "RayCluster"), ("ray.io", "RayService")}
    listed = chain(spec["namespaceResourceWhitelist"], spec["clusterResourceWhitelist"])
    assert {(kind["group"], kind["kind"]) for kind in listed} <= held
    assert "*" not in str(spec)


def test_no_job_of_ray_is_kept_in_step_with_git(environment: str) -> None:
    assert not [found for found in overlays.documents(environment) if found["kind"] == "RayJob"]
    assert {"group": "ray.io", "kind": "RayJob"} not in read("project.yaml")["spec"]["namespaceResourceWhitelist"]


def test_one_command_brings_the_application_and_the_health_checks() -> None:
    if kubectl() is None:
        pytest.skip("no kubectl")
    found = {(one["kind"], one["metadata"]["name"]): one for one in yaml.safe_load_all(build(FOLDER))}
    assert set(found) == {
        ("AppProject", "ml-system"),
        ("Application", "ml-system-minikube"),
        ("ConfigMap", "argocd-cm"),
    }
    assert {one["metadata"]["namespace"] for one in found.values()} == {"argocd"}


def test_the_health_checks_add_their_keys_to_argo_cds_own_configuration_and_nothing_else() -> None:
    generator = read("health/kustomization.yaml")["configMapGenerator"][0]
    assert generator["name"] == "argocd-cm"
    assert generator["options"]["labels"]["app.kubernetes.io/part-of"] == "argocd"
    keys = [entry.partition("=")[0] for entry in generator["files"]]
    kinds = ("ray.io_RayService", "ray.io_RayJob", "ray.io_RayCluster", "batch_CronJob")
    assert keys == [f"resource.customizations.health.{kind}" for kind in kinds]


def identity(found: dict[str, Any]) -> tuple[tuple[str, str], str, str]:
    """Group and kind, name, namespace."""
    group = re.sub(r"/?v\d\w*$", "", found["apiVersion"])
    return (group, found["kind"]), found["metadata"]["name"], found["metadata"].get("namespace", "")
