"""The door to the Kubernetes API: what it gives, and the words for what goes wrong."""

import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from features.errors import InputError, RefusedError, UnreachableError, UnverifiedError, VigiaError
from flows.adapters.kubernetes_api import KubernetesApi, Seen
from flows.adapters.kubernetes_client import connect
from flows.adapters.kubernetes_errors import MissingError, ModifiedError
from flows.adapters.kubernetes_kinds import CONFIG_MAPS, CRDS, LEASES, NAMESPACES, PODS, RAY_JOBS, Kind
from tests.fakes.kubernetes.access import Rule, User
from tests.fakes.kubernetes.api import TOKEN
from tests.fakes.kubernetes.kinds import schema_folder
from tests.fakes.kubernetes.logs import Log
from tests.fakes.kubernetes.server import Cluster, kubernetes_api
from tests.flows.cluster.conftest import api_of

needs_schemas = pytest.mark.skipif(schema_folder() is None, reason="no schemas of custom kinds: `make schemas`")


def a_map(name: str, **data: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def later(seconds: float, act: Callable[[], object]) -> None:
    threading.Timer(seconds, act).start()


def test_an_object_is_made_read_changed_listed_and_deleted(api: KubernetesApi) -> None:
    api.create(CONFIG_MAPS, a_map("one", a="1"))
    assert api.get(CONFIG_MAPS, "one")["data"] == {"a": "1"}
    assert api.patch(CONFIG_MAPS, "one", {"data": {"b": "2"}})["data"] == {"a": "1", "b": "2"}
    assert [found["metadata"]["name"] for found in api.find(CONFIG_MAPS, fields="metadata.name=one")] == ["one"]
    api.delete(CONFIG_MAPS, "one")
    with pytest.raises(MissingError, match=r"^configmaps one in ml-dev: is not there"):
        api.get(CONFIG_MAPS, "one")


def test_an_object_that_exists_is_refused(api: KubernetesApi) -> None:
    api.create(CONFIG_MAPS, a_map("twice"))
    with pytest.raises(RefusedError, match=r'^configmaps "twice" already exists$'):
        api.create(CONFIG_MAPS, a_map("twice"))


def test_a_write_over_a_newer_version_is_told_apart(api: KubernetesApi) -> None:
    lease = {"metadata": {"name": "lease"}, "spec": {"holderIdentity": "a"}}
    made = api.create(LEASES, lease)
    api.replace(LEASES, made | {"spec": {"holderIdentity": "b"}})
    with pytest.raises(ModifiedError, match="the object has been modified"):
        api.replace(LEASES, made | {"spec": {"holderIdentity": "c"}})


@needs_schemas
def test_an_object_that_its_kind_does_not_allow_names_the_field(api: KubernetesApi) -> None:
    given = {"apiVersion": "ray.io/v1", "kind": "RayJob", "metadata": {"name": "bad"}, "spec": {"backoffLimit": "x"}}
    with pytest.raises(
        InputError, match=r"^rayjobs.ray.io bad in ml-dev: the API server refuses it: spec.backoffLimit"
    ):
        api.create(RAY_JOBS, given)
    with pytest.raises(InputError, match=r'unknown field "spec.entrypont"'):
        api.create(RAY_JOBS, given | {"spec": {"entrypont": "x"}})


def test_a_kind_that_the_cluster_does_not_know_asks_for_its_operator() -> None:
    with (
        kubernetes_api(groups=()) as bare,
        pytest.raises(InputError, match=r"does not know rayjobs.ray.io: install its operator"),
    ):
        KubernetesApi(connect(None, {"KUBECONFIG": str(bare.kubeconfig())}), "ml-dev").find(RAY_JOBS)


def test_a_missing_namespace_is_named(api: KubernetesApi) -> None:
    with pytest.raises(InputError, match=r"^namespace: must exist in the cluster, got 'nowhere'$"):
        replace(api, namespace="nowhere").create(CONFIG_MAPS, a_map("a"))


def test_kinds_of_the_whole_cluster_are_read_without_a_namespace(api: KubernetesApi) -> None:
    assert api.get(NAMESPACES, "ml-dev", "")["metadata"]["name"] == "ml-dev"
    assert isinstance(api.find(CRDS, namespace=""), list)


def test_a_token_that_is_not_known_says_so_and_not_the_token(cluster: Cluster) -> None:
    client = connect(None, {"KUBECONFIG": str(cluster.kubeconfig("expired-token"))})
    with pytest.raises(UnverifiedError, match=r"does not know these credentials \(401\); log in again") as caught:
        KubernetesApi(client, "ml-dev").find(PODS)
    assert "expired-token" not in str(caught.value)


def test_what_a_role_lacks_is_said_as_the_role_needs_it(cluster: Cluster) -> None:
    rule = Rule(("get",), ("ray.io",), ("rayjobs",), "ml-dev")
    cluster.fake.access.users["reader"] = User("system:serviceaccount:ml-dev:reader", (rule,))
    api = KubernetesApi(connect(None, {"KUBECONFIG": str(cluster.kubeconfig("reader"))}), "ml-dev")
    told = (
        "system:serviceaccount:ml-dev:reader may not list rayjobs.ray.io in namespace ml-dev (403); it needs a Role "
        "with apiGroups [ray.io], resources [rayjobs], verbs [list]"
    )
    with pytest.raises(UnverifiedError, match=re.escape(told)):
        api.find(RAY_JOBS)
    with pytest.raises(UnverifiedError, match=r"resources \[pods/log\], verbs \[get\]"):
        api.log("pod")


def test_a_right_for_the_whole_cluster_needs_a_cluster_role(cluster: Cluster) -> None:
    cluster.fake.access.users["nobody"] = User("system:anonymous", ())
    cluster.fake.access.users["weak"] = User("weak", ())
    with pytest.raises(UnverifiedError, match=r"it needs a ClusterRole with apiGroups \[apiextensions.k8s.io\]"):
        api_of(cluster, token="weak").find(CRDS, namespace="")
    with pytest.raises(UnverifiedError, match=r"takes us for nobody .* log in again"):
        api_of(cluster, token="nobody").find(PODS)


def test_no_api_is_unreachable_and_says_where() -> None:
    with kubernetes_api(groups=()) as gone:
        client = connect(None, {"KUBECONFIG": str(gone.kubeconfig())})
    with pytest.raises(UnreachableError, match=rf"^the Kubernetes API at {gone.host} does not answer: .*refused"):
        KubernetesApi(client, "ml-dev").find(PODS)


def test_a_certificate_of_another_is_not_trusted(cluster: Cluster, tmp_path: Path) -> None:
    with kubernetes_api(groups=()) as other:
        text = cluster.kubeconfig().read_text().replace(str(cluster.authority), str(other.authority))
        file = tmp_path / "config"
        file.write_text(text)
        client = connect(None, {"KUBECONFIG": str(file)})
        with pytest.raises(UnreachableError, match="certificate verify failed"):
            KubernetesApi(client, "ml-dev").find(PODS)


def test_a_slow_api_is_given_up(api: KubernetesApi, cluster: Cluster) -> None:
    cluster.fake.troubles.slow_s = 1.0
    began = time.monotonic()
    with pytest.raises(UnreachableError, match=r"does not answer: .*timed out"):
        replace(api, timeout_s=0.2).find(PODS)
    assert time.monotonic() - began < 0.9


@pytest.mark.parametrize("status", [500, 503, 429])
def test_an_api_in_trouble_is_worth_another_try(api: KubernetesApi, cluster: Cluster, status: int) -> None:
    cluster.fake.troubles.failures[:] = [status]
    with pytest.raises(UnreachableError, match=rf"answers {status} to pods in ml-dev"):
        api.find(PODS)
    assert api.find(PODS) == []


def test_what_is_no_kubernetes_is_told_as_such(api: KubernetesApi) -> None:
    with pytest.raises(InputError, match="must be the URL of a Kubernetes API"):
        api.find(Kind("", "v2", "pods"))


def test_a_change_is_seen_when_it_comes(api: KubernetesApi) -> None:
    api.create(CONFIG_MAPS, a_map("seen", a="1"))
    seen = api.next_change(CONFIG_MAPS, "seen", Seen(), 1)
    assert seen.object is not None
    later(0.3, lambda: api.patch(CONFIG_MAPS, "seen", {"data": {"a": "2"}}))
    began = time.monotonic()
    seen = api.next_change(CONFIG_MAPS, "seen", seen, 20)
    assert seen.object is not None
    assert (seen.object["data"], time.monotonic() - began < 10) == ({"a": "2"}, True)
    api.delete(CONFIG_MAPS, "seen")
    assert api.next_change(CONFIG_MAPS, "seen", seen, 20).object is None


def test_without_a_change_what_was_seen_stays_and_the_watch_moves_on(api: KubernetesApi) -> None:
    api.create(CONFIG_MAPS, a_map("still"))
    seen = api.look(CONFIG_MAPS, "still")
    api.create(CONFIG_MAPS, a_map("other"))
    after = api.next_change(CONFIG_MAPS, "still", seen, 1)
    assert after.object == seen.object
    assert after.version > seen.version


def test_a_watch_that_is_too_old_looks_anew(api: KubernetesApi, cluster: Cluster) -> None:
    api.create(CONFIG_MAPS, a_map("old", a="1"))
    seen = api.look(CONFIG_MAPS, "old")
    api.patch(CONFIG_MAPS, "old", {"data": {"a": "2"}})
    cluster.fake.store.compact()
    found = api.next_change(CONFIG_MAPS, "old", seen, 1).object
    assert found is not None
    assert found["data"] == {"a": "2"}


def test_a_watch_that_is_cut_is_unreachable_and_goes_on_where_it_was(api: KubernetesApi, cluster: Cluster) -> None:
    api.create(CONFIG_MAPS, a_map("cut"))
    seen = api.look(CONFIG_MAPS, "cut")
    later(0.3, cluster.fake.troubles.cut)
    with pytest.raises(UnreachableError, match="does not answer"):
        api.next_change(CONFIG_MAPS, "cut", seen, 20)
    api.delete(CONFIG_MAPS, "cut")
    assert api.next_change(CONFIG_MAPS, "cut", seen, 20).object is None


def test_an_api_that_restarts_is_found_again(api: KubernetesApi, cluster: Cluster) -> None:
    seen = api.look(CONFIG_MAPS, "restart")
    cluster.stop()
    with pytest.raises(UnreachableError):
        api.next_change(CONFIG_MAPS, "restart", seen, 1)
    cluster.start()
    later(0.3, lambda: api.create(CONFIG_MAPS, a_map("restart")))
    assert api.next_change(CONFIG_MAPS, "restart", seen, 20).object is not None


def test_a_log_has_times_and_can_begin_later(api: KubernetesApi, cluster: Cluster) -> None:
    api.create(PODS, {"metadata": {"name": "pod"}, "spec": {"containers": [{"name": "main", "image": "none:0"}]}})
    assert api.log("pod") == []
    log = cluster.fake.logs["ml-dev", "pod", ""] = Log()
    log.lines += [("2026-11-01T00:00:00.500000000Z", "one"), ("2026-11-01T00:00:02.500000000Z", "two")]
    assert api.log("pod") == ["2026-11-01T00:00:00.500000000Z one", "2026-11-01T00:00:02.500000000Z two"]
    assert api.log("pod", since="2026-11-01T00:00:01Z") == ["2026-11-01T00:00:02.500000000Z two"]


def test_times_of_a_node_in_another_zone_are_told_in_utc(api: KubernetesApi, cluster: Cluster) -> None:
    zoned = [("2026-11-23T01:30:05.12+02:00", "one"), ("2026-11-22T23:30:05.120000001Z", "two")]
    cluster.fake.make({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "far", "namespace": "ml-dev"}})
    cluster.fake.logs["ml-dev", "far", ""] = Log(zoned)
    assert api.log("far") == ["2026-11-22T23:30:05.120000000Z one", "2026-11-22T23:30:05.120000001Z two"]


def test_a_word_of_the_kubelet_is_no_line_of_a_log(api: KubernetesApi, cluster: Cluster) -> None:
    cluster.fake.make({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "lost", "namespace": "ml-dev"}})
    word = ("unable", "to retrieve container logs for containerd://abc")
    cluster.fake.logs["ml-dev", "lost", ""] = Log([word])
    with pytest.raises(UnreachableError, match="the log of lost cannot be read: unable to retrieve container logs"):
        api.log("lost")
    cluster.fake.logs["ml-dev", "lost", ""] = Log([("2026-11-22T23:30:05.000000001Z", "a"), word])
    assert api.log("lost") == ["2026-11-22T23:30:05.000000001Z a"]


def test_the_account_of_a_pod_is_used_inside_a_cluster(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "ca.crt").write_bytes(cluster.authority.read_bytes())
    host, _, port = cluster.host.removeprefix("https://").partition(":")
    inside = {"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}
    assert KubernetesApi(connect(None, inside, tmp_path), "ml-dev").find(PODS) is not None
    with pytest.raises(InputError, match=r"^kubernetes: the service account of this pod must be mounted"):
        connect(None, inside, tmp_path / "none")


@pytest.mark.parametrize(
    ("text", "context", "told"),
    [
        (None, None, r"^KUBECONFIG: must name a kubeconfig"),
        ("a: [", None, r"^KUBECONFIG: must be a kubeconfig that kubectl can use: "),
        ("{}", None, r"^KUBECONFIG: must be a kubeconfig that kubectl can use: "),
        ("", None, r"^KUBECONFIG: must be a kubeconfig that kubectl can use: "),
        ("kubeconfig", "nowhere", r"can use, with context nowhere: .*nowhere"),
    ],
)
def test_a_kubeconfig_that_is_none_is_told(
    cluster: Cluster, tmp_path: Path, text: str | None, context: str | None, told: str
) -> None:
    file = tmp_path / "config"
    if text is not None:
        file.write_text(cluster.kubeconfig().read_text() if text == "kubeconfig" else text)
    with pytest.raises(VigiaError, match=told):
        connect(context, {"KUBECONFIG": str(file)})
