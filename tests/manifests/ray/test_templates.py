"""Templates of jobs: what `vigia submit` makes RayJobs of, and the Job for promotion."""

import re
import shlex
from functools import cache
from typing import Any

import jsonschema
import pytest
import yaml

from scripts.render_templates import BASE, job, laid_over, rendered
from tests.manifests.overlays import ROOT, documents, find
from tests.manifests.schema_folder import require_schemas

JOBS = ("train", "validate", "drift")
TEMPLATES = ROOT / "manifests/templates"


@cache
def templates(overlay: str) -> dict[str, dict[str, Any]]:
    """RayJobs as the ConfigMap of an overlay holds them, by the key of the ConfigMap."""
    found = find(overlay, "ConfigMap", "rayjob-templates")["data"]
    return {key: yaml.load(text, yaml.CSafeLoader) for key, text in found.items()}


def pods(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Pod templates of a RayJob by role."""
    spec = made["spec"]
    found = [spec["submitterPodTemplate"]]
    if "rayClusterSpec" in spec:
        cluster = spec["rayClusterSpec"]
        found += [cluster["headGroupSpec"]["template"], *(one["template"] for one in cluster["workerGroupSpecs"])]
    return {one["metadata"]["labels"]["vigia/role"]: one["spec"] for one in found}


def test_what_is_rendered_is_what_the_templates_say() -> None:
    for file, text in rendered().items():
        assert file.read_text(encoding="utf-8") == text, "run `make render`"


@pytest.mark.parametrize("overlay", ["minikube", "aws"])
def test_a_cluster_holds_the_template_of_every_job(overlay: str) -> None:
    assert templates(overlay).keys() == {f"rayjob-{name}.yaml" for name in JOBS}


@pytest.mark.parametrize("overlay", ["minikube", "aws"])
def test_templates_are_rayjobs_of_the_operators_schema(overlay: str) -> None:
    schema = yaml.safe_load((require_schemas() / "ray.io/rayjob_v1.json").read_text())
    for made in templates(overlay).values():
        jsonschema.validate(made, schema)


@pytest.mark.parametrize("name", JOBS)
def test_a_job_ends_and_is_tried_once(name: str) -> None:
    spec = job(name)["spec"]
    assert (spec["backoffLimit"], spec["submitterConfig"]["backoffLimit"]) == (0, 0)
    assert (spec["shutdownAfterJobFinishes"], spec["ttlSecondsAfterFinished"]) == (True, 120)
    assert 0 < spec["preRunningDeadlineSeconds"] < spec["activeDeadlineSeconds"] <= 4 * 3600


@pytest.mark.parametrize("name", JOBS)
def test_the_entrypoint_is_that_command_with_a_result_line(name: str) -> None:
    words = shlex.split(job(name)["spec"]["entrypoint"])
    assert words[:2] == ["vigia", name]
    assert "--result-line" in words
    assert words[words.index("--workspace") + 1] == "/tmp/vigia"


@pytest.mark.parametrize("name", JOBS)
def test_the_environment_is_that_of_the_cluster(name: str) -> None:
    words = shlex.split(job(name)["spec"]["entrypoint"])
    assert ("--env" in words) == (name != "validate")  # which asks no registry and no store
    if "--env" in words:
        assert words[words.index("--env") + 1] == "$VIGIA_ENV"
        variables = {one["name"]: one for one in pods(job(name))["job-submitter"]["containers"][0]["env"]}
        assert variables["VIGIA_ENV"]["valueFrom"]["configMapKeyRef"] == {"name": "vigia-environments", "key": "name"}


@pytest.mark.parametrize("name", JOBS)
def test_every_pod_is_of_the_identity_train_and_holds_no_token_of_kubernetes(name: str) -> None:
    found = pods(job(name))
    assert found.keys() == {"job-submitter", "job-head", "job-worker"}
    for spec in found.values():
        assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("ray-train", False)
        assert spec["securityContext"]["runAsNonRoot"] is True
        (container,) = spec["containers"]
        assert container["image"] == "vigia-train"  # `submit` puts in the one of the overlay
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert "autoscaler-token" not in [mount["name"] for mount in container["volumeMounts"]]
    for role in ("job-head", "job-worker"):
        assert found[role]["containers"][0]["envFrom"][0]["secretRef"]["name"] == "s3-train-secret"


def test_minikubes_jobs_use_the_shared_cluster_and_leave_it() -> None:
    shared = find("minikube", "RayCluster", "ray-cluster")
    for key, made in templates("minikube").items():
        assert made["spec"]["clusterSelector"] == {"ray.io/cluster": shared["metadata"]["name"]}
        assert not {"rayClusterSpec", "shutdownAfterJobFinishes", "ttlSecondsAfterFinished"} & made["spec"].keys()
        own = templates("aws")[key]["spec"]
        assert {name: own[name] for name in made["spec"] if name in own}.items() <= made["spec"].items()


def test_a_job_of_its_own_cluster_drives_from_the_head_and_works_on_workers() -> None:
    cluster = job("train")["spec"]["rayClusterSpec"]
    assert cluster["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"
    (workers,) = cluster["workerGroupSpecs"]
    assert workers["minReplicas"] == 0 < workers["maxReplicas"]
    (container,) = workers["template"]["spec"]["containers"]
    assert workers["rayStartParams"]["num-cpus"] == container["resources"]["limits"]["cpu"]


def test_jobs_of_the_shared_cluster_find_what_those_of_their_own_do() -> None:
    own = pods(job("train"))["job-head"]["containers"][0]
    shared = find("minikube", "RayCluster", "ray-cluster")["spec"]["headGroupSpec"]["template"]["spec"]["containers"][0]
    assert shared["env"] == own["env"]
    assert {"name": "environments", "mountPath": "/etc/vigia", "readOnly": True} in shared["volumeMounts"]
    assert {"name": "environments", "mountPath": "/etc/vigia", "readOnly": True} in own["volumeMounts"]


def test_promotion_by_a_rayjob_is_off() -> None:
    assert "rayjob-promote.yaml" not in yaml.safe_load(BASE.read_text())["data"]
    assert "vigia-git-secret" in str(job("promote"))


@pytest.mark.parametrize("overlay", ["minikube", "aws"])
def test_no_ray_pod_has_the_git_credential(overlay: str) -> None:
    ray = [one for one in documents(overlay) if one["apiVersion"].startswith("ray.io/")]
    assert len(ray) == 2
    assert "vigia-git-secret" not in str([*ray, *templates(overlay).values()])


def test_the_promotion_job_is_of_the_ops_image_and_account() -> None:
    found = yaml.safe_load((TEMPLATES / "job-promote.yaml").read_text())
    spec = found["spec"]["template"]["spec"]
    assert spec["serviceAccountName"] == "vigia-ops"
    clocked = find("minikube", "CronJob", "verify")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    ours, theirs = (re.split("[:@]", one["containers"][0]["image"])[0] for one in (spec, clocked))
    assert ours == theirs
    assert {"name": "git", "secret": {"secretName": "vigia-git-secret", "defaultMode": 0o440}} in spec["volumes"]


def test_no_template_is_synced() -> None:
    for file in (ROOT / "manifests").rglob("kustomization.yaml"):
        assert "templates/" not in file.read_text().replace("rayjob-templates", "")


def test_lists_of_named_things_are_laid_over_by_name() -> None:
    below = {"a": [{"name": "x", "p": 1}, {"name": "y"}], "b": [1, 2], "c": {"d": 1, "e": 2}}
    above = {"a": [{"name": "y", "q": 2}, {"name": "z"}], "b": [3], "c": {"d": 5}}
    assert laid_over(below, above) == {
        "a": [{"name": "x", "p": 1}, {"name": "y", "q": 2}, {"name": "z"}],
        "b": [3],
        "c": {"d": 5, "e": 2},
    }


def test_rendered_files_say_that_they_are() -> None:
    assert all(text.startswith("# Made by `make render`") for text in rendered().values())
