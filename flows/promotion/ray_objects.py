"""Objects of KubeRay, as the Kubernetes API answers with them, as a value."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
import yaml

from features.errors import UnreachableError
from flows.promotion.ray_service import Group, RayServiceView
from flows.promotion.serve_answers import ending, named_digest

_Kind = TypeVar("_Kind", bound=msgspec.Struct)
_UNDER_WAY = ("UpgradeInProgress", "RollingBack")
_REFUSED = ("ValidationFailed", "InitializingTimeout")
_FAILED = ("DEPLOY_FAILED", "UNHEALTHY")
_SCALED = ("replicas", "minReplicas", "maxReplicas", "scaleStrategy")


class _Condition(msgspec.Struct):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _Deployment(msgspec.Struct):
    message: str = ""


class _App(msgspec.Struct, rename="camel"):
    status: str = ""
    message: str = ""
    serve_deployment_statuses: dict[str, _Deployment] = {}


class _Side(msgspec.Struct, rename="camel"):
    ray_cluster_name: str = ""
    application_statuses: dict[str, _App] = {}


class _Status(msgspec.Struct, rename="camel"):
    observed_generation: int = 0
    conditions: list[_Condition] = []
    active_service_status: _Side = msgspec.field(default_factory=_Side)
    pending_service_status: _Side = msgspec.field(default_factory=_Side)
    num_serve_endpoints: int = 0


class _Strategy(msgspec.Struct):
    type: str = ""


class _Spec(msgspec.Struct, rename="camel"):
    ray_cluster_config: dict[str, Any] = {}
    serve_config_v2: str = ""
    upgrade_strategy: _Strategy = msgspec.field(default_factory=_Strategy)
    suspend: bool = False


class _Meta(msgspec.Struct):
    name: str
    generation: int = 0


class _Service(msgspec.Struct):
    metadata: _Meta
    spec: _Spec
    status: _Status = msgspec.field(default_factory=_Status)


class _Cluster(msgspec.Struct):
    metadata: _Meta
    spec: dict[str, Any] = {}


def view_ray_service(
    found: Mapping[str, Any], clusters: Sequence[Mapping[str, Any]], application: str, deployment: str
) -> RayServiceView:
    """A RayService object with the RayClusters that it made. Raises UnreachableError for what KubeRay never writes."""
    service = _understood(found, _Service)
    made = {one.metadata.name: one.spec for one in (_understood(cluster, _Cluster) for cluster in clusters)}
    status, asked = service.status, service.spec.ray_cluster_config
    active, pending = status.active_service_status, status.pending_service_status.ray_cluster_name
    names = (active.ray_cluster_name, pending)
    running = made.get(active.ray_cluster_name)
    upgrades = service.spec.upgrade_strategy.type != "None"
    return RayServiceView(
        generation=service.metadata.generation,
        observed=status.observed_generation,
        digest=_digest(service.spec.serve_config_v2, application, deployment),
        active=active.ray_cluster_name,
        pending=pending,
        pending_status=_failed(status.pending_service_status.application_statuses.get(application, _App()), deployment),
        others=tuple(sorted(name for name in made if name not in names)),
        under_way=_said(one for one in status.conditions if one.type in _UNDER_WAY and one.status == "True"),
        refused=_said(one for one in status.conditions if one.reason in _REFUSED and one.status == "False"),
        suspended=service.spec.suspend,
        changed=upgrades and running is not None and _fixed(asked) != _fixed(running),
        status=active.application_statuses.get(application, _App()).status,
        endpoints=status.num_serve_endpoints,
        bounds=() if running is None else tuple(_other_bounds(asked, running)),
    )


def _digest(text: str, application: str, deployment: str) -> str:
    """The digest in a ``serveConfigV2``, "" where it names none."""
    try:
        config = yaml.safe_load(text)
        named = [one for one in (config or {}).get("applications", []) if one.get("name") == application]
    except (yaml.YAMLError, ValueError, AttributeError, TypeError):
        return ""
    return named_digest(named[0], deployment) if named else ""


def _said(conditions: Iterator[_Condition]) -> str:
    return "; ".join(f"{one.reason or one.type}: {one.message}" for one in conditions)


def _failed(app: _App, deployment: str) -> str:
    """Serve's status of an application that failed, and why; empty for another one."""
    if app.status not in _FAILED:
        return ""
    message = ending(app.serve_deployment_statuses.get(deployment, _Deployment()).message or app.message)
    return f"{app.status}{f': {message}' if message else ''}"


def _groups(spec: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {str(group.get("groupName")): group for group in spec.get("workerGroupSpecs") or []}


def _other_bounds(asked: Mapping[str, Any], running: Mapping[str, Any]) -> Iterator[Group]:
    live = _groups(running)
    for name, group in _groups(asked).items():
        if name in live and _bounds(group) != _bounds(live[name]):
            yield Group(name, _bounds(group), _bounds(live[name]))


def _bounds(group: Mapping[str, Any]) -> tuple[int, int]:
    return int(group.get("minReplicas") or 0), int(group.get("maxReplicas") or 0)


def _fixed(spec: Mapping[str, Any]) -> Any:
    """What of a cluster cannot change in place: without scaling, and without what Go leaves out for being empty."""
    rest = {key: value for key, value in spec.items() if key != "workerGroupSpecs"}
    groups = [
        {key: value for key, value in group.items() if key not in _SCALED}
        for group in spec.get("workerGroupSpecs") or []
    ]
    return _filled({**rest, "workerGroupSpecs": groups})


def _filled(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: kept for key, found in value.items() if (kept := _filled(found)) not in (None, {}, [], "", False)}
    return [_filled(one) for one in value] if isinstance(value, list) else value


def _understood(found: Mapping[str, Any], kind: type[_Kind]) -> _Kind:
    try:
        return msgspec.convert(found, kind)
    except msgspec.ValidationError as error:
        raise UnreachableError(f"an object of KubeRay cannot be understood: {error}") from error
