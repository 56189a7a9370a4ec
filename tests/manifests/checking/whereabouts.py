"""Rules: namespaces, governing Services and mesh identities that something names are there."""

import re
from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.services import OF_CHARTS
from tests.manifests.checking.walking import at, mappings

_NAME = "kubernetes.io/metadata.name"  # a label that Kubernetes sets
_PRINCIPAL = re.compile(r"[^/]+/ns/(?P<namespace>[^/]+)/sa/(?P<account>[^/]+)")


def namespace_exists(documents: Documents) -> Iterator[Finding]:
    have = {one.name for one in documents.of("Namespace")} | {*OF_CHARTS, ""}
    for resource in documents.resources:
        if resource.namespace not in have:
            yield resource.finding("metadata.namespace", "a Namespace that there is", resource.namespace)
        for path, node in mappings(resource.spec, "spec"):
            chosen = at(node, "namespaceSelector.matchLabels", {}).get(_NAME)
            if chosen is not None and chosen not in have:
                yield resource.finding(f"{path}.namespaceSelector", "a Namespace that there is", chosen)


def governing_service_exists(documents: Documents) -> Iterator[Finding]:
    for workload in documents.of("StatefulSet"):
        name = workload.spec.get("serviceName")
        if not documents.find("Service", name, workload.namespace):
            yield workload.finding("spec.serviceName", "a Service that there is", name)


def principal_exists(documents: Documents) -> Iterator[Finding]:
    """Service accounts of charts are the charts' to name."""
    for policy in documents.of("AuthorizationPolicy"):
        for path, node in mappings(policy.spec, "spec"):
            for principal in (*node.get("principals", ()), *node.get("notPrincipals", ())):
                found = _PRINCIPAL.fullmatch(principal)
                known = found and (
                    found["namespace"] in OF_CHARTS
                    or documents.find("ServiceAccount", found["account"], found["namespace"])
                )
                if not known:
                    yield policy.finding(f"{path}.principals", "a ServiceAccount that there is", principal)
