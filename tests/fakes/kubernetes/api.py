"""A fake of the Kubernetes API: its state, its troubles, and its answer to each request but a watch and a log."""

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import yaml

from tests.fakes.kubernetes import access, writing
from tests.fakes.kubernetes.access import Access, User
from tests.fakes.kubernetes.answers import ApiError, bad_request, conflict, not_found
from tests.fakes.kubernetes.applying import apply
from tests.fakes.kubernetes.kinds import BUILT_IN, CRD, REVIEW, Kind, custom_kinds
from tests.fakes.kubernetes.logs import Log
from tests.fakes.kubernetes.patching import json_patch, merge, strategic
from tests.fakes.kubernetes.selecting import selects
from tests.fakes.kubernetes.store import Store

Json = dict[str, Any]
TOKEN = "token-of-an-administrator"
_URL = re.compile(
    r"^/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/[^/]+))?/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?(?:/(?P<part>[^/]+))?$"
)
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


@dataclass(frozen=True)
class Request:
    """One request for objects. part: of the object, such as status or log."""

    method: str
    kind: Kind
    namespace: str
    name: str
    part: str
    query: dict[str, str]

    @property
    def watch(self) -> bool:
        """Whether it asks for a stream of changes."""
        return self.query.get("watch") in ("true", "1")

    @property
    def verb(self) -> str:
        """As rules call it."""
        if self.method == "GET" and not self.name:
            return "watch" if self.watch else "list"
        return "deletecollection" if self.method == "DELETE" and not self.name else _VERBS[self.method]


@dataclass
class Troubles:
    """What a test makes go wrong. failures: statuses to answer next (0: the truth); slow_s: before every answer;
    refuse: a status for every request, 0 for none; cuts: how often streams were broken.
    """

    failures: list[int] = field(default_factory=list)
    slow_s: float = 0.0
    refuse: int = 0
    cuts: int = 0

    def cut(self) -> None:
        """Break every stream that is open now, in the middle."""
        self.cuts += 1


@dataclass
class Kubernetes:
    """``log``: method and path of every request. ``logs``: by namespace, pod and container ("" for the only one).

    ``proxied``: what services answer to a GET through the API, by namespace/service:port/path.
    """

    store: Store = field(default_factory=Store)
    access: Access = field(default_factory=lambda: Access({TOKEN: User("kubernetes-admin")}))
    troubles: Troubles = field(default_factory=Troubles)
    logs: dict[tuple[str, str, str], Log] = field(default_factory=dict)
    proxied: dict[str, Json] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    bookmark_s: float = 0.2
    customs: tuple[Kind, ...] = field(default_factory=custom_kinds)
    stopping: threading.Event = field(default_factory=threading.Event)

    def prepare(self, namespaces: Iterable[str] = ("default",), groups: Iterable[str] = ("*",)) -> None:
        """Namespaces, and definitions of the custom kinds of some groups."""
        known = set(groups)
        for name in namespaces:
            self.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
        for kind in self.customs:
            if known & {"*", kind.group}:
                self.make(_definition(kind))

    def make(self, given: Json) -> Json:
        """Create an object, as the owner of the cluster; with its status, if it has one."""
        kind = self.kind(given["apiVersion"], given["kind"])
        namespace = given["metadata"].get("namespace", "default") if kind.namespaced else ""
        made = writing.create(self.store, kind, namespace, given, writing.Write("fake"))
        return self.status(made, given["status"]) if kind.status and "status" in given else made

    def status(self, found: Json, status: Json) -> Json:
        """Write the status of an object as a controller does, whatever its version is now. Raises ApiError 404."""
        kind, meta = self.kind(found["apiVersion"], found["kind"]), found["metadata"]
        with self.store.changed:
            now = self.store.read(kind, meta.get("namespace", ""), meta["name"])
            if now is None:
                raise not_found(kind, meta["name"])
            return writing.replace(
                self.store, kind, now, now | {"status": status}, writing.Write("fake"), "status" if kind.status else ""
            )

    def kind(self, api_version: str, name: str) -> Kind:
        """A served kind by what objects say."""
        return next(kind for kind in self.served() if (kind.api_version, kind.kind) == (api_version, name))

    def served(self) -> list[Kind]:
        """Built-in kinds, and custom ones whose definition exists."""
        known = {one["metadata"]["name"] for one in self.store.list(CRD, "")}
        return [*BUILT_IN, *(kind for kind in self.customs if kind.resource in known)]

    def request(self, method: str, path: str, query: dict[str, str]) -> Request | None:
        """What a URL asks for; None where nothing is served there."""
        told = _URL.match(path)
        if not told:
            return None
        version = "v1" if told["core"] else f"{told['group']}/{told['version']}"
        for kind in self.served():
            if (kind.api_version, kind.plural) == (version, told["plural"]):
                return Request(method, kind, told["namespace"] or "", told["name"] or "", told["part"] or "", query)
        return None

    def allow(self, user: User, request: Request) -> None:
        """Raise ApiError 403, unless anybody may ask this."""
        if request.kind != REVIEW:
            access.check(user, request.verb, request.kind, request.part, request.namespace, request.name)

    def answer(self, request: Request, body: bytes, content_type: str, user: User, agent: str) -> tuple[int, Json]:
        """Status and JSON of anything that is no stream. Raises ApiError."""
        kind, query = request.kind, request.query
        if request.method == "GET":
            return 200, self._read(request) if request.name else self._list(request)
        if request.method == "DELETE":
            return 200, self._delete(request, json.loads(body) if body else {})
        given = _parsed(body, content_type)
        manager = query.get("fieldManager") or agent.partition("/")[0] or "unknown"
        how = writing.Write(manager, query.get("fieldValidation") == "Strict", query.get("dryRun") == "All")
        if request.method == "PATCH":
            return self._patch(request, given, content_type, how)
        if request.method == "PUT":
            return 200, writing.update(self.store, kind, request.namespace, request.name, given, how, request.part)
        if kind == REVIEW:
            return 201, _review(user, given)
        return 201, writing.create(self.store, kind, request.namespace, given, how)

    def _read(self, request: Request) -> Json:
        found = self.store.read(request.kind, request.namespace, request.name)
        if found is None:
            raise not_found(request.kind, request.name)
        return found

    def _list(self, request: Request) -> Json:
        kind, query = request.kind, request.query
        labels, fields = query.get("labelSelector", ""), query.get("fieldSelector", "")
        with self.store.changed:
            found = [one for one in self.store.list(kind, request.namespace) if selects(labels, fields, one)]
            meta = {"resourceVersion": str(self.store.version)}
        return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": meta, "items": found}

    def _delete(self, request: Request, options: Json) -> Json:
        if "propagationPolicy" in request.query:
            options = {"propagationPolicy": request.query["propagationPolicy"], **options}
        names = [request.name] if request.name else [one["metadata"]["name"] for one in self._list(request)["items"]]
        for name in names:
            gone = writing.delete(self.store, request.kind, request.namespace, name, options)
        if not request.name:
            return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success"}
        details = {"name": request.name, "group": request.kind.group, "kind": request.kind.plural}
        told = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return told | {"details": details | {"uid": gone["metadata"]["uid"]}}

    def _patch(self, request: Request, given: Any, content_type: str, how: writing.Write) -> tuple[int, Json]:
        kind, store = request.kind, self.store
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


def _parsed(body: bytes, content_type: str) -> Any:
    if "protobuf" in content_type:  # `kubectl create` of built-in kinds; `kubectl apply` sends JSON and YAML
        raise ApiError(415, "UnsupportedMediaType", "this fake of the API server takes JSON and YAML alone")
    try:
        return yaml.safe_load(body) if "yaml" in content_type else json.loads(body)
    except (ValueError, yaml.YAMLError) as error:
        raise bad_request(f"the object provided is unrecognized: {error}") from error


def _review(user: User, given: Json) -> Json:
    asked = given["spec"]["resourceAttributes"]
    resource = "/".join(filter(None, (asked.get("resource"), asked.get("subresource"))))
    allowed = user.may(asked.get("verb", ""), asked.get("group", ""), resource, asked.get("namespace", ""))
    return {**given, "metadata": {}, "status": {"allowed": allowed}}


def _definition(kind: Kind) -> Json:
    names = {"plural": kind.plural, "kind": kind.kind, "singular": kind.kind.lower()}
    versions = [{"name": kind.version, "served": True, "storage": True}]
    scope = "Namespaced" if kind.namespaced else "Cluster"
    return {
        "apiVersion": CRD.api_version,
        "kind": CRD.kind,
        "metadata": {"name": kind.resource},
        "spec": {"group": kind.group, "names": names, "scope": scope, "versions": versions},
        "status": {"conditions": [{"type": "Established", "status": "True"}]},
    }
