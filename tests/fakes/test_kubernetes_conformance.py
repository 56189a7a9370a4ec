"""What a Kubernetes API server is documented to do, asked of the fake through the real client.

With VIGIA_TEST_KUBECONFIG the same rows are asked of the cluster of that kubeconfig, in a namespace of their own that
is deleted afterwards (KubeRay's definitions must be there); rows that break the API itself are for the fake alone.
Sources: "concepts" https://kubernetes.io/docs/reference/using-api/api-concepts/, "conventions"
https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md, "ssa"
https://kubernetes.io/docs/reference/using-api/server-side-apply/, "crd" https://kubernetes.io/docs/tasks/
extend-kubernetes/custom-resources/custom-resource-definitions/, "authz" https://kubernetes.io/docs/reference/access-
authn-authz/authorization/, "api" https://kubernetes.io/docs/reference/kubernetes-api/.
"""

import base64
import json
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest
from kubernetes import client, config, watch
from kubernetes.client.exceptions import ApiException

from tests.fakes.conformance_place import Place
from tests.fakes.kubernetes.access import Rule, User
from tests.fakes.kubernetes.logs import Log

Json = dict[str, Any]


def refused(status: int, reason: str, call: Callable[..., Any], *arguments: Any, **named: Any) -> Json:
    """The Status object with which the API refuses a call."""
    with pytest.raises(ApiException) as caught:
        call(*arguments, **named)
    assert caught.value.status == status
    said: Json = json.loads(caught.value.body)
    assert (said["kind"], said["status"], said["code"], said["reason"]) == ("Status", "Failure", status, reason)
    return said


def test_a_get_of_nothing_is_404_and_names_resource_and_name(place: Place) -> None:
    """conventions, "Response Status Kind"."""
    said = refused(404, "NotFound", place.core.read_namespaced_config_map, "nothing", place.namespace)
    assert said["message"] == 'configmaps "nothing" not found'
    assert said["details"] == {"name": "nothing", "kind": "configmaps"} | {
        key: value for key, value in said["details"].items() if key == "group" and not value
    }


def test_an_unknown_kind_is_404_without_a_status_object(place: Place) -> None:
    """crd: until a CustomResourceDefinition is created its path is not served."""
    with pytest.raises(ApiException) as caught:
        place.custom.list_namespaced_custom_object("none.example", "v1", place.namespace, "nones")
    assert (caught.value.status, caught.value.body) == (404, "404 page not found\n")


def test_creating_again_is_409_already_exists(place: Place) -> None:
    """conventions, "HTTP Status codes": 409 StatusConflict."""
    place.make("twice")
    refused(409, "AlreadyExists", place.make, "twice")


def test_creating_in_a_namespace_that_is_not_there_is_404_of_the_namespace(place: Place) -> None:
    """api, admission plugin NamespaceLifecycle."""
    said = refused(404, "NotFound", place.core.create_namespaced_config_map, "no-such-place", place.map("a"))
    assert said["message"] == 'namespaces "no-such-place" not found'


def test_a_list_in_a_namespace_that_is_not_there_is_empty(place: Place) -> None:
    """concepts: a namespace is a scope of names, and is not looked up by reads."""
    assert place.core.list_namespaced_config_map("no-such-place").items == []


def test_generate_name_is_completed(place: Place) -> None:
    """concepts, "Generated values"."""
    made = place.core.create_namespaced_config_map(place.namespace, {"metadata": {"generateName": "made-"}})
    assert made.metadata.name.startswith("made-")
    assert len(made.metadata.name) == len("made-") + 5


def test_a_bad_name_is_422_at_metadata_name(place: Place) -> None:
    """conventions, reason Invalid: details.causes hold the field."""
    said = refused(422, "Invalid", place.make, "Bad_Name")
    assert said["details"]["causes"][0]["field"] == "metadata.name"


def test_every_write_raises_the_resource_version_and_an_equal_one_does_not(place: Place) -> None:
    """concepts, "Resource versions"."""
    first = place.make("versions", {"a": "1"})
    second = place.core.patch_namespaced_config_map("versions", place.namespace, {"data": {"a": "2"}})
    same = place.core.patch_namespaced_config_map("versions", place.namespace, {"data": {"a": "2"}})
    versions = [one.metadata.resource_version for one in (first, second, same)]
    assert versions[0] != versions[1] == versions[2]


def test_a_put_of_an_older_version_is_409_conflict(place: Place) -> None:
    """conventions, "Concurrency Control and Consistency"."""
    old = place.make("older", {"a": "1"})
    place.core.patch_namespaced_config_map("older", place.namespace, {"data": {"a": "2"}})
    said = refused(409, "Conflict", place.core.replace_namespaced_config_map, "older", place.namespace, old)
    assert "the object has been modified; please apply your changes to the latest version" in said["message"]


def test_a_put_without_a_version_is_taken_for_a_configmap_and_422_for_a_lease(place: Place) -> None:
    """api: AllowUnconditionalUpdate of the two strategies."""
    place.make("unconditional", {"a": "1"})
    put = place.core.replace_namespaced_config_map(
        "unconditional", place.namespace, place.map("unconditional", {"a": "2"})
    )
    assert put.data == {"a": "2"}
    leases = client.CoordinationV1Api(place.api)
    lease = {"metadata": {"name": "lease"}, "spec": {"holderIdentity": "a"}}
    leases.create_namespaced_lease(place.namespace, lease)
    said = refused(422, "Invalid", leases.replace_namespaced_lease, "lease", place.namespace, lease)
    assert said["details"]["causes"][0]["field"] == "metadata.resourceVersion"


def test_a_merge_patch_with_an_older_version_is_409(place: Place) -> None:
    """concepts, "Patch": a resourceVersion in it is a precondition."""
    old = place.make("patched", {"a": "1"})
    place.core.patch_namespaced_config_map("patched", place.namespace, {"data": {"a": "2"}})
    late = {"metadata": {"resourceVersion": old.metadata.resource_version}, "data": {"a": "3"}}
    refused(409, "Conflict", place.core.patch_namespaced_config_map, "patched", place.namespace, late)


def test_a_merge_patch_removes_what_is_null(place: Place) -> None:
    """RFC 7386."""
    place.make("nulled", {"a": "1", "b": "2"})
    found = place.core.patch_namespaced_config_map("nulled", place.namespace, {"data": {"a": None}})
    assert found.data == {"b": "2"}


def test_string_data_of_a_secret_is_kept_as_data(place: Place) -> None:
    """api, Secret: stringData is write-only and merged into data."""
    made = place.core.create_namespaced_secret(place.namespace, {"metadata": {"name": "s"}, "stringData": {"a": "b"}})
    assert (made.data, made.string_data, made.type) == ({"a": base64.b64encode(b"b").decode()}, None, "Opaque")


def test_the_type_of_a_secret_is_immutable(place: Place) -> None:
    """api, ValidateSecretUpdate."""
    made = {"metadata": {"name": "typed"}, "stringData": {"a": "b"}}
    place.core.create_namespaced_secret(place.namespace, made)
    said = refused(
        422, "Invalid", place.core.patch_namespaced_secret, "typed", place.namespace, {"type": "example/other"}
    )
    assert said["details"]["causes"][0]["field"] == "type"


def test_labels_select(place: Place) -> None:
    """api, labels and selectors: equality, inequality, sets, existence."""
    for name, color in (("red", "red"), ("blue", "blue")):
        place.make(name, labels={"color": color, "suite": "labels"})
    asked = {
        "suite=labels": 2,
        "suite=labels,color=red": 1,
        "suite=labels,color!=red": 1,
        "suite=labels,color in (red, green)": 1,
        "suite=labels,!color": 0,
    }
    for selector, count in asked.items():
        assert len(place.core.list_namespaced_config_map(place.namespace, label_selector=selector).items) == count


def test_a_name_is_selected_by_field(place: Place) -> None:
    """api, field selectors: metadata.name is there for every kind."""
    place.make("chosen")
    found = place.core.list_namespaced_config_map(place.namespace, field_selector="metadata.name=chosen").items
    assert [one.metadata.name for one in found] == ["chosen"]


def test_a_custom_object_is_422_with_a_cause_a_field(place: Place) -> None:
    """crd, "Validation"."""
    said = refused(422, "Invalid", place.submit, place.job("bad", backoffLimit="three"))
    assert "spec.backoffLimit" in [cause["field"] for cause in said["details"]["causes"]]
    assert said["message"].startswith('RayJob.ray.io "bad" is invalid: ')


def test_unknown_fields_are_pruned_and_refused_when_strict(place: Place) -> None:
    """crd, "Field pruning"; concepts, "Field validation": Strict is 400."""
    made = place.submit(place.job("pruned", entrypont="typo"))
    assert "entrypont" not in made["spec"]
    said = refused(400, "BadRequest", place.submit, place.job("strict", entrypont="typo"), field_validation="Strict")
    assert 'unknown field "spec.entrypont"' in said["message"]


def test_defaults_of_the_schema_are_filled_in(place: Place) -> None:
    """crd, "Defaulting"."""
    made = place.submit(place.job("defaults"))
    assert made["spec"]["submissionMode"] == "K8sJobMode"


def test_status_is_dropped_on_create_and_by_a_put_of_the_object(place: Place) -> None:
    """crd, "Status subresource"."""
    given = {**place.job("status"), "status": {"jobStatus": "SUCCEEDED"}}
    made = place.submit(given)
    assert made.get("status", {}).get("jobStatus", "") == ""
    put = place.ray("replace", "status", {**made, "status": {"jobStatus": "SUCCEEDED"}})
    assert put.get("status", {}).get("jobStatus", "") == ""


def test_a_put_of_the_status_changes_nothing_else(place: Place) -> None:
    """crd, "Status subresource": anything but the status is ignored, and generation stays."""
    made = place.submit(place.job("only-status"))
    changed = {**made, "spec": {**made["spec"], "entrypoint": "false"}, "status": {"message": "seen"}}
    put = place.ray("replace_status", "only-status", changed)
    assert (put["spec"]["entrypoint"], put["status"]["message"]) == ("true", "seen")
    assert put["metadata"]["generation"] == 1
    assert put["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]


def test_generation_counts_changes_of_the_spec_alone(place: Place) -> None:
    """crd, "Status subresource": .metadata.generation."""
    place.submit(place.job("counted"))
    labelled = place.ray("patch", "counted", {"metadata": {"labels": {"a": "b"}}})
    changed = place.ray("patch", "counted", {"spec": {"entrypoint": "false"}})
    assert (labelled["metadata"]["generation"], changed["metadata"]["generation"]) == (1, 2)


def test_a_put_of_a_custom_object_without_a_version_is_422(place: Place) -> None:
    """crd: custom resources allow no unconditional update."""
    place.submit(place.job("put"))
    said = refused(422, "Invalid", place.ray, "replace", "put", place.job("put"))
    assert said["details"]["causes"][0]["field"] == "metadata.resourceVersion"


def test_a_delete_with_another_uid_is_409(place: Place) -> None:
    """api, DeleteOptions.preconditions."""
    place.make("kept")
    body = client.V1DeleteOptions(preconditions=client.V1Preconditions(uid="another"))
    refused(409, "Conflict", place.core.delete_namespaced_config_map, "kept", place.namespace, body=body)


def test_what_a_deleted_object_owned_is_deleted_too(place: Place) -> None:
    """api, garbage collection: in the background."""
    owner = place.make("owner")
    told = {"apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": owner.metadata.uid}
    place.make("owned", ownerReferences=[told])
    place.core.delete_namespaced_config_map("owner", place.namespace)
    wait_until(lambda: not names(place, "metadata.name=owned"))


def names(place: Place, fields: str) -> list[str]:
    found = place.core.list_namespaced_config_map(place.namespace, field_selector=fields).items
    return [one.metadata.name for one in found]


def wait_until(true: Callable[[], bool]) -> None:
    turns = threading.Event()
    assert any(true() or turns.wait(0.2) for _ in range(150))


def apply(place: Place, manager: str, data: Json, **query: Any) -> Any:
    return place.core.patch_namespaced_config_map(
        "applied",
        place.namespace,
        place.map("applied", data),
        field_manager=manager,
        _content_type="application/apply-patch+yaml",
        **query,
    )


def test_server_side_apply_creates_merges_and_refuses_the_fields_of_another(place: Place) -> None:
    """ssa: create on first apply, 409 with FieldManagerConflict, force, and fields left out are removed."""
    assert apply(place, "one", {"a": "1"}).data == {"a": "1"}
    assert apply(place, "two", {"b": "2"}).data == {"a": "1", "b": "2"}
    said = refused(409, "Conflict", apply, place, "two", {"a": "3", "b": "2"})
    assert [(cause["reason"], cause["field"]) for cause in said["details"]["causes"]] == [
        ("FieldManagerConflict", ".data.a")
    ]
    assert apply(place, "two", {"a": "3", "b": "2"}, force=True).data == {"a": "3", "b": "2"}
    assert apply(place, "two", {"a": "3"}).data == {"a": "3"}
    owners = {entry.manager for entry in apply(place, "two", {"a": "3"}).metadata.managed_fields}
    assert owners == {"two"}


def watched(place: Place, count: int, **query: Any) -> list[tuple[str, str]]:
    """The first changes of a watch on ConfigMaps: type and name."""
    stream = watch.Watch().stream(
        place.core.list_namespaced_config_map, place.namespace, timeout_seconds=20, _request_timeout=30, **query
    )
    found = []
    for event in stream:
        found.append((event["type"], event["raw_object"]["metadata"].get("name", "")))
        if len(found) == count:
            break
    return found


def test_a_watch_resumes_after_a_resource_version(place: Place) -> None:
    """concepts, "Efficient detection of changes": everything after that version, in order."""
    at = place.core.list_namespaced_config_map(place.namespace).metadata.resource_version
    place.make("watched", {"a": "1"})
    place.core.patch_namespaced_config_map("watched", place.namespace, {"data": {"a": "2"}})
    place.core.delete_namespaced_config_map("watched", place.namespace)
    found = watched(place, 3, resource_version=at, field_selector="metadata.name=watched")
    assert found == [("ADDED", "watched"), ("MODIFIED", "watched"), ("DELETED", "watched")]


def test_a_watch_of_a_selection_sees_objects_enter_and_leave(place: Place) -> None:
    """concepts: with a selector, ADDED and DELETED are of the selection."""
    at = place.core.list_namespaced_config_map(place.namespace).metadata.resource_version
    place.make("moving", labels={"in": "no"})
    for value in ("yes", "no"):
        place.core.patch_namespaced_config_map("moving", place.namespace, {"metadata": {"labels": {"in": value}}})
    assert watched(place, 2, resource_version=at, label_selector="in=yes") == [
        ("ADDED", "moving"),
        ("DELETED", "moving"),
    ]


def test_a_watch_ends_after_the_seconds_it_asked_for(place: Place) -> None:
    """api, ListOptions.timeoutSeconds."""
    at = place.core.list_namespaced_config_map(place.namespace).metadata.resource_version
    stream = watch.Watch().stream(
        place.core.list_namespaced_config_map, place.namespace, timeout_seconds=1, resource_version=at
    )
    assert list(stream) == []


def test_bookmarks_tell_how_far_a_watch_is(place: Place) -> None:
    """concepts, "Watch bookmarks"."""
    place.fake.fake.bookmark_s = 0.1
    assert watched(place, 1, resource_version=str(place.fake.fake.store.version), allow_watch_bookmarks=True) == [
        ("BOOKMARK", "")
    ]


def test_a_watch_from_a_forgotten_version_is_410_and_a_list_begins_anew(place: Place) -> None:
    """concepts, "410 Gone responses"."""
    at = place.core.list_namespaced_config_map(place.namespace).metadata.resource_version
    place.make("forgotten")
    place.fake.fake.store.compact()
    with pytest.raises(ApiException) as caught:
        watched(place, 1, resource_version=at)
    assert caught.value.status == 410
    assert "forgotten" in names(place, "metadata.name=forgotten")


def test_a_watch_that_is_cut_resumes(place: Place) -> None:
    """concepts: a client is to handle the loss of a watch and start a new one."""
    fake = place.fake
    at = place.core.list_namespaced_config_map(place.namespace).metadata.resource_version
    cut = threading.Timer(0.5, fake.fake.troubles.cut)
    cut.start()
    with suppress(Exception):  # urllib3 calls it a ProtocolError
        watched(place, 1, resource_version=at)
    place.make("after-the-cut")
    assert watched(place, 1, resource_version=at) == [("ADDED", "after-the-cut")]


def test_no_token_is_401_and_a_wrong_one_too(place: Place) -> None:
    """authz: authentication comes first."""
    told = place.api.configuration
    other = client.Configuration(host=told.host)
    other.ssl_ca_cert, other.verify_ssl = told.ssl_ca_cert, told.verify_ssl
    other.api_key = {"authorization": "Bearer wrong"}
    core = client.CoreV1Api(client.ApiClient(other))
    refused(401, "Unauthorized", core.list_namespaced_config_map, place.namespace)


def test_a_verb_that_no_rule_allows_is_403_in_the_words_of_the_api(place: Place) -> None:
    """authz: rules add up, nothing is allowed without one; the message names user, verb, resource, group, place."""
    cluster = place.fake
    rule = Rule(("get", "list"), ("ray.io",), ("rayjobs",), "ml-dev")
    cluster.fake.access.users["reader"] = User("system:serviceaccount:ml-dev:reader", (rule,))
    reader = client.CustomObjectsApi(config.new_client_from_config(str(cluster.kubeconfig("reader"))))
    assert reader.list_namespaced_custom_object("ray.io", "v1", "ml-dev", "rayjobs")["kind"] == "RayJobList"
    said = refused(
        403,
        "Forbidden",
        reader.create_namespaced_custom_object,
        *("ray.io", "v1", "ml-dev", "rayjobs", place.job("forbidden")),
    )
    assert said["message"] == (
        'rayjobs.ray.io is forbidden: User "system:serviceaccount:ml-dev:reader" cannot create resource "rayjobs" '
        'in API group "ray.io" in the namespace "ml-dev"'
    )


def test_a_server_in_trouble_answers_503_and_then_the_truth(place: Place) -> None:
    """conventions, "HTTP Status codes"."""
    place.fake.fake.troubles.failures[:] = [503, 500]
    core = client.CoreV1Api(config.new_client_from_config(str(place.fake.kubeconfig())))
    for status in (503, 500):
        with pytest.raises(ApiException) as caught:
            core.list_namespaced_config_map(place.namespace)
        assert caught.value.status == status
    assert core.list_namespaced_config_map(place.namespace).kind == "ConfigMapList"


def test_logs_are_followed_to_the_end_and_refused_before_the_container_runs(place: Place) -> None:
    """api, pods/log: follow, tailLines; 400 while ContainerCreating."""
    fake = place.fake.fake
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "main", "image": "none:0"}]}}
    place.core.create_namespaced_pod(place.namespace, pod)
    said = refused(400, "BadRequest", place.core.read_namespaced_pod_log, "p", place.namespace)
    assert "is waiting to start: ContainerCreating" in said["message"]
    log = fake.logs[place.namespace, "p", ""] = Log()
    log.write("one", "two")
    threading.Timer(0.3, lambda: (log.write("three"), log.end())).start()
    stream = watch.Watch().stream(place.core.read_namespaced_pod_log, "p", place.namespace, timestamps=True)
    assert [line.partition(" ")[2] for line in stream] == ["one", "two", "three"]
    assert place.core.read_namespaced_pod_log("p", place.namespace, tail_lines=1) == "three\n"
