"""No field of Pod Security can go from a pod, one that KubeRay makes or completes among them, without a finding."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.manifests.checking import pod_security
from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.examples import changed, example
from tests.manifests.checking.kuberay import ray_pods
from tests.manifests.checking.pods import pods
from tests.manifests.checking.rendering import is_whole, rendered
from tests.manifests.checking.rules import Rule
from tests.manifests.checking.walking import mappings

FIELDS = {
    "runAsNonRoot": pod_security.runs_as_non_root,
    "allowPrivilegeEscalation": pod_security.no_privilege_escalation,
    "capabilities": pod_security.drops_capabilities,
    "seccompProfile": pod_security.has_seccomp_profile,
    "readOnlyRootFilesystem": pod_security.has_read_only_root,
    "resources": pod_security.has_resources,
}
OF_POD_OR_CONTAINER = ("runAsNonRoot", "seccompProfile")


@pytest.fixture(params=["example", "minikube", "aws"], scope="module")
def documents(request: pytest.FixtureRequest) -> Documents:
    return example() if request.param == "example" else rendered(request.param)


@pytest.mark.parametrize("field", FIELDS)
def test_a_pod_without_it_is_found_out(documents: Documents, field: str) -> None:
    rule = FIELDS[field]
    for resource in documents.resources:
        if not pods(Documents((resource,))):
            continue
        places = list(_places(resource, field))
        assert places, f"{resource.kind}/{resource.name} says nothing of {field}"
        for place in places:
            if not _found(rule, resource, [place]):
                assert field in OF_POD_OR_CONTAINER, place  # its pod, or each of its containers, says so too
        assert len(_found(rule, resource, places)) >= _containers(resource, field)


def test_the_example_holds_every_pod_that_kuberay_makes() -> None:
    made = {
        container["name"]
        for resource in example().of("RayService", "RayJob")
        for pod in ray_pods(resource)
        for _, container in pod.containers()
    }
    assert made == {"ray", "autoscaler", "wait-gcs-ready", "ray-job-submitter"}


def test_a_submitter_of_kuberays_own_making_is_found_out() -> None:
    [job] = [one for one in example().of("RayJob") if not one.template]
    bare = Resource(changed(job.body, "spec.submitterPodTemplate", None))
    found = list(pod_security.no_privilege_escalation(Documents((bare,))))
    assert ["ray-job-submitter" in finding.path for finding in found] == [True]


def test_an_autoscaler_without_options_is_found_out() -> None:
    [service] = example().of("RayService")
    bare = Resource(changed(service.body, "spec.rayClusterConfig.autoscalerOptions", None))
    found = list(pod_security.drops_capabilities(Documents((bare,))))
    assert ["autoscaler" in finding.path for finding in found] == [True]


def test_overlays_are_built_with_every_pod() -> None:
    assert is_whole("minikube")
    assert is_whole("aws")


def _places(resource: Resource, field: str) -> Iterator[str]:
    for path, node in mappings(resource.body):
        is_container = "image" in node and "name" in node
        if field in node and (is_container if field == "resources" else path.endswith("securityContext")):
            yield f"{path}.{field}"


def _found(rule: Rule, resource: Resource, places: list[str]) -> list[Any]:
    body = resource.body
    for place in places:
        body = changed(body, place, None)
    return list(rule(Documents((Resource(body, resource.template),))))


def _containers(resource: Resource, field: str) -> int:
    """How many containers are their author's to describe: KubeRay gives its own their resources."""
    names = [container["name"] for pod in pods(Documents((resource,))) for _, container in pod.containers()]
    return len([name for name in names if field != "resources" or name not in ("autoscaler", "wait-gcs-ready")])
