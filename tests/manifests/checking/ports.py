"""Rules: a port that something names is a port that a container has."""

from collections.abc import Iterator
from typing import Any

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pod import Pod
from tests.manifests.checking.pods import pods, selected
from tests.manifests.checking.walking import at, places

_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_LONGEST_NAME = 15
_HIGHEST = 65535


def service_target_port(documents: Documents) -> Iterator[Finding]:
    for service in documents.of("Service"):
        chosen = selected(documents, service.spec.get("selector") or {}, service.namespace)
        if not service.spec.get("selector") or not chosen:
            continue  # an outside name; or service_selects_pods says so
        for index, port in enumerate(service.spec.get("ports") or ()):
            target = port.get("targetPort", port.get("port"))
            if not all(target in _ports(pod) for pod in chosen):
                yield service.finding(f"spec.ports[{index}].targetPort", "a port of every pod it selects", target)


def policy_port(documents: Documents) -> Iterator[Finding]:
    """A port that a NetworkPolicy opens is one of a pod that it opens."""
    for policy in documents.of("NetworkPolicy"):
        chosen = selected(documents, at(policy.spec, "podSelector.matchLabels", {}), policy.namespace)
        known = {port for pod in chosen for port in _ports(pod)}
        for path, port in places(policy.spec, ".ingress[].ports[]"):
            if known and "endPort" not in port and port.get("port") not in known:
                yield policy.finding(f"spec.{path}.port", "a port of a pod it selects", port.get("port"))


def probe_port(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        for path, container in pod.containers():
            own = set(_of(container))
            for probe in _PROBES:
                for how in ("httpGet", "tcpSocket", "grpc"):
                    port = at(container, f"{probe}.{how}.port")
                    if port is not None and port not in own:
                        yield pod.owner.finding(f"{path}.{probe}.{how}.port", "a port of its container", port)


def port_name_and_number(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        for path, container in pod.containers():
            for index, port in enumerate(container.get("ports") or ()):
                place = f"{path}.ports[{index}]"
                if len(str(port.get("name", ""))) > _LONGEST_NAME:
                    yield pod.owner.finding(f"{place}.name", f"at most {_LONGEST_NAME} characters", port["name"])
                number = port.get("containerPort")
                if not (isinstance(number, int) and 0 < number <= _HIGHEST):
                    yield pod.owner.finding(f"{place}.containerPort", f"1 to {_HIGHEST}", number)


def _ports(pod: Pod) -> set[object]:
    return {port for _, container in pod.containers() for port in _of(container)}


def _of(container: dict[str, Any]) -> Iterator[object]:
    for port in container.get("ports") or ():
        yield port.get("containerPort")
        yield port.get("name")
