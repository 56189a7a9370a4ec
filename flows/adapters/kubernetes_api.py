"""The door to the Kubernetes API: objects as the API has them, one of them watched, logs of pods."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.errors import UnreachableError
from flows.adapters.kubernetes_errors import Asked, ExpiredError, NotStartedError, refusal
from flows.adapters.kubernetes_kinds import PODS, SERVICES, Kind
from flows.adapters.kubernetes_logs import stamped
from flows.adapters.kubernetes_transport import Transport

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Json = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """An object at some moment, None where there was none; ``version``: from where a watch goes on, "" for nowhere."""

    object: Json | None = None
    version: str = ""


@dataclass(frozen=True)
class Service:
    """A port of a Service."""

    namespace: str
    name: str
    port: int


@dataclass(frozen=True)
class KubernetesApi:
    """Objects of one namespace, or of another where a call names it ("" for kinds of the whole cluster).

    timeout_s: of one request, to connect and to read. Every call raises what kubernetes_errors says.
    """

    client: "ApiClient"
    namespace: str
    timeout_s: float = 15.0

    def get(self, kind: Kind, name: str, namespace: str | None = None) -> Json:
        """One object. Raises MissingError where there is none."""
        return self._object("GET", kind, name, namespace)

    def find(self, kind: Kind, labels: str = "", fields: str = "", namespace: str | None = None) -> list[Json]:
        """Objects that both selectors choose."""
        found: list[Json] = self._all(kind, namespace, labels, fields)["items"]
        return found

    def create(self, kind: Kind, body: Json, namespace: str | None = None) -> Json:
        """The object as it was made; a field that its kind does not have is refused, not dropped.

        Raises RefusedError where one of that name exists.
        """
        asked, path = self._asked("POST", kind, body["metadata"].get("name", ""), namespace), kind.path
        return self._transport.json(asked, path(asked.namespace), {"fieldValidation": "Strict"}, body)

    def replace(self, kind: Kind, body: Json, namespace: str | None = None) -> Json:
        """The object as it was written. Raises ModifiedError where ``body`` holds an older version of it."""
        return self._object("PUT", kind, body["metadata"]["name"], namespace, body)

    def patch(self, kind: Kind, name: str, body: Json, namespace: str | None = None) -> Json:
        """The object with a JSON merge patch applied."""
        return self._object("PATCH", kind, name, namespace, body)

    def delete(self, kind: Kind, name: str, namespace: str | None = None) -> None:
        """Delete an object, and in the background what it owns."""
        self._object("DELETE", kind, name, namespace, {"propagationPolicy": "Background"})

    def look(self, kind: Kind, name: str, namespace: str | None = None) -> Seen:
        """The object as it is now, if it is there."""
        found = self._all(kind, namespace, "", f"metadata.name={name}")
        version = (found.get("metadata") or {}).get("resourceVersion") or ""
        return Seen(next(iter(found["items"]), None), version)

    def next_change(self, kind: Kind, name: str, seen: Seen, wait_s: float, namespace: str | None = None) -> Seen:
        """The first change after what was seen, or that itself where none comes within ``wait_s`` (1 s at least).

        Looks anew where nothing was seen yet, or where the API has forgotten what came after it (410).
        """
        if not seen.version:
            return self.look(kind, name, namespace)
        wait = max(1, round(wait_s))
        end = time.monotonic() + wait
        try:
            found = self._change(self._asked("GET", kind, name, namespace), kind, seen, wait)
        except ExpiredError:
            return self.look(kind, name, namespace)
        if found.object is seen.object:  # what is between us and the API may let no watch last
            time.sleep(max(0.0, end - time.monotonic()))
        return found

    def log(self, pod: str, container: str = "", since: str = "") -> list[str]:
        """Lines of a pod's log, each after its time (UTC) and a blank, from a time on (RFC 3339, by the second).

        None before its container runs. Raises MissingError where the pod is not there.
        """
        asked = self._asked("GET", PODS, pod, None)
        query = {"timestamps": "true", "container": container, "sinceTime": since}
        try:
            return stamped(pod, self._transport.lines(asked, PODS.path(asked.namespace, pod, "log"), query))
        except NotStartedError:
            return []

    def server_version(self) -> str:
        """Such as v1.34.2."""
        asked = Asked("GET", Kind("", "", "version"), "", "", self._transport.host)
        found = self._transport.json(asked, "/version", {}).get("gitVersion")
        if not found:
            raise UnreachableError(f"{self._transport.host} does not tell its version; is it a Kubernetes API?")
        return str(found)

    def ask_service(self, service: Service, path: str, query: Mapping[str, str]) -> Json:
        """What a service answers to a GET that goes through the API server, as JSON."""
        asked = self._asked("GET", SERVICES, f"{service.name}:{service.port}", service.namespace)
        place = SERVICES.path(service.namespace, asked.name, "proxy")
        return self._transport.json(asked, f"{place}/{path}", query)

    @property
    def _transport(self) -> Transport:
        return Transport(self.client, self.timeout_s)

    def _change(self, asked: Asked, kind: Kind, seen: Seen, wait_s: int) -> Seen:
        query = {"watch": "true", "allowWatchBookmarks": "true", "timeoutSeconds": str(wait_s)}
        query |= {"fieldSelector": f"metadata.name={asked.name}", "resourceVersion": seen.version}
        for line in self._transport.lines(asked, kind.path(asked.namespace), query, wait_s):
            try:
                event = json.loads(line)
                change, found = event["type"], event["object"]
                version = "" if change == "ERROR" else found["metadata"]["resourceVersion"]
            except (ValueError, LookupError, TypeError) as error:
                raise UnreachableError(f"the watch on {asked} broke off, or is none: {line[:100]}") from error
            if change == "ERROR":
                raise refusal(asked, int(found.get("code", 500)), json.dumps(found))
            if change != "BOOKMARK":
                return Seen(None if change == "DELETED" else found, version)
            seen = Seen(seen.object, version)
        return seen

    def _all(self, kind: Kind, namespace: str | None, labels: str, fields: str) -> Json:
        asked = self._asked("GET", kind, "", namespace)
        found = self._transport.json(
            asked, kind.path(asked.namespace), {"labelSelector": labels, "fieldSelector": fields}
        )
        return found | {"items": found.get("items") or []}  # null for none, from some servers

    def _object(self, method: str, kind: Kind, name: str, namespace: str | None, body: Json | None = None) -> Json:
        asked = self._asked(method, kind, name, namespace)
        return self._transport.json(asked, kind.path(asked.namespace, name), {}, body)

    def _asked(self, method: str, kind: Kind, name: str, namespace: str | None) -> Asked:
        place = self.namespace if namespace is None else namespace
        return Asked(method, kind, place, name, self._transport.host)
