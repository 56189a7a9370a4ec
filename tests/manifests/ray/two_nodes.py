"""Inside of two_nodes.sh: gives the cluster what Minikube serves, and tells by lines of JSON how the nodes answer."""

import json
import os
import time
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import URLError

HEAD, WORKER = "10.9.0.1", "10.9.0.2"
_PATIENCE_S = 90.0


def main() -> None:
    with open("/mnt/serve.json", encoding="utf-8") as file:
        config = json.load(file)
    tell("before")
    put(config)
    wait("HEALTHY")
    tell("serving")
    put({**config, "applications": []})
    wait("DRAINING")
    tell("drained")


def tell(moment: str) -> None:
    paths = ("/-/healthz", "/ready")
    nodes = {"head": HEAD, "worker": WORKER}
    said = {name: {path: status(f"http://{node}:8000{path}") for path in paths} for name, node in nodes.items()}
    agent = {name: status(f"http://{node}:52365/api/healthz") for name, node in nodes.items()}
    print(json.dumps({"moment": moment, **said, "agent": agent, "replicas": [*replicas()]}), flush=True)


def wait(state: str) -> None:
    """Until the worker's HAProxy is in that state, and two seconds for its answers to follow."""
    end = time.monotonic() + _PATIENCE_S
    while {one["node_ip"]: one["status"] for one in ask()["proxies"].values()}.get(WORKER) != state:
        assert time.monotonic() < end, ask()
        time.sleep(0.5)
    time.sleep(2)


def replicas() -> Iterator[str]:
    """The nodes that replicas are on."""
    for application in ask()["applications"].values():
        for deployment in application["deployments"].values():
            yield from (one["node_ip"] for one in deployment["replicas"] if one["state"] == "RUNNING")


def ask() -> Any:
    return json.loads(_rest("GET", None))


def put(config: dict[str, Any]) -> None:
    _rest("PUT", json.dumps(config).encode())


def _rest(method: str, body: bytes | None) -> bytes:
    """Serve's REST API, which KubeRay uses."""
    headers = {"Authorization": f"Bearer {os.environ['RAY_AUTH_TOKEN']}", "Content-Type": "application/json"}
    url = f"http://{HEAD}:8265/api/serve/applications/"
    asked = urllib.request.Request(url, data=body, headers=headers, method=method)
    with urllib.request.urlopen(asked, timeout=60) as answer:
        return bytes(answer.read())


def status(url: str) -> int:
    """0 where nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=4) as answer:
            return int(answer.status)
    except URLError as error:
        return int(getattr(error, "code", 0))


if __name__ == "__main__":
    main()
