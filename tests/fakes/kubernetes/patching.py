"""The three patches: JSON merge (RFC 7386), strategic merge in its simple form, and JSON patch (RFC 6902)."""

import copy
from typing import Any

from tests.fakes.kubernetes.answers import bad_request

Json = dict[str, Any]
_KEYS = ("name", "mountPath", "containerPort", "port", "type", "ip", "uid", "topologyKey")


def merge(found: Any, patch: Any) -> Any:
    """RFC 7386: objects are merged, null removes, anything else replaces."""
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    merged = dict(found) if isinstance(found, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge(merged.get(key), value)
    return merged


def strategic(found: Any, patch: Any) -> Any:
    """As merge, but lists of objects are merged by the first key of _KEYS that all of them have, ``$patch: delete``
    removes and ``$patch: replace`` replaces.
    """
    if isinstance(patch, list) and isinstance(found, list):
        return _lists(found, patch)
    if not isinstance(patch, dict):
        return copy.deepcopy(patch)
    if patch.get("$patch") == "replace":
        return {key: value for key, value in patch.items() if key != "$patch"}
    merged = dict(found) if isinstance(found, dict) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = strategic(merged.get(key), value)
    return merged


def _lists(found: list[Any], patch: list[Any]) -> list[Any]:
    key = next((key for key in _KEYS if all(isinstance(one, dict) and key in one for one in [*found, *patch])), None)
    if key is None:
        return copy.deepcopy(patch)
    merged = {one[key]: one for one in found}
    for one in patch:
        if one.get("$patch") == "delete":
            merged.pop(one[key], None)
        else:
            merged[one[key]] = strategic(merged.get(one[key]), one)
    return list(merged.values())


def json_patch(found: Json, steps: Any) -> Json:
    """RFC 6902 of add, remove, replace and test. Raises ApiError 400 or 422 as the API server does."""
    if not isinstance(steps, list):
        raise bad_request("json: cannot unmarshal object into Go value of type jsonpatch.Patch")
    patched = copy.deepcopy(found)
    for step in steps:
        *path, last = (part.replace("~1", "/").replace("~0", "~") for part in step["path"].split("/")[1:])
        place: Any = patched
        for part in path:
            place = place[int(part)] if isinstance(place, list) else place[part]
        _step(place, last, step)
    return patched


def _step(place: Any, last: str, step: Json) -> None:
    at: Any = (len(place) if last == "-" else int(last)) if isinstance(place, list) else last
    if step["op"] == "remove":
        del place[at]
    elif step["op"] == "test":
        if place[at] != step["value"]:
            raise bad_request(f"testing value {step['path']} failed")
    elif step["op"] == "add" and isinstance(place, list):
        place.insert(at, step["value"])
    else:
        place[at] = step["value"]
