"""What objects of a cluster say of its health: objects in, a sentence or an InputError out."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from features.errors import InputError

Json = Mapping[str, Any]
KEYS = "vigia/keys"
"""Annotation of a Secret: the names of its keys, with commas."""
_HEALTH = "resource.customizations.health."


def operators(definitions: Iterable[Json], wanted: Mapping[str, str]) -> str:
    """wanted: name of a definition -> version that must be served. Raises InputError naming those that lack."""
    served = {
        one["metadata"]["name"]: {version["name"] for version in one["spec"]["versions"] if version.get("served")}
        for one in definitions
        if _is_true(one, "Established")
    }
    lacking = [f"{name} ({version})" for name, version in wanted.items() if version not in served.get(name, ())]
    if lacking:
        raise InputError("operators", f"must serve {', '.join(lacking)}")
    return f"{len(wanted)} kinds served"


def filled(secrets: Sequence[Json]) -> str:
    """Raises InputError naming each Secret that was applied without its keys."""
    if not secrets:
        raise InputError("secrets", "must be there: the overlay was not applied")
    empty = [
        f"{one['metadata']['name']}.{key}"
        for one in secrets
        for key in one["metadata"].get("annotations", {}).get(KEYS, "").split(",")
        if key and not (one.get("data") or {}).get(key)
    ]
    if empty:
        raise InputError("secrets", f"must hold {', '.join(empty)}")
    return f"{len(secrets)} with all their keys"


def fetched(external: Sequence[Json]) -> str:
    """Raises InputError naming each ExternalSecret whose Secret its operator could not make."""
    lacking = [f"{one['metadata']['name']} ({_told(one)})" for one in external if not _is_true(one, "Ready")]
    if lacking:
        raise InputError("secrets", f"must be fetched from their store: {', '.join(lacking)}")
    return f"{len(external)} fetched from their store"


def ready(service: Json) -> str:
    """Raises InputError with what its conditions say, where a RayService is not ready."""
    if not _is_true(service, "Ready"):
        raise InputError(service["metadata"]["name"], f"must be ready ({_told(service)})")
    return f"{service['status'].get('numServeEndpoints', 0)} endpoints"


def operator_says(deployments: Sequence[Json], wanted: Mapping[str, str]) -> str:
    """Image and feature gates of KubeRay's operator; wanted: gate -> value. Raises InputError."""
    if not deployments:
        raise InputError("kuberay-operator", "must run, in ray-system")
    (container, *_) = deployments[0]["spec"]["template"]["spec"]["containers"]
    given = [*container.get("command", ()), *container.get("args", ())]
    text = ",".join(one.partition("=")[2] for one in given if one.lstrip("-").startswith("feature-gates="))
    gates = dict(gate.split("=", 1) for gate in text.split(",") if "=" in gate)
    other = [f"{gate}={value}" for gate, value in wanted.items() if gates.get(gate, value) != value]
    if other:
        raise InputError("kuberay-operator", f"must run with the feature gates {', '.join(other)}", text)
    ran = deployments[0].get("status", {}).get("readyReplicas", 0)
    if not ran:
        raise InputError("kuberay-operator", "must have a ready pod", ran)
    return f"{container['image'].rpartition('/')[2]}, feature gates {text or 'as by default'}"


def synced(application: Json) -> str:
    """Raises InputError where Argo CD has not brought the cluster to git's word, or finds what it brought unwell."""
    status = application.get("status") or {}
    sync, health = status.get("sync", {}), status.get("health", {})
    if sync.get("status") != "Synced":
        message = (status.get("operationState") or {}).get("message", "")
        rule = f"must be Synced{f': {message}' if message else ''}"
        raise InputError(application["metadata"]["name"], rule, sync.get("status", "unknown"))
    state = health.get("status", "health unknown")
    if state in ("Degraded", "Missing"):
        rule = ": ".join(filter(None, ("must be healthy", health.get("message"))))
        raise InputError(application["metadata"]["name"], rule, state)
    return f"synced to {sync.get('revision', '')[:12]}, {state}"


def health_checks(settings: Json, kinds: Collection[str]) -> str:
    """settings: ConfigMap argocd-cm; kinds: group_Kind. Raises InputError naming kinds without a check."""
    lacking = [kind for kind in kinds if not (settings.get("data") or {}).get(_HEALTH + kind)]
    if lacking:
        raise InputError("argocd-cm", f"must hold health checks of {', '.join(lacking)}: they would count as healthy")
    return f"of {', '.join(kinds)}"


def scraped(answer: Json, namespace: str) -> str:
    """answer: Prometheus's to ``up`` of a namespace. Raises InputError naming targets that are down."""
    found = answer["data"]["result"]
    if not found:
        raise InputError("monitoring", "must scrape something: no target", namespace)
    down = sorted({one["metric"].get("pod") or one["metric"].get("instance", "?") for one in found if not _up(one)})
    if down:
        raise InputError("monitoring", f"must reach every target: down {', '.join(down)}")
    return f"{len(found)} targets up"


def _told(found: Json) -> str:
    told = [
        f"{one['type']} {one['status']}: {one.get('message') or one.get('reason', '')}" for one in _conditions(found)
    ]
    return "; ".join(told) or "no conditions yet"


def _up(one: Json) -> bool:
    return bool(float(one["value"][1]) == 1)


def _conditions(found: Json) -> Sequence[Json]:
    return (found.get("status") or {}).get("conditions") or ()


def _is_true(found: Json, kind: str) -> bool:
    return any(one["type"] == kind and one["status"] == "True" for one in _conditions(found))
