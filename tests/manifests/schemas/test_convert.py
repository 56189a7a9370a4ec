"""A definition of a custom kind becomes a schema as strict as the API server is, and lists of what a schema loses."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from scripts.schemas.__main__ import main
from scripts.schemas.convert import Kind, convert
from scripts.schemas.metadata import OBJECT_META
from scripts.schemas.sources import SOURCES, Source
from tests.manifests.checking.defaults import as_the_server_reads
from tests.manifests.schema_folder import require_schemas

CRD = Path(__file__).with_name("crd.yaml")


@pytest.fixture(scope="module")
def kind() -> Kind:
    return convert(yaml.safe_load(CRD.read_text()))


def test_the_newest_stable_served_version_is_taken(kind: Kind) -> None:
    assert (kind.version, kind.served, kind.status_subresource) == ("v1", ("v1alpha1", "v1"), True)
    assert kind.file == "example.org/machine_v1.json"


def test_the_smallest_resource_passes(kind: Kind) -> None:
    assert faults(kind, {"name": "lathe", "port": 80}) == []


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"name": "lathe", "port": 80, "nmae": "x"}, "'nmae' was unexpected"),
        ({"port": 80}, "'name' is a required property"),
        ({"name": "drill", "port": 80}, "does not match"),
        ({"name": "lathe", "port": 0.5}, "is not of type 'integer', 'string'"),
        ({"name": "lathe", "port": 80, "size": 0}, "less than or equal to the minimum of 0"),
        ({"name": "lathe", "tags": ["a", "a"]}, "has non-unique elements"),
        ({"name": "lathe", "port": 80, "axes": [{"nmae": "x"}]}, "'nmae' was unexpected"),
        ({"name": "lathe", "port": 80, "labels": {"a": 1}}, "1 is not of type 'string'"),
        ({"name": "lathe", "port": 80, "object": {"kind": 1}}, "1 is not of type 'string'"),
        ({"name": "lathe"}, "is not valid under any of the given schemas"),
    ],
)
def test_what_the_server_refuses_or_prunes_is_refused(kind: Kind, spec: dict[str, Any], said: str) -> None:
    assert said in " ".join(faults(kind, spec))


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "MILL", "port": "http"},
        {"name": "mill", "port": 1, "note": None},
        {"name": "mill", "port": 1, "size": None},
        {"name": "mill", "port": 1, "free": {"any": [1]}},
        {"name": "mill", "port": 1, "object": {"kind": "Pod", "spec": {}}},
        {"name": "mill", "port": 1, "labels": {"any": "text"}},
    ],
)
def test_what_the_server_takes_passes(kind: Kind, spec: dict[str, Any]) -> None:
    assert faults(kind, spec) == []


def test_rules_and_keys_that_a_schema_cannot_say_are_kept_as_text(kind: Kind) -> None:
    assert kind.cel == ({"path": ".spec", "rule": "self.size > 0", "message": "a size above 0"},)
    assert kind.keyed == (".spec.axes name,side",)


def test_a_folder_of_schemas_is_made_from_what_publishers_keep(tmp_path: Path) -> None:
    kept = tmp_path / "published" / "owner" / "name" / "v1" / "crds"
    kept.mkdir(parents=True)
    (kept / "machines.yaml").write_text(CRD.read_text())
    source = Source("owner/name", "v1", "crds", ("machines.yaml",), ("Machine",))
    main(tmp_path / "schemas", (source,), (tmp_path / "published").as_uri())
    [entry] = json.loads((tmp_path / "schemas" / "index.json").read_text())
    assert json.loads((tmp_path / "schemas" / entry["file"]).read_text())["title"] == "example.org/v1 Machine"
    assert json.loads((tmp_path / "schemas" / "list_map_keys.json").read_text()) == {
        "example.org/v1 Machine": [".spec.axes name,side"]
    }


def test_what_cannot_be_read_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    source = Source("owner/name", "v1", "crds", ("machines.yaml",))
    with pytest.raises(SystemExit, match="owner/name/v1/crds/machines"):
        main(tmp_path / "schemas", (source,), tmp_path.as_uri())
    assert not (tmp_path / "schemas").exists()


def test_the_sources_are_those_of_the_schemas_that_are_here() -> None:
    said = (require_schemas() / "SOURCES.md").read_text()
    tags = dict(re.findall(r"^\|[^|]+\| (\S+) \| (\S+) \|", said, re.MULTILINE)[1:])
    assert {source.repository: source.tag for source in SOURCES} == {key: tags[key] for key in tags if "/" in key}


def test_metadata_is_that_of_the_schemas_that_are_here() -> None:
    schema = json.loads((require_schemas() / "ray.io" / "rayjob_v1.json").read_text())
    assert schema["properties"]["metadata"] == OBJECT_META


def faults(kind: Kind, spec: dict[str, Any]) -> list[str]:
    body = {"apiVersion": "example.org/v1", "kind": "Machine", "metadata": {"name": "m"}, "spec": spec}
    filled = as_the_server_reads(body, kind.schema)
    return [error.message for error in Draft202012Validator(kind.schema).iter_errors(filled)]
