"""The state of a fake of the Kubernetes API, its troubles, and what a test does to it as the owner of the cluster."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.kubernetes import writing
from tests.fakes.kubernetes.access import Access, User
from tests.fakes.kubernetes.answers import not_found
from tests.fakes.kubernetes.kinds import BUILT_IN, CRD, Kind, custom_kinds
from tests.fakes.kubernetes.logs import Log
from tests.fakes.kubernetes.store import Store

Json = dict[str, Any]
TOKEN = "token-of-an-administrator"


@dataclass
class Troubles:
    """What a test makes go wrong. failures: statuses to answer next (0: the truth); slow_s: before every answer;
    refuse: a status for every request, 0 for none; cuts: how often streams were broken; lost: so many writes are done
    next without an answer.
    """

    failures: list[int] = field(default_factory=list)
    slow_s: float = 0.0
    refuse: int = 0
    cuts: int = 0
    lost: int = 0

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
