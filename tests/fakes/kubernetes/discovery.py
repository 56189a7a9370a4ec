"""What clients ask first: versions, groups, resources, and enough of OpenAPI for kubectl's own checks."""

from typing import Any

from tests.fakes.kubernetes.kinds import REVIEW, WHO, Kind

Json = dict[str, Any]
_VERBS = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"]
_SHORT = {"secrets": [], "configmaps": ["cm"], "pods": ["po"], "services": ["svc"], "namespaces": ["ns"]}


def discovery(path: str, kinds: list[Kind]) -> Json | None:
    """The answer for a path of discovery, None for any other path. Aggregated discovery is not offered."""
    steps = path.strip("/").split("/")
    if path == "/version":
        return {"major": "1", "minor": "34", "gitVersion": "v1.34.2", "platform": "linux/amd64", "gitCommit": ""}
    if path == "/api":
        return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
    if path == "/apis":
        names = sorted({kind.group for kind in kinds if kind.group})
        return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(name, kinds) for name in names]}
    if steps[:2] == ["openapi", "v3"]:
        return _openapi("/".join(steps[2:]), kinds)
    if path == "/openapi/v2":
        return {"swagger": "2.0", "info": {"title": "Kubernetes", "version": "v1.34.2"}, "paths": {}, "definitions": {}}
    if steps[0] == "apis" and len(steps) == 2 and any(kind.group == steps[1] for kind in kinds):
        return {"kind": "APIGroup", "apiVersion": "v1", **_group(steps[1], kinds)}
    wanted = "/".join(steps[1:])
    served = [kind for kind in kinds if kind.api_version == wanted]
    if served and steps[0] == ("apis" if served[0].group else "api"):
        rows = [row for kind in served for row in _resources(kind)]
        return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": wanted, "resources": rows}
    return None


def _group(name: str, kinds: list[Kind]) -> Json:
    versions = sorted({kind.version for kind in kinds if kind.group == name})
    told = [{"groupVersion": f"{name}/{version}", "version": version} for version in versions]
    return {"name": name, "versions": told, "preferredVersion": told[0]}


def _resources(kind: Kind) -> list[Json]:
    row = {"name": kind.plural, "singularName": kind.kind.lower(), "namespaced": kind.namespaced, "kind": kind.kind}
    rows = [row | {"verbs": ["create"] if kind in (REVIEW, WHO) else _VERBS, "shortNames": _SHORT.get(kind.plural, [])}]
    if kind.status:
        rows.append(row | {"name": f"{kind.plural}/status", "verbs": ["get", "patch", "update"]})
    if kind.plural == "pods":
        rows.append(row | {"name": "pods/log", "verbs": ["get"]})
    return rows


def _openapi(version: str, kinds: list[Kind]) -> Json:
    """Index, or one group version: that patches take fieldValidation, which is what kubectl looks for."""
    prefixes = sorted({f"{'apis' if kind.group else 'api'}/{kind.api_version}" for kind in kinds})
    if not version:
        return {"paths": {prefix: {"serverRelativeURL": f"/openapi/v3/{prefix}"} for prefix in prefixes}}
    paths = {}
    for kind in (one for one in kinds if version.partition("/")[2] == one.api_version):
        place = "namespaces/{namespace}/" * kind.namespaced
        known = {"group": kind.group, "version": kind.version, "kind": kind.kind}
        offered = [{"name": name, "in": "query"} for name in ("fieldValidation", "dryRun", "fieldManager", "force")]
        patch = {"parameters": offered, "x-kubernetes-group-version-kind": known, "responses": {}}
        paths[f"/{version}/{place}{kind.plural}/{{name}}"] = {"patch": patch}
    return {"openapi": "3.0.0", "info": {"title": "Kubernetes", "version": "v1.34.2"}, "paths": paths}
