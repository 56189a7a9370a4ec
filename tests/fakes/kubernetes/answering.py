"""The answer of the fake of the Kubernetes API to each request but a watch and a log."""

import json
from dataclasses import dataclass
from typing import Any

import yaml

from tests.fakes.kubernetes import access, writing
from tests.fakes.kubernetes.access import User
from tests.fakes.kubernetes.answers import ApiError, bad_request, conflict, not_found
from tests.fakes.kubernetes.applying import apply
from tests.fakes.kubernetes.kinds import REVIEW, WHO
from tests.fakes.kubernetes.patching import json_patch, merge, strategic
from tests.fakes.kubernetes.requests import Request
from tests.fakes.kubernetes.selecting import selects
from tests.fakes.kubernetes.store import Store

Json = dict[str, Any]


@dataclass(frozen=True)
class Sent:
    """What came with a request. agent: of the client, which names a field manager where the URL names none."""

    body: bytes
    content_type: str
    agent: str


def allow(user: User, request: Request) -> None:
    """Raise ApiError 403, unless anybody may ask this."""
    if request.kind not in (REVIEW, WHO):
        access.check(user, request.verb, request.kind, request.part, request.namespace, request.name)


def answer(store: Store, request: Request, sent: Sent, user: User) -> tuple[int, Json]:
    """Status and JSON of anything that is no stream. Raises ApiError."""
    kind, query = request.kind, request.query
    if request.method == "GET":
        return 200, read(store, request) if request.name else _list(store, request)
    if request.method == "DELETE":
        return 200, _delete(store, request, json.loads(sent.body) if sent.body else {})
    given = _parsed(sent)
    manager = query.get("fieldManager") or sent.agent.partition("/")[0] or "unknown"
    how = writing.Write(manager, query.get("fieldValidation") == "Strict", query.get("dryRun") == "All")
    if request.method == "PATCH":
        return _patch(store, request, given, sent.content_type, how)
    if request.method == "PUT":
        return 200, writing.update(store, kind, request.namespace, request.name, given, how, request.part)
    if kind == REVIEW:
        return 201, _review(user, given)
    if kind == WHO:
        return 201, {**given, "metadata": {}, "status": {"userInfo": {"username": user.name}}}
    return 201, writing.create(store, kind, request.namespace, given, how)


def read(store: Store, request: Request) -> Json:
    """One object. Raises ApiError 404."""
    found = store.read(request.kind, request.namespace, request.name)
    if found is None:
        raise not_found(request.kind, request.name)
    return found


def _list(store: Store, request: Request) -> Json:
    kind, query = request.kind, request.query
    labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
    with store.changed:
        found = [one for one in store.list(kind, request.namespace) if selects(labels, fields, one)]
        meta = {"resourceVersion": str(store.version)}
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": found}


def _delete(store: Store, request: Request, options: Json) -> Json:
    if "propagationPolicy" in request.query:
        options = {"propagationPolicy": request.query["propagationPolicy"], **options}
    names = [request.name] if request.name else [one["metadata"]["name"] for one in _list(store, request)["items"]]
    for name in names:
        gone = writing.delete(store, request.kind, request.namespace, name, options)
    if not request.name:
        return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
    details = {"name": request.name, "group": request.kind.group, "kind": request.kind.plural}
    told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
    return told | {"details": details | {"uid": gone["metadata"]["uid"]}}


def _patch(store: Store, request: Request, given: Any, content_type: str, how: writing.Write) -> tuple[int, Json]:
    kind = request.kind
    with store.changed:
        found = store.read(kind, request.namespace, request.name)
        if content_type.startswith("application/apply-patch"):
            if "fieldManager" not in request.query:
                raise bad_request("PatchOptions.meta.k8s.io is invalid: fieldManager: Required value: is required")
            given = given | {"metadata": {**given.get("metadata", {}), "name": request.name}}
            if kind.kind == "Secret":
                given = writing.encoded(given)
            wanted = apply(kind, found, given, how.manager, request.query.get("force") == "true")
            if found is None:
                return 201, writing.create(store, kind, request.namespace, wanted, how)
        elif found is None:
            raise not_found(kind, request.name)
        elif content_type.startswith("application/json-patch"):
            wanted = json_patch(found, given)
        elif content_type.startswith("application/strategic-merge-patch"):
            if kind.schema:
                raise ApiError(415, "UnsupportedMediaType", "the body of the request was in an unknown format")
            wanted = strategic(found, given)
        else:
            wanted = merge(found, given)
        if wanted["metadata"].get("resourceVersion") not in (None, found["metadata"]["resourceVersion"]):
            raise conflict(kind, request.name)
        return 200, writing.replace(store, kind, found, wanted, how, request.part)


def _parsed(sent: Sent) -> Any:
    if "protobuf" in sent.content_type:  # `kubectl create` of built-in kinds; `kubectl apply` sends JSON and YAML
        raise ApiError(415, "UnsupportedMediaType", "this fake of the API server takes JSON and YAML alone")
    try:
        return yaml.safe_load(sent.body) if "yaml" in sent.content_type else json.loads(sent.body)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error


def _review(user: User, given: Json) -> Json:
    asked = given["spec"]["resourceAttributes"]
    resource = "/".join(filter(None, (asked.get("resource"), asked.get("subresource"))))
    allowed = user.may(asked.get("verb", ""), asked.get("group", ""), resource, asked.get("namespace", ""))
    return {**given, "metadata": {}, "status": {"allowed": allowed}}
