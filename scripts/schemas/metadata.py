"""The metadata of every resource, strict: a name or the start of one, labels and annotations of the right letters."""

from typing import Any

_TEXT = {"type": "string"}
_WORD = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_DNS = rf"^{_WORD}(\.{_WORD})*$"
_LABEL_KEY = rf"^({_WORD}(\.{_WORD})*/)?[A-Za-z0-9]([-A-Za-z0-9_.]{{0,61}}[A-Za-z0-9])?$"
_LABEL_VALUE = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$"
_FLAG = {"type": "boolean"}

_OWNER: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "required": ["apiVersion", "kind", "name", "uid"],
    "properties": {
        **dict.fromkeys(("apiVersion", "kind", "name", "uid"), _TEXT),
        "controller": _FLAG,
        "blockOwnerDeletion": _FLAG,
    },
}

OBJECT_META: dict[str, Any] = {
    "type": "object",
    "additionalProperties": False,
    "anyOf": [{"required": ["name"]}, {"required": ["generateName"]}],
    "properties": {
        "name": {"type": "string", "pattern": _DNS, "maxLength": 253},
        "generateName": _TEXT,
        "namespace": {"type": "string", "pattern": f"^{_WORD}$", "maxLength": 63},
        "labels": {
            "type": "object",
            "propertyNames": {"pattern": _LABEL_KEY},
            "additionalProperties": {"type": "string", "maxLength": 63, "pattern": _LABEL_VALUE},
        },
        "annotations": {"type": "object", "additionalProperties": _TEXT},
        "finalizers": {"type": "array", "items": _TEXT},
        "uid": _TEXT,
        "resourceVersion": _TEXT,
        "generation": {"type": "integer"},
        "creationTimestamp": {"type": ["string", "null"]},
        "deletionTimestamp": {"type": ["string", "null"]},
        "deletionGracePeriodSeconds": {"type": ["integer", "null"]},
        "selfLink": _TEXT,
        "managedFields": {"type": "array"},
        "ownerReferences": {"type": "array", "items": _OWNER},
    },
}
