"""What happens by the clock."""

import importlib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.config.environments import load_environment
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from tests.manifests.overlays import ROOT, find

OVERLAYS = ("minikube", "aws")
NAMES = ("submit-train", "submit-drift", "verify", "monitor")
CHANNEL = {"minikube": ("http://minio-mlflow:9000", "s3://bundles"), "aws": (None, "s3://me/bundles")}


def schedule(overlay: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = find(overlay, "CronJob", name)["spec"]
    return found


def pod(overlay: str, name: str) -> dict[str, Any]:
    found: dict[str, Any] = schedule(overlay, name)["jobTemplate"]["spec"]["template"]
    return found


def words(name: str) -> list[str]:
    found: list[str] = pod("minikube", name)["spec"]["containers"][0]["args"]
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", NAMES)
def test_nothing_piles_up(overlay: str, name: str) -> None:
    found = schedule(overlay, name)
    assert found["concurrencyPolicy"] == "Forbid"
    assert found["timeZone"] == "Etc/UTC"
    assert found["startingDeadlineSeconds"] >= 100  # below ten seconds Kubernetes may miss each turn
    assert found["successfulJobsHistoryLimit"] == found["failedJobsHistoryLimit"] == 3
    job = found["jobTemplate"]["spec"]
    assert job["backoffLimit"] == 0
    assert job["activeDeadlineSeconds"] > 0


def test_a_command_that_does_not_exist_yet_is_suspended() -> None:
    from flows.cli.main import COMMANDS

    known = {command.name for command in COMMANDS}
    suspended = {name for name in NAMES if schedule("minikube", name).get("suspend")}
    assert suspended == {"monitor"}
    assert "monitor" not in known


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize("name", NAMES)
def test_their_account_alone_gets_a_token_and_nothing_runs_as_root(overlay: str, name: str) -> None:
    spec = pod(overlay, name)["spec"]
    assert (spec["serviceAccountName"], spec["automountServiceAccountToken"]) == ("vigia-ops", True)
    assert spec["securityContext"]["runAsNonRoot"] is True
    (container,) = spec["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["image"].partition("/vigia-")[2].startswith("ops")
    assert pod(overlay, name)["metadata"]["labels"]["vigia/role"] == "ops"
    assert ("envFrom" in container) == (overlay == "minikube")


def test_the_verifier_is_in_the_mesh_and_may_revert() -> None:
    assert pod("minikube", "verify")["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    with_git = {name for name in NAMES if "vigia-git-secret" in str(pod("minikube", name))}
    assert with_git == {"verify"}


def parser_of(command: str) -> ArgumentParser:
    parser = ArgumentParser()
    importlib.import_module(f"flows.cli.{command}").add_arguments(parser)
    return parser


def parsed(name: str) -> Namespace:
    """The arguments of a CronJob as its command takes them; ``submit`` leaves some to the command of its job."""
    parser = parser_of(words(name)[0])
    parser.add_argument("--workspace")
    found, rest = parser.parse_known_args(words(name)[1:])
    found.given = [*vars(found).get("given", ()), *rest]
    assert not rest or words(name)[0] == "submit"
    return found


@pytest.mark.parametrize("name", ["submit-train", "submit-drift", "verify"])
def test_the_command_takes_its_arguments(name: str) -> None:
    given = parsed(name)
    assert (given.env, given.environments) == ("$(VIGIA_ENV)", Path("/etc/vigia/environments.yaml"))
    assert given.workspace == "/tmp/vigia"


@pytest.mark.parametrize(("name", "given"), [("submit-train", []), ("submit-drift", ["--last", "7d"])])
def test_the_command_of_the_job_takes_what_is_left_to_it(name: str, given: list[str]) -> None:
    assert parsed(name).given == given
    parser_of(parsed(name).job).parse_args(given)


def test_verify_has_time_for_a_revert() -> None:
    assert 2 * parsed("verify").timeout < schedule("minikube", "verify")["jobTemplate"]["spec"]["activeDeadlineSeconds"]


@pytest.mark.parametrize(("name", "template"), [("submit-train", "rayjob-train"), ("submit-drift", "rayjob-drift")])
def test_a_submission_waits_longer_than_its_job_may_run(name: str, template: str) -> None:
    job = yaml.safe_load(find("aws", "ConfigMap", "rayjob-templates")["data"][f"{template}.yaml"])["spec"]
    waits = schedule("aws", name)["jobTemplate"]["spec"]["activeDeadlineSeconds"]
    assert waits > job["activeDeadlineSeconds"] + job["preRunningDeadlineSeconds"]
    assert words(name)[:2] == ["submit", template.removeprefix("rayjob-")]
    assert parsed(name).wait is True
    assert parsed(name).timeout >= waits


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_know_their_environment_by_its_services(overlay: str, tmp_path: Path) -> None:
    data = find(overlay, "ConfigMap", "vigia-environments")["data"]
    file = tmp_path / "environments.yaml"
    file.write_text(data["environments.yaml"].replace("FILL-IN", "me"))
    found = load_environment(data["name"], file)
    assert data["name"] == overlay
    assert (found.registry, found.probe) == ("http://mlflow:5000", "http://anomaly-detector-serve-svc:8000")
    assert (found.endpoint, found.bundles) == CHANNEL[overlay]
    assert data.get("endpoint") == found.endpoint
    laptops = yaml.safe_load((ROOT / "configs/environments.yaml").read_text())[overlay]
    for key in ("repository", "controller", "namespace", "bundles"):
        assert yaml.safe_load(data["environments.yaml"])[overlay][key] == laptops[key]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_jobs_have_a_configuration_that_loads(overlay: str, tmp_path: Path) -> None:
    file = tmp_path / "configuration.yaml"
    file.write_text(find(overlay, "ConfigMap", "vigia-environments")["data"]["configuration.yaml"])
    assert load_config(TrainConfig, file).data.uri
