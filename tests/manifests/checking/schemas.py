"""Where the schemas of custom kinds are, and rule: every resource keeps to the strict schema of its kind."""

import json
import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from kubernetes_validate import ValidationError, validate
from kubernetes_validate.utils import SchemaNotFoundError

from tests.manifests.checking.defaults import as_the_server_reads
from tests.manifests.checking.documents import Documents, Resource
from tests.manifests.checking.finding import Finding

ROOT = Path(__file__).parents[3]
KUBERNETES = "1.34"  # as scripts/versions.env pins it; a test compares
MISSING = "no schemas of custom kinds: `make schemas` downloads them, or set VIGIA_SCHEMAS to a folder"


@cache
def schema_folder() -> Path | None:
    """VIGIA_SCHEMAS, ../shared/schemas beside the checkout, or what `make schemas` made; None where there is none."""
    given = os.environ.get("VIGIA_SCHEMAS")
    usual = (ROOT.parent / "shared" / "schemas", ROOT / ".vigia" / "schemas")
    candidates = (Path(given),) if given else usual
    return next((folder for folder in candidates if (folder / "index.json").is_file()), None)


@cache
def read_schema_file(name: str) -> Any:
    """A JSON file of the schema folder; None without it."""
    folder = schema_folder()
    file = folder / name if folder else None
    return json.loads(file.read_text()) if file and file.is_file() else None


def strict_schema(documents: Documents) -> Iterator[Finding]:
    """A custom kind needs the schema folder; without any schema such resources pass, and the caller says so."""
    for resource in documents.resources:
        schema = read_schema_file(_file(resource)) if "." in resource.api else None
        yield from _custom(resource, schema) if schema else _core(resource)


def _file(resource: Resource) -> str:
    group, _, version = resource.api.rpartition("/")
    return f"{group}/{resource.kind.lower()}_{version}.json"


def _core(resource: Resource) -> Iterator[Finding]:
    try:
        validate(resource.body, KUBERNETES, strict=True)
    except SchemaNotFoundError:
        if schema_folder():
            yield resource.finding("apiVersion", "a kind with a schema", f"{resource.api} {resource.kind}")
    except ValidationError as error:
        yield resource.finding(_path(error.absolute_path), "the schema of its kind", error.message)


def _custom(resource: Resource, schema: dict[str, Any]) -> Iterator[Finding]:
    body = as_the_server_reads(resource.body, schema)
    for error in Draft202012Validator(schema).iter_errors(body):
        yield resource.finding(_path(error.absolute_path), "the schema of its kind", error.message)


def _path(parts: Any) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".") or "all"
