"""The door to Ray Serve's REST API and to the service behind it, over HTTP."""

import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from features.errors import RolloutError, UnreachableError
from flows.adapters.http_json import call_json
from flows.promotion.edit import APPLICATION, DEPLOYMENT


@dataclass(frozen=True)
class ServeApi:
    """``dashboard``: where configuration is PUT, with ``token``; ``url``: where requests are answered, with ``bearer``.

    Every call raises UnverifiedError where access is refused (401, 403), UnreachableError for any other trouble.
    """

    dashboard: str
    token: str
    url: str
    timeout_s: float = 60.0
    bearer: str = ""

    def put(self, config: dict[str, Any]) -> None:
        """Apply a ``serveConfigV2``, as KubeRay does; one that says nothing of logs gets quiet ones."""
        host = urlsplit(self.url)
        logs = {"logging_config": {"log_level": "WARNING", "enable_access_log": False, "encoding": "JSON"}}
        local = {"http_options": {"host": host.hostname, "port": host.port}}
        self._call("PUT", f"{self.dashboard}/api/serve/applications/", {**logs, **config, **local})

    def applications(self) -> dict[str, Any]:
        """Status of every application by name; one that does not exist has none."""
        found: dict[str, Any] = self._part(f"{self.dashboard}/api/serve/applications/", "applications", dict)
        return found

    def application(self, name: str = APPLICATION) -> dict[str, Any]:
        """Status of one application; empty before it exists."""
        return dict(self.applications().get(name) or {})

    def wait_until_running(self, timeout_s: float = 120) -> None:
        """Return when the application runs. Raises RolloutError when it failed, UnreachableError on a time-out."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            found = self.application()
            if found.get("status") == "RUNNING":
                return
            if found.get("status") in ("DEPLOY_FAILED", "UNHEALTHY"):
                deployment = found.get("deployments", {}).get(DEPLOYMENT, {})
                text = deployment.get("message") or found.get("message") or "no message"
                raise RolloutError(f"Serve reports {found['status']}: {text.strip().splitlines()[-1]}")
            time.sleep(0.25)
        raise UnreachableError(f"the application did not run within {timeout_s:g} s")

    def fleet(self) -> list[dict[str, Any]]:
        """What every replica says it wants to serve and serves."""
        replicas: list[dict[str, Any]] = self._part(f"{self.url}/model?fleet=1", "replicas", list)
        return replicas

    def model(self) -> dict[str, Any]:
        """What one replica serves."""
        return self._object("GET", f"{self.url}/model")

    def predict(self, body: dict[str, Any], explain: bool = False) -> dict[str, Any]:
        """The answer of ``/predict`` to serving.messages.PredictRequest; explain: with the reasons of alert rows."""
        return self._object("POST", f"{self.url}/predict{'?explain=true' * explain}", body)

    def _part(self, url: str, name: str, kind: type) -> Any:
        """What an object has under a name. Raises UnreachableError where something else must have answered."""
        part = self._object("GET", url).get(name)
        if not isinstance(part, kind):
            raise UnreachableError(f"GET {url}: the answer holds no {name}; what answers there is no service of ours")
        return part

    def _object(self, method: str, url: str, body: Any = None) -> dict[str, Any]:
        found = self._call(method, url, body)
        if not isinstance(found, dict):
            raise UnreachableError(f"{method} {url}: the answer is no object; what answers there is no service of ours")
        return found

    def _call(self, method: str, url: str, body: Any = None) -> Any:
        token = self.token if url.startswith(f"{self.dashboard}/api/") else self.bearer
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return call_json(method, url, body, headers, self.timeout_s)
