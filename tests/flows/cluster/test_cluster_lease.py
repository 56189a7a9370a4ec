"""One verifier at a time in a cluster, whatever clocks say."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from features.errors import RetryError, UnverifiedError
from flows.adapters.cluster_lease import ClusterLease
from flows.adapters.kubernetes_api import KubernetesApi
from flows.adapters.kubernetes_errors import MissingError
from flows.adapters.kubernetes_kinds import LEASES
from tests.fakes.kubernetes.server import Cluster

NAME = "verify-aws"
FUTURE, PAST = "2099-01-01T00:00:00.000000Z", "1970-01-01T00:00:00.000000Z"


@pytest.fixture(autouse=True)
def free(api: KubernetesApi) -> None:
    with suppress(MissingError):
        api.delete(LEASES, NAME)


def lease(api: KubernetesApi, holder: str = "a", duration_s: int = 1) -> ClusterLease:
    return ClusterLease(api, NAME, holder, duration_s)


def spec(api: KubernetesApi) -> dict[str, Any]:
    found: dict[str, Any] = api.get(LEASES, NAME)["spec"]
    return found


def leave(api: KubernetesApi, renewed: str, duration_s: int = 1) -> None:
    """A lease of a holder that ended, by its own clock at some time."""
    values = {"holderIdentity": "gone", "leaseDurationSeconds": duration_s, "renewTime": renewed, "leaseTransitions": 4}
    meta = {"name": NAME, "namespace": "ml-dev"}
    api.create(LEASES, {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": values})


@contextmanager
def renewing(api: KubernetesApi) -> Iterator[None]:
    """Somebody who renews a lease and has the clock of long ago."""
    ended = threading.Event()

    def renew() -> None:
        second = 0
        while not ended.wait(0.2):
            found, second = api.get(LEASES, NAME), second + 1
            api.replace(LEASES, {**found, "spec": {**found["spec"], "renewTime": PAST.replace("00.", f"{second:02}.")}})

    thread = threading.Thread(target=renew)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def test_who_holds_it_is_written_down_and_what_is_released_is_free_at_once(api: KubernetesApi) -> None:
    with lease(api).held(0) as insist:
        insist()
        assert (spec(api)["holderIdentity"], spec(api)["leaseDurationSeconds"]) == ("a", 1)
        with pytest.raises(RetryError, match="verify-aws: a is at it, for more than 0 s"), lease(api, "b").held(0):
            pass
    with lease(api, "b").held(0):
        assert (spec(api)["holderIdentity"], spec(api)["leaseTransitions"]) == ("b", 1)


def test_a_holder_that_lives_keeps_it_for_longer_than_it_lasts(api: KubernetesApi) -> None:
    with lease(api, duration_s=2).held(0) as insist:
        with pytest.raises(RetryError), lease(api, "b").held(3):
            pass
        insist()


@pytest.mark.parametrize("renewed", [FUTURE, PAST])
def test_what_a_dead_holder_left_is_taken_once_it_was_seen_unchanged_for_as_long_as_it_lasts(
    api: KubernetesApi, renewed: str
) -> None:
    leave(api, renewed)
    began = time.monotonic()
    with lease(api).held(10):
        assert time.monotonic() - began >= 1
        assert spec(api)["leaseTransitions"] == 5


@pytest.mark.slow
def test_a_holder_whose_clock_is_wrong_keeps_it_while_it_renews(api: KubernetesApi) -> None:
    leave(api, PAST, 2)
    with renewing(api), pytest.raises(RetryError, match="gone is at it"), lease(api).held(3):
        pass


def test_of_many_who_begin_at_once_one_is_in_at_a_time(api: KubernetesApi) -> None:
    inside, most, done = [0], [0], list[str]()

    def enter(name: str) -> None:
        with lease(api, name, 5).held(30):
            inside[0] += 1
            most[0] = max(most[0], inside[0])
            time.sleep(0.05)
            inside[0] -= 1
            done.append(name)

    threads = [threading.Thread(target=enter, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(done), most) == (list("abcd"), [1])


def test_a_holder_that_another_one_displaced_learns_of_it_and_leaves_the_other_alone(api: KubernetesApi) -> None:
    """At once: a machine that slept renews nothing meanwhile, and its clock may have stood still."""
    with lease(api, duration_s=600).held(0) as insist:
        found = api.get(LEASES, NAME)
        api.replace(LEASES, {**found, "spec": {**found["spec"], "holderIdentity": "b"}})
        with pytest.raises(UnverifiedError, match="the lease verify-aws was lost: b has it"):
            insist()
    assert spec(api)["holderIdentity"] == "b"


def test_a_holder_whose_lease_somebody_deleted_has_it_no_more(api: KubernetesApi) -> None:
    with lease(api, duration_s=600).held(0) as insist:
        api.delete(LEASES, NAME)
        with pytest.raises(UnverifiedError, match="nobody has it"):
            insist()


def test_an_api_that_is_away_for_a_moment_and_an_answer_that_is_lost_keep_nobody_out(
    api: KubernetesApi, cluster: Cluster
) -> None:
    cluster.fake.troubles.failures, cluster.fake.troubles.lost = [503, 503], 1
    began = time.monotonic()
    with lease(api, duration_s=20).held(30):
        assert time.monotonic() - began < 15
    assert spec(api)["holderIdentity"] == ""
    cluster.fake.troubles.refuse = 503
    with pytest.raises(RetryError, match=r"verify-aws: the Kubernetes API at .* answers 503"), lease(api).held(0.2):
        pass
    cluster.fake.troubles.refuse = 0


def test_an_answer_that_is_lost_costs_nobody_the_lease(api: KubernetesApi, cluster: Cluster) -> None:
    with lease(api, duration_s=600).held(0) as insist:
        cluster.fake.troubles.lost = 1
        insist()
    assert spec(api)["holderIdentity"] == ""


@pytest.mark.slow
def test_a_holder_whom_somebody_labelled_keeps_it(api: KubernetesApi) -> None:
    with lease(api, duration_s=2).held(0) as insist:
        for _ in range(5):
            api.patch(LEASES, NAME, {"metadata": {"labels": {"at": str(time.monotonic_ns())}}})
            time.sleep(0.4)
        insist()


def test_a_holder_that_cannot_renew_it_stops_before_another_may_begin(api: KubernetesApi, cluster: Cluster) -> None:
    with lease(api).held(0) as insist:
        cluster.fake.troubles.refuse = 500
        time.sleep(0.8)
        with pytest.raises(UnverifiedError, match="could not be renewed"):
            insist()
        cluster.fake.troubles.refuse = 0
