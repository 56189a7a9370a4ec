"""One request to the Kubernetes API by its own client, answered by JSON or by lines as they come."""

import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from features.errors import UnreachableError
from flows.adapters.kubernetes_errors import Asked, refusal, translated

if TYPE_CHECKING:
    from kubernetes.client import ApiClient

Json = dict[str, Any]
_TYPES = {"PATCH": "application/merge-patch+json"}


@dataclass(frozen=True)
class Transport:
    """timeout_s: to connect, and to wait for (more of) an answer. Raises what kubernetes_errors says."""

    client: "ApiClient"
    timeout_s: float

    @property
    def host(self) -> str:
        """URL of the API."""
        return str(self.client.configuration.host)

    def json(self, asked: Asked, path: str, query: Mapping[str, str], body: Json | None = None) -> Json:
        """The object that a request is answered with."""
        with translated(asked):
            response = self._send(asked, path, query, self.timeout_s, body)
            data = response.read()
        if not 200 <= response.status <= 299:
            raise refusal(asked, response.status, data.decode(errors="replace"))
        try:
            found = json.loads(data)
        except ValueError as error:
            raise UnreachableError(f"{self.host} does not answer with JSON; is it a Kubernetes API?") from error
        if not isinstance(found, dict):
            raise UnreachableError(f"{self.host} does not answer with an object; is it a Kubernetes API?")
        return found

    def lines(self, asked: Asked, path: str, query: Mapping[str, str], wait_s: float = 0.0) -> Iterator[str]:
        """Whole lines of a stream as they come; ``wait_s``: seconds that none may come, beyond the usual time-out."""
        rest = b""
        with translated(asked):
            response = self._send(asked, path, query, wait_s + self.timeout_s)
            with closing(response.response):
                if response.status != 200:
                    raise refusal(asked, response.status, response.read().decode(errors="replace"))
                for chunk in response.response.stream(None, decode_content=False):
                    *lines, rest = (rest + chunk).split(b"\n")
                    yield from (line.decode(errors="replace") for line in lines)
        if rest:
            yield rest.decode(errors="replace")

    def _send(
        self, asked: Asked, path: str, query: Mapping[str, str], timeout_s: float, body: Json | None = None
    ) -> Any:
        request = self.client.param_serialize(
            asked.method,
            path,
            query_params=[(key, value) for key, value in query.items() if value],
            header_params={"Accept": "*/*", "Content-Type": _TYPES.get(asked.method, "application/json")},
            body=body,
            auth_settings=["BearerToken"],
        )
        return self.client.call_api(*request, _request_timeout=(self.timeout_s, timeout_s))
