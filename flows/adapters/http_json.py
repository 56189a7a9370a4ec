"""JSON over HTTP, with the errors of ours."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from features.errors import UnreachableError, UnverifiedError


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would take the token along to another host, and make a GET of a POST."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirect is then an error."""


_OPENER = urllib.request.build_opener(_Stay)


def call_json(method: str, url: str, body: Any, headers: Mapping[str, str], timeout_s: float) -> Any:
    """The JSON of an answer, None for an empty one; ``body``: sent as JSON, None for nothing.

    Raises UnverifiedError where access is refused (401, 403), UnreachableError for any other trouble, a redirect too.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with _OPENER.open(request, timeout=timeout_s) as response:
            text = response.read()
        return json.loads(text) if text else None
    except urllib.error.HTTPError as error:
        kind = UnverifiedError if error.code in (401, 403) else UnreachableError
        if "Location" in error.headers:
            raise kind(f"{method} {url}: {error.code} leads to {error.headers['Location']}; name that one") from error
        raise kind(f"{method} {url}: {error.code} {error.read().decode(errors='replace')[:500]}") from error
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"{method} {url}: {getattr(error, 'reason', None) or error}") from error
    except ValueError as error:
        raise UnreachableError(f"{method} {url}: the answer is not JSON ({error})") from error
