"""Verification, status and promotion where a cluster serves, against the fake of the Kubernetes API."""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from features.errors import InputError, RefusedError, RetryError, RolloutError, UnverifiedError
from flows.adapters.cluster_lease import ClusterLease
from flows.adapters.kubernetes_kinds import LEASES, RAY_SERVICES
from flows.adapters.ray_services import RayServices
from flows.exit_codes import ExitCode
from flows.outcome import Outcome
from flows.promotion.admission import Overrides
from flows.promotion.edit import APPLICATION
from flows.steps.promote import promote
from flows.steps.status import status
from flows.steps.waiting import wait_for_champion
from serving.failure import Kind
from tests.fakes.kubernetes.access import Rule, User
from tests.fakes.kubernetes.api import Troubles
from tests.fakes.kubernetes.server import Cluster, kubernetes_api
from tests.flows.cluster.conftest import api_of
from tests.flows.verification.cluster_place import ClusterPlace, config, in_a_cluster
from tests.flows.verification.conftest import MODEL, QUICK, SHORT, Place
from tests.flows.verification.quiet import Quiet

FORCE = Overrides(force=True, reason="no gate has judged these")


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with kubernetes_api(("ml-dev", "argocd")) as cluster:
        yield cluster


@pytest.fixture
def served(place: Place, running: Cluster) -> Iterator[ClusterPlace]:
    """Version 1 is promoted, and everything serves it; nobody has verified it."""
    running.fake.troubles = Troubles()
    with in_a_cluster(place, running) as found:
        place.promote(1)
        found.sync()
        yield found
        running.fake.troubles = Troubles()


def refuse_to_verify(found: ClusterPlace, **doors: Any) -> str:
    """Why a verification could not establish it; nothing is champion then."""
    found.inner.doors = replace(found.inner.doors, **doors)
    with pytest.raises(UnverifiedError) as told:
        found.inner.verify(SHORT)
    assert not found.inner.alias("champion")
    return str(told.value)


def told(found: ClusterPlace, services: RayServices | None = None) -> Outcome:
    doors = found.inner.doors
    return status(doors.environment, lambda: doors.registry, lambda: doors.api, lambda: services or found.services)


def lines(outcome: Outcome) -> dict[str, str]:
    return dict(outcome.lines)


def test_what_the_cluster_has_finished_and_every_replica_serves_becomes_champion(served: ClusterPlace) -> None:
    assert served.inner.verify(QUICK).figures["moved"]
    assert served.inner.alias("champion") == "1"
    assert served.api.get(LEASES, "verify-local")["spec"]["holderIdentity"] == ""


def test_a_cluster_that_is_being_replaced_is_waited_for(served: ClusterPlace) -> None:
    served.status(pendingServiceStatus={"rayClusterName": "c2"})
    assert "cluster c2 is being made beside c1" in refuse_to_verify(served)


def test_a_cluster_that_was_replaced_and_still_answers_is_waited_for(served: ClusterPlace) -> None:
    served.make_cluster("c0")
    assert "cluster c0, which c1 replaced, is not gone yet" in refuse_to_verify(served)


def test_a_service_that_argo_cd_has_not_brought_up_to_date_is_waited_for(served: ClusterPlace) -> None:
    served.inner.promote(2)
    served.inner.apply()  # somebody else did, past the RayService
    assert "the RayService names" in refuse_to_verify(served)


def test_an_old_running_at_the_new_generation_is_no_proof(served: ClusterPlace) -> None:
    """KubeRay reads the status before it PUTs."""
    served.inner.promote(2)
    served.sync(applied=False)
    served.status()
    assert "the controller applied" in refuse_to_verify(served)


def test_without_the_dashboard_nobody_knows_which_replicas_are_missing(served: ClusterPlace) -> None:
    api = replace(served.inner.doors.api, dashboard="http://127.0.0.1:1")
    assert "GET http://127.0.0.1:1/api/serve/applications/" in refuse_to_verify(served, api=api)


def test_a_kubernetes_api_that_is_away_is_no_verdict(served: ClusterPlace) -> None:
    with_lease = served.inner.doors.lease
    served.cluster.fake.troubles.failures = [0] * 2 + [503] * 1_000  # the lease is taken first
    assert "answers 503 to rayservices.ray.io" in refuse_to_verify(served, lease=with_lease)


def refuse_the_format(found: ClusterPlace) -> None:
    """A replica of an earlier image does not know the format of version 1."""
    replica = found.inner.fleet.replicas[0]
    replica.served, replica.fails = "", {found.inner.refs[0].digest: Kind.FORMAT}


def test_a_format_that_is_unknown_to_an_image_that_stays_is_reverted(served: ClusterPlace) -> None:
    refuse_the_format(served)
    with pytest.raises(RolloutError, match=r"version 1 is bad and was reverted .* refuses it \(format\)"):
        served.inner.verify(SHORT)


def test_a_format_that_an_image_may_know_which_kuberay_has_not_begun_with_yet_is_not_reverted(
    served: ClusterPlace,
) -> None:
    refuse_the_format(served)
    served.write(rayClusterConfig=config(version="2.61.0"))
    assert "replica a serves nothing" in refuse_to_verify(served)
    assert served.inner.head["version"] == "1"


def test_a_format_is_not_reverted_while_nobody_can_say_whether_the_image_is_being_replaced(
    served: ClusterPlace,
) -> None:
    refuse_the_format(served)
    served.status(pendingServiceStatus={"rayClusterName": "c2"})
    served.cluster.fake.troubles.failures = [0] * 2 + [503] * 1_000
    assert "answers 503 to rayservices.ray.io" in refuse_to_verify(served)
    assert served.inner.head["version"] == "1"


def test_access_that_is_refused_is_not_waited_for_and_the_role_is_named(served: ClusterPlace) -> None:
    access = served.cluster.fake.access
    access.users["narrow"] = User("system:serviceaccount:ml-dev:vigia-ops", (Rule(resources=("leases",)),))
    services = replace(served.services, api=api_of(served.cluster, token="narrow"))
    began = time.monotonic()
    found = refuse_to_verify(served, cluster=services)
    assert "vigia-ops may not get rayservices.ray.io in namespace ml-dev (403); it needs a Role" in found
    assert time.monotonic() - began < 10


def test_credentials_that_nobody_knows_are_named(served: ClusterPlace) -> None:
    services = replace(served.services, api=api_of(served.cluster, token="old"))
    assert "does not know these credentials (401)" in refuse_to_verify(served, cluster=services)


def test_a_service_that_asks_for_a_token_gets_it_and_the_dashboard_its_own(served: ClusterPlace) -> None:
    served.inner.fleet.bearer = "of-the-issuer"
    assert "401" in refuse_to_verify(served)
    served.inner.doors = replace(served.inner.doors, api=replace(served.inner.doors.api, bearer="of-the-issuer"))
    assert served.inner.verify(QUICK).figures["moved"]


def test_a_cluster_without_the_operator_or_the_namespace_is_said_at_once(served: ClusterPlace) -> None:
    with kubernetes_api(groups=()) as bare:
        services = replace(served.services, api=api_of(bare))
        served.inner.doors = replace(served.inner.doors, cluster=services)
        with pytest.raises(InputError, match=r"does not know rayservices.ray.io: install its operator"):
            served.inner.verify(SHORT)
        assert "install its operator" in lines(told(served, services))["RayService"]


def test_a_second_verifier_is_kept_out_until_the_first_has_ended(served: ClusterPlace) -> None:
    first = ClusterLease(served.api, "verify-local", "another")
    with first.held(0), pytest.raises(RetryError, match="verify-local: another is at it"):
        served.inner.verify(SHORT)
    served.inner.verify(QUICK)
    assert served.inner.alias("champion") == "1"


def test_a_verifier_that_another_one_displaced_moves_no_alias(served: ClusterPlace) -> None:
    lease = ClusterLease(served.api, "verify-local", "me", duration_s=1)
    answer = served.inner.fleet.predict

    def displaced() -> dict[str, Any]:
        found = served.api.get(LEASES, "verify-local")
        if found["spec"]["holderIdentity"] == "me":
            served.api.replace(LEASES, {**found, "spec": {**found["spec"], "holderIdentity": "another"}})
            time.sleep(1)
        return answer()

    served.inner.fleet.predict = displaced  # type: ignore[method-assign]
    served.inner.doors = replace(served.inner.doors, lease=lease)
    with pytest.raises(UnverifiedError, match="the lease verify-local was lost"):
        served.inner.verify(QUICK)
    assert not served.inner.alias("champion")


def test_status_tells_what_the_cluster_does_beside_what_it_serves(served: ClusterPlace) -> None:
    served.inner.verify(QUICK)
    found = told(served)
    digest = served.inner.refs[0].digest[:12]
    generation = found.figures["cluster"]["generation"]
    assert lines(found)["RayService"] == (
        f"generation {generation} names {digest}; cluster c1 is active, its application RUNNING, 2 endpoints"
    )
    assert lines(found)["Argo CD"] == ("says nothing: applications.argoproj.io ml-system-local in argocd: is not there")
    assert found.exit_code == ExitCode.DONE  # Argo CD is asked for a reason, never for a verdict


def test_status_tells_what_argo_cd_says(served: ClusterPlace) -> None:
    served.cluster.fake.make(
        {
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "Application",
            "metadata": {"name": "ml-system-local", "namespace": "argocd"},
            "spec": {"project": "ml", "destination": {}, "source": {"repoURL": "x"}},
            "status": {
                "sync": {"status": "OutOfSync", "revision": "c" * 40, "comparedTo": _compared()},
                "health": {"status": "Progressing"},
                "operationState": _operation("Failed", "one or more objects failed to apply"),
            },
        }
    )
    assert lines(told(served))["Argo CD"] == (
        "ml-system-local is OutOfSync with cccccccccccc, Progressing,"
        " last operation Failed (one or more objects failed to apply)"
    )


def _compared() -> dict[str, Any]:
    return {"destination": {}, "source": {"repoURL": "x"}}


def _operation(phase: str, message: str) -> dict[str, Any]:
    return {"operation": {}, "phase": phase, "message": message, "startedAt": "2026-01-01T00:00:00Z"}


def test_status_tells_of_an_upgrade_and_of_bounds_that_no_running_cluster_takes_up(served: ClusterPlace) -> None:
    served.write(rayClusterConfig=config(most=8, version="2.61.0"))
    found = told(served)
    assert ", of which KubeRay tells of " in lines(found)["RayService"]
    assert lines(found)["Upgrade"].startswith("c1 is of an earlier configuration")
    assert (
        lines(found)["Bounds"]
        == "workers serve: 1 to 8 by the manifest, 1 to 4 in the cluster; a new one takes them up"
    )


def test_status_names_the_step_at_which_the_cluster_parts(served: ClusterPlace) -> None:
    served.inner.promote(2)
    assert told(served).figures["parting"]["where"] == "git → cluster"
    served.sync()
    why = {APPLICATION: {"status": "DEPLOY_FAILED", "message": "Traceback\nInputError: no such format"}}
    served.status(pendingServiceStatus={"rayClusterName": "c2", "applicationStatuses": why})
    found = told(served)
    assert found.figures["parting"]["where"] == "cluster → replicas"
    assert (
        "c2 is being made beside c1, and its application is DEPLOY_FAILED: Traceback InputError: no such format"
        in (lines(found)["They part"])
    )


def test_an_upgrade_or_a_refusal_of_a_cluster_that_serves_what_git_names_is_told_and_parts_nothing(
    served: ClusterPlace,
) -> None:
    served.inner.verify(QUICK)
    doors = served.inner.doors
    served.inner.doors = replace(doors, environment=replace(doors.environment, allowed_disagreement_s=-61))
    served.status(pendingServiceStatus={"rayClusterName": "c2"})
    found = told(served)
    assert found.exit_code == ExitCode.DONE
    assert lines(found)["RayService"].endswith("; c2 is being made")
    assert lines(found)["Upgrade"] == "c2 is to replace c1"
    refusal = {"type": "Ready", "status": "False", "reason": "ValidationFailed", "message": "its name is too long"}
    served.status(conditions=[{**refusal, "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    assert lines(told(served))["RayService"].endswith(
        "KubeRay does not act on it: ValidationFailed: its name is too long"
    )


def test_a_service_that_is_gone_or_suspended_parts(served: ClusterPlace) -> None:
    served.inner.verify(QUICK)
    served.write(suspend=True)
    assert "the RayService is suspended" in lines(told(served))["They part"]
    served.api.delete(RAY_SERVICES, APPLICATION)
    found = told(served)
    assert lines(found)["RayService"] == "there is none"
    assert "there is no RayService yet" in lines(found)["They part"]


def test_a_dashboard_that_is_away_leaves_nothing_to_compare_replicas_with(served: ClusterPlace) -> None:
    served.inner.verify(QUICK)
    served.inner.doors = replace(
        served.inner.doors, api=replace(served.inner.doors.api, dashboard="http://127.0.0.1:1")
    )
    found = told(served)
    assert found.exit_code == ExitCode.RETRY
    assert lines(found)["Unknown"] == "Controller could not be asked; what could be seen agrees"
    assert lines(found)["Controller"].endswith("/api/serve/applications/: [Errno 111] Connection refused")


def test_nothing_is_promoted_while_the_cluster_is_being_upgraded_not_even_by_force(served: ClusterPlace) -> None:
    served.status(pendingServiceStatus={"rayClusterName": "c2"})
    with pytest.raises(RefusedError, match=r"the cluster of local is being upgraded \(c2 is to replace c1\)"):
        go(served, FORCE)
    served.status()
    go(served, FORCE)
    assert served.inner.head["version"] == "2"


def test_where_nobody_can_say_whether_it_is_being_upgraded_somebody_takes_that_upon_themselves(
    served: ClusterPlace,
) -> None:
    served.cluster.fake.troubles.refuse = 503
    with pytest.raises(
        RefusedError, match=r"nobody can say whether the cluster is being upgraded: .*unseen-cluster over"
    ):
        go(served, FORCE)
    go(served, replace(FORCE, unseen_cluster=True))
    assert served.inner.head["version"] == "2"


def test_who_waits_for_the_champion_learns_what_the_cluster_has_still_to_do(served: ClusterPlace) -> None:
    served.status(pendingServiceStatus={"rayClusterName": "c2"})
    doors = served.inner.doors
    with pytest.raises(UnverifiedError, match="nothing is champion yet; cluster c2 is being made beside c1"):
        wait_for_champion(
            doors.environment,
            doors.registry,
            MODEL,
            served.inner.refs[0].digest,
            0.2,
            Quiet(),
            lambda: served.services,
        )


def go(found: ClusterPlace, overrides: Overrides) -> None:
    doors = found.inner.doors
    promote(doors.environment, doors.registry, MODEL, "2", overrides, lambda: found.services)
