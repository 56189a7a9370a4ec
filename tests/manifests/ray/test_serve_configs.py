"""What each environment serves: one file each, the same but for what differs between places, and editable."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from flows.adapters.kustomize import build_overlay
from flows.promotion.edit import Leaves, Target, promote_text, read_leaves, refuse_broken_promise, serve_config
from serving.settings import Arguments, UserConfig, read_settings
from tests.manifests.overlays import ROOT
from tests.system import require_program

OVERLAYS = ("local", "minikube", "aws")
BUNDLE = {"uri": "s3://bundles/sha256/ab12", "digest": "ab12", "model": "anomaly-detector", "version": "12"}
DIFFERENT = {
    "proxy_location",  # on a laptop there is one node
    "http_options",
    "logging_config",
    "applications.args.store.endpoint",
    "applications.args.store.region",
    "applications.args.cache.folder",
    "applications.deployments.num_replicas",
    "applications.deployments.autoscaling_config",
    "applications.deployments.max_replicas_per_node",
    "applications.deployments.graceful_shutdown_timeout_s",
    "applications.deployments.ray_actor_options.num_cpus",
    "applications.deployments.user_config.log.uri",
    "applications.deployments.user_config.log.keep_days",
}
"""What may differ, with all below it. Lists hold one thing each and have no index. What promotion writes is compared
apart."""


def path_of(overlay: str) -> Path:
    return ROOT / f"manifests/overlays/{overlay}/rayservice-serve-config.yaml"


def leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if path in DIFFERENT or path.endswith((".bundle", ".previous")):
        return
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves(inner, f"{path}.{key}".lstrip("."))
    elif isinstance(value, list):
        assert len(value) == 1
        yield from leaves(value[0], path)
    else:
        yield path, value


def config(overlay: str) -> dict[str, Any]:
    return serve_config(path_of(overlay).read_text(), Target(file=overlay))


def deployment(overlay: str) -> dict[str, Any]:
    found: dict[str, Any] = config(overlay)["applications"][0]["deployments"][0]
    return found


@pytest.mark.parametrize("overlay", OVERLAYS[1:])
def test_environments_differ_in_the_listed_leaves_alone(overlay: str) -> None:
    assert dict(leaves(config(overlay))) == dict(leaves(config("local")))


def test_every_listed_leaf_does_differ() -> None:
    def value(overlay: str, path: str) -> Any:
        found: Any = config(overlay)
        for key in path.split("."):
            found = found[0] if isinstance(found, list) else found
            found = found.get(key) if found else None
        return found

    for path in DIFFERENT:
        assert len({str(value(overlay, path)) for overlay in OVERLAYS}) > 1, path


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_bundle_and_the_one_before_have_a_place(overlay: str) -> None:
    keys = {(section, key) for section in ("bundle", "previous") for key in BUNDLE}
    assert read_leaves(path_of(overlay).read_text()).keys() == keys


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_service_understands_its_arguments(overlay: str) -> None:
    application = config(overlay)["applications"][0]
    read_settings(application["args"], Arguments, "args")
    read_settings(application["deployments"][0]["user_config"], UserConfig, "user_config")


@pytest.mark.parametrize("overlay", OVERLAYS[1:])
def test_a_replica_has_time_for_its_last_requests(overlay: str) -> None:
    assert deployment(overlay)["graceful_shutdown_timeout_s"] > 35  # Serve drains for 30 s, and adds 5


@pytest.mark.parametrize("overlay", OVERLAYS[1:])
def test_requests_are_taken_in_on_every_worker(overlay: str) -> None:
    found = config(overlay)
    assert found["proxy_location"] == "EveryNode"
    assert (found["http_options"]["host"], found["http_options"]["port"]) == ("0.0.0.0", 8000)


def test_two_nodes_serve_on_aws_at_least() -> None:
    found = deployment("aws")
    assert found["autoscaling_config"]["min_replicas"] >= 2
    assert found["max_replicas_per_node"] == 1


@pytest.mark.parametrize("overlay", ["minikube", pytest.param("aws", marks=pytest.mark.slow)])
def test_what_promotion_writes_is_what_kustomize_builds(overlay: str, tmp_path: Path) -> None:
    require_program("kubectl", "kubectl")
    shutil.copytree(ROOT / "manifests", tmp_path / "manifests")
    file = tmp_path / path_of(overlay).relative_to(ROOT)
    edit = promote_text(file.read_text(), BUNDLE)
    file.write_text(edit.text)
    built = build_overlay(file.parent)
    assert built is not None
    promised: Leaves = {("bundle", key): value for key, value in BUNDLE.items()}
    target = Target(file=overlay)
    assert {key: read_leaves(built, target)[key] for key in promised} == promised
    refuse_broken_promise(built, read_leaves(edit.text), target)
