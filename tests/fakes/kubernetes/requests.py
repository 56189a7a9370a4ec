"""Requests for objects: what their URL asks for."""

import re
from dataclasses import dataclass

from tests.fakes.kubernetes.kinds import Kind

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


def request_of(method: str, path: str, query: dict[str, str], kinds: list[Kind]) -> Request | None:
    """What a URL asks for; None where nothing is served there."""
    told = _URL.match(path)
    if not told:
        return None
    version = "v1" if told["core"] else f"{told['group']}/{told['version']}"
    for kind in kinds:
        if (kind.api_version, kind.plural) == (version, told["plural"]):
            return Request(method, kind, told["namespace"] or "", told["name"] or "", told["part"] or "", query)
    return None
