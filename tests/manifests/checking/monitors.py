"""Rules: a monitor takes some target, at a port that the target has."""

from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pods import selected
from tests.manifests.checking.services import OF_CHARTS, services
from tests.manifests.checking.walking import at, matches


def service_monitor_target(documents: Documents) -> Iterator[Finding]:
    for monitor in documents.of("ServiceMonitor"):
        selector = at(monitor.spec, "selector.matchLabels", {})
        namespaces = at(monitor.spec, "namespaceSelector.matchNames", [monitor.namespace])
        if set(namespaces) & set(OF_CHARTS):
            continue
        taken = [one for one in services(documents) if one.namespace in namespaces and matches(selector, one.labels)]
        if not taken:
            yield monitor.finding("spec.selector", "selects a Service", selector)
            continue
        for index, endpoint in enumerate(monitor.spec.get("endpoints") or ()):
            name = endpoint.get("port")
            if not any(name in service.ports for service in taken):
                yield monitor.finding(f"spec.endpoints[{index}].port", "a named port of a Service it selects", name)


def pod_monitor_port(documents: Documents) -> Iterator[Finding]:
    for monitor in documents.of("PodMonitor"):
        selector = at(monitor.spec, "selector.matchLabels", {})
        namespaces = at(monitor.spec, "namespaceSelector.matchNames", [monitor.namespace])
        taken = [pod for namespace in namespaces for pod in selected(documents, selector, namespace)]
        names = {port.get("name") for pod in taken for _, one in pod.containers() for port in one.get("ports") or ()}
        for index, endpoint in enumerate(monitor.spec.get("podMetricsEndpoints") or ()):
            name = endpoint.get("port")
            if name is not None and taken and name not in names:
                yield monitor.finding(f"spec.podMetricsEndpoints[{index}].port", "a port of a pod it selects", name)
