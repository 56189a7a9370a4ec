"""Where the Istio gateway sends a request, by Gateway and VirtualService: exact paths alone, as ours are."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.manifests.mesh.network_policy import Document


@dataclass(frozen=True)
class Destination:
    """What comes of a request: a status of the gateway's own, or the route it takes to a service."""

    status: int = 0
    route: str = ""
    service: str = ""


def sent_to(documents: Iterable[Document], host: str, port: int, path: str) -> Destination:
    documents = list(documents)
    server = _server(documents, host, port)
    if server is None:
        return Destination(404)
    if server.get("tls", {}).get("httpsRedirect"):
        return Destination(301)
    for service in documents:
        if service["kind"] == "VirtualService" and host in service["spec"]["hosts"]:
            for route in service["spec"]["http"]:
                if any(match == {"uri": {"exact": path}} for match in route["match"]):
                    (only,) = route["route"]
                    where = only["destination"]
                    return Destination(route=route["name"], service=f"{where['host']}:{where['port']['number']}")
    return Destination(404)


def _server(documents: list[Document], host: str, port: int) -> Any:
    for gateway in documents:
        if gateway["kind"] == "Gateway":
            for server in gateway["spec"]["servers"]:
                if server["port"]["number"] == port and host in server["hosts"]:
                    return server
    return None
