"""What the API server does to an object between a request and the store: admission, versions, generation."""

import base64
import binascii
import copy
import random
import re
import string
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from tests.fakes.kubernetes import schemas
from tests.fakes.kubernetes.answers import already_exists, bad_request, conflict, invalid, not_found
from tests.fakes.kubernetes.applying import updated
from tests.fakes.kubernetes.kinds import Kind
from tests.fakes.kubernetes.store import Store

Json = dict[str, Any]
_SERVERS = ("uid", "creationTimestamp", "generation", "resourceVersion", "namespace", "name")
_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"


@dataclass(frozen=True)
class Write:
    """How a request asked for its write. strict: fieldValidation=Strict; dry: dryRun=All."""

    manager: str
    strict: bool = False
    dry: bool = False


def create(store: Store, kind: Kind, namespace: str, given: Json, how: Write) -> Json:
    """A POST. Raises ApiError 400, 404 (no such namespace), 409, 422."""
    found = _typed(kind, namespace, copy.deepcopy(given))
    meta = found["metadata"]
    if not meta.get("name") and meta.get("generateName"):
        meta["name"] = meta["generateName"] + "".join(random.choices(string.ascii_lowercase + string.digits, k=5))
    name = meta.get("name", "")
    if not name:
        told = ("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
        raise invalid(kind, "", (told,))
    if not re.fullmatch(_NAME, name) or len(name) > 253:
        words = f'Invalid value: "{name}": a lowercase RFC 1123 subdomain must consist of lower case alphanumerics'
        raise invalid(kind, name, (("FieldValueInvalid", words, "metadata.name"),))
    if meta.get("resourceVersion"):
        raise bad_request("resourceVersion should not be set on objects to be created")
    if kind.namespaced and not store.read(_NAMESPACES, "", namespace):
        raise not_found(_NAMESPACES, namespace)
    if kind.status:
        found.pop("status", None)
    with store.changed:
        if store.read(kind, namespace, name):
            raise already_exists(kind, name)
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": now}
        if kind.generation:
            meta["generation"] = 1
        found = _admitted(kind, None, found, how)
        if not meta.get("managedFields"):
            found = updated(None, found, how.manager)
        return _stored(store, kind, found, "ADDED", how)


def update(store: Store, kind: Kind, namespace: str, name: str, given: Json, how: Write, part: str = "") -> Json:
    """A PUT of the object, or of its status with ``part``. Raises ApiError 400, 404, 409, 422."""
    with store.changed:
        found = store.read(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        wanted = _typed(kind, namespace, copy.deepcopy(given))
        meta = wanted["metadata"]
        if meta.get("name") != name:
            raise bad_request(f"the name of the object ({meta.get('name', '')}) does not match the name on the URL")
        version = meta.get("resourceVersion")
        if not version and not kind.unconditional:
            told = (
                "FieldValueInvalid",
                "Invalid value: 0: must be specified for an update",
                "metadata.resourceVersion",
            )
            raise invalid(kind, name, (told,))
        if version and version != found["metadata"]["resourceVersion"]:
            raise conflict(kind, name)
        if meta.get("uid", found["metadata"]["uid"]) != found["metadata"]["uid"]:
            raise conflict(kind, name, "Precondition failed: UID in precondition differs from UID in object meta")
        return replace(store, kind, found, wanted, how, part)


def replace(store: Store, kind: Kind, found: Json, wanted: Json, how: Write, part: str = "") -> Json:
    """Write what a PUT, a patch or an apply came to; one that changes nothing leaves the version as it is."""
    kept = {key: found["metadata"][key] for key in _SERVERS if key in found["metadata"]}
    if part == "status":
        wanted = found | {"status": wanted.get("status", {})}
    elif kind.status:
        wanted = {key: value for key, value in wanted.items() if key != "status"}
        wanted |= {"status": found["status"]} if "status" in found else {}
    wanted["metadata"] = wanted["metadata"] | kept
    wanted = _admitted(kind, found, wanted, how)
    if wanted["metadata"].get("managedFields") == found["metadata"].get("managedFields") and part != "status":
        wanted = updated(found, wanted, how.manager)
    if kind.generation and _content(kind, wanted) != _content(kind, found):
        wanted["metadata"]["generation"] = found["metadata"]["generation"] + 1
    if wanted == found:
        return found
    return _stored(store, kind, wanted, "MODIFIED", how)


def delete(store: Store, kind: Kind, namespace: str, name: str, options: Json) -> Json:
    """A DELETE, with what the object owns unless orphaned. Raises ApiError 404, 409 for a precondition."""
    with store.changed:
        found = store.read(kind, namespace, name)
        if found is None:
            raise not_found(kind, name)
        for key, value in (options.get("preconditions") or {}).items():
            if found["metadata"][key] != value:
                raise conflict(kind, name, f"the {key} in the precondition ({value}) does not match the object's")
        if options.get("dryRun"):
            return found
        gone = store.write(kind, found, "DELETED")
        if options.get("propagationPolicy") != "Orphan":
            _collect(store, found["metadata"]["uid"])
        return gone


def _collect(store: Store, uid: str) -> None:
    """Delete what that object owned, as the garbage collector does a moment later."""
    for (group, plural, _, _), one in list(store.objects.items()):
        if any(owner["uid"] == uid for owner in one["metadata"].get("ownerReferences", [])):
            store.write(store.kinds[group, plural], copy.deepcopy(one), "DELETED")
            _collect(store, one["metadata"]["uid"])


def _typed(kind: Kind, namespace: str, found: Json) -> Json:
    """The object with its kind and namespace filled in. Raises ApiError 400 where they are not those of the URL."""
    if found.get("apiVersion", kind.api_version) != kind.api_version or found.get("kind", kind.kind) != kind.kind:
        told = f"{found.get('apiVersion')}, Kind={found.get('kind')}"
        raise bad_request(f"the object provided is unrecognized or not of the kind of the URL: {told}")
    found |= {"apiVersion": kind.api_version, "kind": kind.kind}
    meta = found["metadata"] = found.get("metadata") or {}
    if kind.namespaced:
        if meta.get("namespace", namespace) != namespace:
            raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
        meta["namespace"] = namespace
    return found


def _admitted(kind: Kind, found: Json | None, wanted: Json, how: Write) -> Json:
    """The object as it will be kept. Raises ApiError 400 or 422."""
    if kind.kind == "Secret":
        _secret(kind, found, wanted)
    wanted = schemas.with_defaults(kind, wanted)
    if (names := schemas.unknown_fields(kind, wanted)) and how.strict:
        told = ", ".join(f'unknown field "{name}"' for name in names)
        raise bad_request(f"{kind.kind} in version {kind.version!r} cannot be handled: strict decoding error: {told}")
    schemas.check(kind, wanted)
    return wanted


def _secret(kind: Kind, found: Json | None, wanted: Json) -> None:
    name = wanted["metadata"].get("name", "")
    wanted |= encoded({"stringData": wanted.pop("stringData", None), "data": wanted.get("data")})
    for value in (wanted.get("data") or {}).values():
        try:
            base64.b64decode(value, validate=True)
        except (binascii.Error, TypeError, ValueError) as error:
            raise bad_request(
                f"Secret in version 'v1' cannot be handled as a Secret: illegal base64: {error}"
            ) from error
    wanted.setdefault("type", "Opaque")
    if found and found["type"] != wanted["type"]:
        told = ("FieldValueInvalid", f'Invalid value: "{wanted["type"]}": field is immutable', "type")
        raise invalid(kind, name, (told,))


def encoded(secret: Json) -> Json:
    """The Secret with ``stringData`` moved into ``data``, as the API server does."""
    plain = secret.get("stringData") or {}
    found = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    kept = {key: value for key, value in secret.items() if key not in ("stringData", "data")}
    data = {**(secret.get("data") or {}), **found}
    return kept | ({"data": data} if data else {})


def _content(kind: Kind, found: Json) -> Json:
    left_out = {"metadata", "status"} if kind.status else {"metadata"}
    return {key: value for key, value in found.items() if key not in left_out}


def _stored(store: Store, kind: Kind, found: Json, change: Any, how: Write) -> Json:
    return found if how.dry else store.write(kind, found, change)


_NAMESPACES = Kind("", "v1", "Namespace", "namespaces", namespaced=False, status=True)
