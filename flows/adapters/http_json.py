"""JSON over HTTP, with the errors of ours."""

import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from features.errors import InputError, UnreachableError, UnverifiedError


class _Stay(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: urllib would take the token along to another host, and make a GET of a POST."""

    def redirect_request(self, *_: Any) -> None:
        """None: the redirect is then an error."""


_OPENER = urllib.request.build_opener(_Stay)


def call_json(method: str, url: str, body: Any, headers: Mapping[str, str], timeout_s: float) -> Any:
    """The JSON of an answer, None for an empty one; ``body``: sent as JSON, None for nothing.

    Raises UnverifiedError where access is refused (401, 403), UnreachableError for any other trouble, a redirect too,
    InputError for headers that cannot be sent.
    """
    for name, text in headers.items():
        refuse_unsendable(name, text)
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with _OPENER.open(request, timeout=timeout_s) as response:
            answer = response.read()
    except urllib.error.HTTPError as error:
        kind = UnverifiedError if error.code in (401, 403) else UnreachableError
        if "Location" in error.headers:
            raise kind(f"{method} {url}: {error.code} leads to {error.headers['Location']}; name that one") from error
        raise kind(f"{method} {url}: {error.code} {_said(error)}") from error
    except (OSError, HTTPException) as error:
        raise UnreachableError(f"{method} {url}: {getattr(error, 'reason', None) or error}") from error
    try:
        return json.loads(answer) if answer else None
    except (ValueError, RecursionError) as error:
        raise UnreachableError(f"{method} {url}: the answer is not JSON ({error})") from error


def refuse_unsendable(header: str, text: str) -> None:
    """Raise InputError for what HTTP takes in no header. The text, a token perhaps, is not shown: clients print it."""
    if not (text.isascii() and text.isprintable()):
        raise InputError(header, "must be one line of printable ASCII; look at the token in it")


def _said(error: urllib.error.HTTPError) -> str:
    """As much of the body as came."""
    with suppress(OSError, HTTPException):
        return error.read().decode(errors="replace")[:500]
    return "and its body broke off"
