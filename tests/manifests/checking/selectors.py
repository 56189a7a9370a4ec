"""Rules: what selects pods selects some, and what selects its own pods selects them all."""

from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pods import TEMPLATES, selected
from tests.manifests.checking.services import OF_CHARTS
from tests.manifests.checking.walking import at, mappings, matches

_BY_LABELS = {
    "PodDisruptionBudget": "spec.selector",
    "NetworkPolicy": "spec.podSelector",
    "PodMonitor": "spec.selector",
    "AuthorizationPolicy": "spec.selector",
    "RequestAuthentication": "spec.selector",
    "PeerAuthentication": "spec.selector",
    "Sidecar": "spec.workloadSelector",
}


# Pods of a RayJob with a cluster of its own: anybody may make one, also where our templates use a shared one.
_GUESTS = ({"vigia/role": "job-head", "ray.io/node-type": "head"}, {"vigia/role": "job-worker"})


def workload_selects_its_pods(documents: Documents) -> Iterator[Finding]:
    for workload in documents.of("Deployment", "StatefulSet", "DaemonSet"):
        labels = at(workload.body, f"{TEMPLATES[workload.kind]}.metadata.labels", {})
        selector = at(workload.body, "spec.selector.matchLabels", {})
        if not selector or not matches(selector, labels):
            yield workload.finding("spec.selector.matchLabels", "labels of its own pods", selector)


def service_selects_pods(documents: Documents) -> Iterator[Finding]:
    for service in documents.of("Service"):
        selector = service.spec.get("selector")
        if selector and not selected(documents, selector, service.namespace):
            yield service.finding("spec.selector", "selects a pod", selector)


def policy_selects_pods(documents: Documents) -> Iterator[Finding]:
    """No selector means every pod of the namespace, which is meant."""
    for one in documents.of(*_BY_LABELS):
        path = _BY_LABELS[one.kind]
        for selector in _label_sets(at(one.body, path, {})):
            if not _taken(documents, selector, _namespaces(one.spec, one.namespace)):
                yield one.finding(path, "selects a pod", selector)


def peer_selects_pods(documents: Documents) -> Iterator[Finding]:
    """A peer of a NetworkPolicy that names pods, with no other namespace, names some that there are."""
    for policy in documents.of("NetworkPolicy"):
        for path, node in mappings(policy.spec, "spec"):
            if "podSelector" not in node or "namespaceSelector" in node or path == "spec":
                continue
            for selector in _label_sets(node["podSelector"]):
                if not _taken(documents, selector, [policy.namespace]):
                    yield policy.finding(f"{path}.podSelector", "selects a pod", selector)


def _label_sets(selector: dict[str, object]) -> Iterator[dict[str, str]]:
    """The sets of labels that a selector asks: one for each value of an ``In`` expression."""
    plain = at(selector, "matchLabels") or at(selector, "labels") or {}
    within = [one for one in at(selector, "matchExpressions", []) if one.get("operator") == "In"]
    if plain and not within:
        yield plain
    for one in within:
        yield from ({**plain, one["key"]: value} for value in one.get("values") or ())


def _namespaces(spec: dict[str, object], own: str) -> list[str]:
    return list(at(spec, "namespaceSelector.matchNames", [own]))


def _taken(documents: Documents, selector: dict[str, str], namespaces: list[str]) -> bool:
    guest = any(matches(selector, labels) for labels in _GUESTS)
    return guest or any(space in OF_CHARTS or selected(documents, selector, space) for space in namespaces)
