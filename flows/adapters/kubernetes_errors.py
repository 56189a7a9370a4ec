"""What the Kubernetes API refuses, in words that say what to do about it."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from features.errors import InputError, RefusedError, RetryError, UnreachableError, UnverifiedError, VigiaError
from flows.adapters.kubernetes_kinds import NAMESPACES, Kind

_FORBIDDEN = re.compile(r'User "(?P<user>[^"]*)" cannot (?P<verb>\w+) resource "(?P<resource>[^"]*)"')
_TITLE = re.compile(r"<title>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_WAITING = "is waiting to start"
_ROLES = "manifests/base/schedules"


@dataclass(frozen=True)
class Asked:
    """What was asked of which host. namespace: "" for the whole cluster; name: "" for all objects of the kind."""

    method: str
    kind: Kind
    namespace: str
    name: str
    host: str

    def __str__(self) -> str:
        """For people: rayjobs.ray.io train-1 in ml-dev."""
        return " ".join(filter(None, (str(self.kind), self.name, f"in {self.namespace}" if self.namespace else "")))


class NotStartedError(RetryError):
    """The container whose log was asked for has not started."""


class MissingError(InputError):
    """The object that was asked for is not there."""


class ExpiredError(RetryError):
    """The version that a watch was to go on from is forgotten (410): look anew."""


class ModifiedError(RetryError):
    """Another one wrote the object first (409)."""


@contextmanager
def translated(asked: Asked) -> Iterator[None]:
    """Turn what the client raises into errors of ours.

    InputError: missing object, kind or namespace, an object that the API finds invalid. UnverifiedError: no or too
    little access. UnreachableError: no or a broken answer. ExpiredError, ModifiedError: as they say.
    """
    from kubernetes.client.exceptions import ApiException
    from kubernetes.config import ConfigException
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ApiException as error:
        raise _silent(asked, error.reason) from error  # TLS; statuses are read by whoever asked
    except (HTTPError, OSError) as error:
        raise _silent(asked, getattr(error, "reason", None) or error) from error
    except ConfigException as error:
        raise UnverifiedError(f"no credentials for the Kubernetes API at {asked.host}: {error}") from error


def refusal(asked: Asked, status: int, body: str) -> VigiaError:
    """The error of an answer that is none of success; also that of an ERROR event of a watch."""
    said = _status(body)
    message = said.get("message") or _plain(body)
    if status == 401:
        where = f"the Kubernetes API at {asked.host} does not know these credentials (401)"
        return UnverifiedError(f"{where}; log in again, or renew the token of the kubeconfig")
    if status == 403:
        return _forbidden(asked, message)
    if status == 404:
        return _missing(asked, said, body)
    if status == 409:
        reason = said.get("reason")
        return RefusedError(message) if reason == "AlreadyExists" else ModifiedError(message)
    if status == 410:
        return ExpiredError(message)
    if status == 400 and _WAITING in message:
        return NotStartedError(message)
    if status in (400, 422):
        causes = said.get("details", {}).get("causes", [])
        told = "; ".join(f"{cause.get('field')}: {cause.get('message')}" for cause in causes)
        return InputError(str(asked), f"the API server refuses it: {told or message}")
    return UnreachableError(f"the Kubernetes API at {asked.host} answers {status} to {asked}: {_short(message)}")


def _silent(asked: Asked, reason: object) -> UnreachableError:
    told = _short(str(reason).strip().replace("\n", ": "))
    return UnreachableError(f"the Kubernetes API at {asked.host} does not answer: {told}")


def _forbidden(asked: Asked, message: str) -> UnverifiedError:
    told = _FORBIDDEN.search(message)
    if told is None:
        return UnverifiedError(f"forbidden (403): {message}")
    if told["user"] == "system:anonymous":
        return UnverifiedError(f"{asked.host} takes us for nobody (403): no credentials were sent; log in again")
    where = f" in namespace {asked.namespace}" if asked.namespace else " in the whole cluster"
    resource, group = told["resource"], asked.kind.group or '""'
    rule = f"apiGroups [{group}], resources [{resource}], verbs [{told['verb']}]"
    said = f"{told['user']} may not {told['verb']} {asked.kind}{where} (403)"
    needed = "Role" if asked.namespace else "ClusterRole"
    return UnverifiedError(f"{said}; it needs a {needed} with {rule}; {_ROLES} has that of vigia-ops")


def _missing(asked: Asked, said: dict[str, Any], body: str) -> VigiaError:
    if not said and "<" in body:  # a page: of what stands before the API server, which may be away
        return UnreachableError(f"the Kubernetes API at {asked.host} answers 404 to {asked}: {_plain(body)}")
    if not said:  # no Status: the path itself is not served
        if asked.kind.group:
            rule = f"this cluster does not know {asked.kind}: install its operator"
            return InputError("kubernetes", f"{rule} (scripts/1-config-cluster.sh does)", asked.host)
        return InputError("kubernetes", "must be the URL of a Kubernetes API", asked.host)
    if said.get("details", {}).get("kind") == "namespaces" and asked.kind != NAMESPACES:
        return InputError("namespace", "must exist in the cluster", asked.namespace)
    return MissingError(str(asked), "is not there")


def _status(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) and found.get("kind") == "Status" else {}


def _plain(body: str) -> str:
    """What a body that is no Status says: of a page its title."""
    title = _TITLE.search(body)
    return _short(" ".join((title[1] if title else body).split()))


def _short(text: str, limit: int = 300) -> str:
    return text if len(text) <= limit else f"{text[:limit]}…"
