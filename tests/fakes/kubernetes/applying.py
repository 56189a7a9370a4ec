"""Server-side apply and field managers in their simple form: maps are merged field by field, lists are one value."""

import json
from datetime import UTC, datetime
from typing import Any

from tests.fakes.kubernetes.answers import ApiError
from tests.fakes.kubernetes.kinds import Kind

Json = dict[str, Any]
Path = tuple[str, ...]
_NOT_OWNED = {("apiVersion",), ("kind",)}
_SERVERS = {"uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "name", "namespace"}


def apply(kind: Kind, found: Json | None, wanted: Json, manager: str, force: bool) -> Json:
    """The object with ``wanted`` applied by a manager. Raises ApiError 409 for a field that another one set."""
    found = found or {"apiVersion": wanted["apiVersion"], "kind": wanted["kind"], "metadata": {}}
    leaves, owners = _leaves(wanted), _owners(found)
    conflicts = [
        (other, path)
        for (other, _), paths in owners.items()
        for path in paths
        if other != manager and path in leaves and _at(found, path) != leaves[path]
    ]
    if conflicts and not force:
        raise _conflict(kind, wanted["metadata"]["name"], conflicts)
    for _, path in conflicts:
        for paths in owners.values():
            paths.discard(path)
    mine = owners.get((manager, "Apply"), set())
    others = {path for who, paths in owners.items() if who != (manager, "Apply") for path in paths}
    result: Json = json.loads(json.dumps(found))
    for path in mine - set(leaves) - others:
        _remove(result, path)
    for path, value in leaves.items():
        _set(result, path, value)
    owners[(manager, "Apply")] = set(leaves)
    for key in ("name", "namespace"):
        if key in wanted["metadata"]:
            result["metadata"][key] = wanted["metadata"][key]
    return _recorded(result, owners, found)


def updated(found: Json | None, written: Json, manager: str) -> Json:
    """What a POST, PUT or patch wrote, with the fields it changed owned by its manager."""
    before, after = _leaves(found or {}), _leaves(written)
    owners = _owners(found or {})
    changed = {path for path, value in after.items() if path not in before or before[path] != value}
    for paths in owners.values():
        paths -= changed | (set(before) - set(after))
    owners.setdefault((manager, "Update"), set()).update(changed)
    return _recorded(written, owners, found or {})


def _leaves(value: Json) -> dict[Path, Any]:
    found: dict[Path, Any] = {}

    def walk(place: Any, path: Path) -> None:
        if isinstance(place, dict) and (place or not path):
            for key, one in place.items():
                if path != ("metadata",) or key not in _SERVERS:
                    walk(one, (*path, key))
        elif path not in _NOT_OWNED and path != ("metadata",) and path[0] != "status":
            found[path] = place

    walk(value, ())
    return found


def _owners(found: Json) -> dict[tuple[str, str], set[Path]]:
    return {
        (entry["manager"], entry["operation"]): set(_paths(entry["fieldsV1"], ()))
        for entry in found.get("metadata", {}).get("managedFields", [])
    }


def _paths(fields: Json, path: Path) -> list[Path]:
    return [
        one
        for key, inner in fields.items()
        for one in (_paths(inner, (*path, key[2:])) if inner else [(*path, key[2:])])
    ]


def _recorded(written: Json, owners: dict[tuple[str, str], set[Path]], found: Json) -> Json:
    times = {
        (entry["manager"], entry["operation"]): (entry["time"], entry["fieldsV1"])
        for entry in found.get("metadata", {}).get("managedFields", [])
    }
    now, entries = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), []
    for (manager, operation), paths in owners.items():
        fields: Json = {}
        for path in sorted(paths):
            _set(fields, tuple(f"f:{step}" for step in path), {})
        if not fields:
            continue
        was, known = times.get((manager, operation), ("", None))
        entry = {"manager": manager, "operation": operation, "apiVersion": written["apiVersion"]}
        stamped = {"time": was if known == fields else now, "fieldsType": "FieldsV1", "fieldsV1": fields}
        entries.append(entry | stamped)
    return written | {"metadata": written["metadata"] | {"managedFields": entries}}


def _at(place: Any, path: Path) -> Any:
    for step in path:
        place = place.get(step) if isinstance(place, dict) else None
    return place


def _set(place: Json, path: Path, value: Any) -> None:
    for step in path[:-1]:
        if not isinstance(place.get(step), dict):
            place[step] = {}
        place = place[step]
    place[path[-1]] = value


def _remove(place: Json, path: Path) -> None:
    parent = _at(place, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)


def _conflict(kind: Kind, name: str, conflicts: list[tuple[str, Path]]) -> ApiError:
    causes = tuple(
        ("FieldManagerConflict", f'conflict with "{manager}"', "." + ".".join(path)) for manager, path in conflicts
    )
    count = f"{len(causes)} conflict{'s' * (len(causes) > 1)}"
    first = f"{causes[0][1]}: {causes[0][2]}" if len(causes) == 1 else "conflicts with several managers"
    return ApiError(409, "Conflict", f"Apply failed with {count}: {first}", kind, name, causes)
