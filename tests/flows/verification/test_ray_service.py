"""What objects of KubeRay say of a rollout."""

import json
from dataclasses import replace
from typing import Any

import pytest

from features.errors import UnreachableError
from flows.promotion.ray_objects import view_ray_service
from flows.promotion.ray_service import Group, RayServiceView, unsettled, upgrade
from tests.flows.verification.looks import NEW, OLD, look, verdict_of

CALM = RayServiceView(generation=7, observed=7, digest=NEW, active="c1", status="RUNNING", endpoints=2)


def service(**status: Any) -> dict[str, Any]:
    """A RayService as the API has it."""
    bundle = {"deployments": [{"name": "D", "user_config": {"bundle": {"digest": NEW}}}]}
    groups = [{"groupName": "serve", "replicas": 1, "minReplicas": 1, "maxReplicas": 4}]
    return {
        "metadata": {"name": "a", "generation": 7},
        "spec": {
            "serveConfigV2": json.dumps({"applications": [{"name": "other"}, {"name": "a", **bundle}]}),
            "rayClusterConfig": {"rayVersion": "2.60.0", "headServiceAnnotations": {}, "workerGroupSpecs": groups},
        },
        "status": {
            "observedGeneration": 7,
            "numServeEndpoints": 2,
            "activeServiceStatus": {"rayClusterName": "c1", "applicationStatuses": {"a": {"status": "RUNNING"}}},
            **status,
        },
    }


def cluster(name: str, version: str = "2.60.0", most: int = 4, workers: int = 3) -> dict[str, Any]:
    """A RayCluster that the autoscaler has scaled, as Go writes it."""
    group = {"groupName": "serve", "replicas": workers, "minReplicas": 1, "maxReplicas": most, "scaleStrategy": {}}
    return {"metadata": {"name": name}, "spec": {"rayVersion": version, "suspend": False, "workerGroupSpecs": [group]}}


def view(*clusters: dict[str, Any], **status: Any) -> RayServiceView:
    return view_ray_service(service(**status), clusters or (cluster("c1"),), "a", "D")


def test_a_service_at_rest_has_nothing_left_to_do_and_is_not_being_upgraded() -> None:
    assert view() == CALM
    assert (unsettled(CALM, NEW), upgrade(CALM)) == ("", "")


def test_one_that_was_just_made_has_no_status() -> None:
    found = service()
    del found["status"]
    assert unsettled(view_ray_service(found, [], "a", "D"), NEW) == "no cluster is active"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"generation": 0}, "there is no RayService yet"),
        ({"refused": "ValidationFailed: no"}, "KubeRay does not act on it: ValidationFailed: no"),
        ({"suspended": True}, "the RayService is suspended"),
        ({"digest": OLD}, "the RayService names 000000000000, not 111111111111; it is for Argo CD to sync"),
        ({"digest": ""}, "the RayService names nothing, not 111111111111; it is for Argo CD to sync"),
        ({"pending": "c2"}, "cluster c2 is being made beside c1"),
        (
            {"pending": "c2", "pending_status": "DEPLOY_FAILED: no image"},
            "cluster c2 is being made beside c1, and its application is DEPLOY_FAILED: no image",
        ),
        ({"active": "", "pending": "c1"}, "cluster c1 is being made"),
        ({"active": ""}, "no cluster is active"),
        ({"under_way": "RollingBack: said KubeRay"}, "RollingBack: said KubeRay"),
        ({"others": ("c0",)}, "cluster c0, which c1 replaced, is not gone yet"),
    ],
)
def test_what_a_cluster_has_still_to_do_is_named_and_never_verified(changed: Any, reason: str) -> None:
    left = unsettled(replace(CALM, **changed), NEW)
    assert left == reason
    assert reason in verdict_of(look(0, unsettled=left), look(7.5, unsettled=left), look(15, unsettled=left)).reason


def test_a_generation_that_kuberay_does_not_tell_of_yet_delays_no_verdict() -> None:
    """It writes a new observedGeneration down only together with another change of the status."""
    assert unsettled(replace(CALM, generation=8), NEW) == ""


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"pending": "c2"}, "c2 is to replace c1"),
        ({"active": "", "pending": "c1"}, ""),  # the first cluster waits for the first promotion
        ({"under_way": "BothActivePendingClustersExist: x"}, "BothActivePendingClustersExist: x"),
        ({"changed": True, "generation": 8}, "c1 is of an earlier configuration"),
        ({"changed": True, "others": ("c0",)}, "c1 is of an earlier configuration"),
        ({"changed": True}, ""),  # KubeRay has looked, and knows better what is the same
        ({"generation": 8}, ""),  # a promotion that KubeRay has not looked at yet
    ],
)
def test_an_upgrade_is_told_before_kuberay_has_begun_with_it(changed: Any, reason: str) -> None:
    assert upgrade(replace(CALM, **changed)).startswith(reason)
    assert bool(upgrade(replace(CALM, **changed))) == bool(reason)


def test_another_configuration_is_told_from_what_the_autoscaler_and_go_write() -> None:
    assert not view(cluster("c1", workers=4)).changed
    assert view(cluster("c1", version="2.59.0")).changed


def test_a_service_that_makes_no_new_clusters_is_never_upgraded_to_another_configuration() -> None:
    found = service()
    found["spec"]["upgradeStrategy"] = {"type": "None"}
    assert not view_ray_service(found, [cluster("c1", version="2.59.0")], "a", "D").changed


def test_bounds_of_workers_that_no_running_cluster_takes_up_are_told() -> None:
    assert view(cluster("c1", most=2)).bounds == (Group("serve", (1, 4), (1, 2)),)


def test_clusters_that_are_neither_active_nor_pending_are_told() -> None:
    found = view(cluster("c0"), cluster("c1"), cluster("c2"), pendingServiceStatus={"rayClusterName": "c2"})
    assert (found.others, found.pending) == (("c0",), "c2")


@pytest.mark.parametrize(
    ("condition", "field"),
    [
        ({"type": "Ready", "status": "False", "reason": "ValidationFailed", "message": "no"}, "refused"),
        ({"type": "Ready", "status": "False", "reason": "InitializingTimeout", "message": "no"}, "refused"),
        ({"type": "UpgradeInProgress", "status": "True", "reason": "Both", "message": "no"}, "under_way"),
    ],
)
def test_conditions_are_read_by_type_and_reason(condition: Any, field: str) -> None:
    calm = {"type": "UpgradeInProgress", "status": "False", "reason": "NoPendingCluster", "message": "calm"}
    found = view(conditions=[condition, calm] if field == "refused" else [condition])
    assert getattr(found, field) == f"{condition['reason']}: no"
    assert not getattr(found, {"refused": "under_way", "under_way": "refused"}[field])


@pytest.mark.parametrize(
    "text", ["", "applications: [", "[]", "applications: 3", "applications: [{name: a}]", "x: 2026-13-40"]
)
def test_a_configuration_that_names_no_digest_names_nothing(text: str) -> None:
    found = service()
    found["spec"]["serveConfigV2"] = text
    assert view_ray_service(found, [], "a", "D").digest == ""


def test_an_object_that_kuberay_never_writes_is_an_answer_that_is_not_understood() -> None:
    with pytest.raises(UnreachableError, match="an object of KubeRay cannot be understood"):
        view_ray_service({"metadata": {"name": "a"}, "spec": {"serveConfigV2": 3}}, [], "a", "D")
