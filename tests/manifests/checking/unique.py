"""Rules: what a list is keyed by is there once; the API server merges or refuses two."""

import json
from collections.abc import Iterator
from typing import Any

from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pods import pods
from tests.manifests.checking.schemas import read_schema_file
from tests.manifests.checking.walking import places

_IN_CONTAINER: dict[str, tuple[str, ...]] = {
    "env": ("name",),
    "ports": ("containerPort", "protocol"),
    "volumeMounts": ("mountPath",),
}
_DEFAULTS = {"protocol": "TCP"}
_IN_POD: dict[str, tuple[str, ...]] = {"volumes": ("name",), "containers": ("name",), "initContainers": ("name",)}


def list_key_once(documents: Documents) -> Iterator[Finding]:
    """Lists of custom kinds, by the keys that their definitions name."""
    keyed = read_schema_file("list_map_keys.json") or {}
    for resource in documents.resources:
        for entry in keyed.get(f"{resource.api} {resource.kind}", ()):
            pattern, _, keys = entry.partition(" ")
            for path, items in places(resource.body, pattern):
                yield from _repeated(resource, path, items, tuple(keys.replace(",", " ").split()))


def pod_key_once(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        for field, keys in _IN_POD.items():
            yield from _repeated(pod.owner, f"{pod.path}.spec.{field}", pod.spec.get(field), keys)
        for path, container in pod.containers():
            for field, keys in _IN_CONTAINER.items():
                yield from _repeated(pod.owner, f"{path}.{field}", container.get(field), keys)


def service_port_once(documents: Documents) -> Iterator[Finding]:
    for service in documents.of("Service"):
        ports = service.spec.get("ports")
        yield from _repeated(service, "spec.ports", ports, ("port", "protocol"))
        if len(ports or ()) > 1:
            yield from _repeated(service, "spec.ports", ports, ("name",))


def _repeated(resource: Resource, path: str, items: Any, keys: tuple[str, ...]) -> Iterator[Finding]:
    seen = set()
    for item in items or ():
        key = json.dumps([item.get(name, _DEFAULTS.get(name)) for name in keys])
        if key in seen:
            yield resource.finding(path, f"each {', '.join(keys)} once", key)
        seen.add(key)
