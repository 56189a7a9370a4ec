"""The manifests build alike with every kustomize from 5.5 to 5.7: they use what all of these have."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.checking.rendering import ROOT

FILES = sorted((ROOT / "manifests").rglob("kustomization.yaml"))
FIELDS = {
    *("apiVersion", "kind", "namespace", "resources", "components", "patches", "replacements"),
    *("images", "labels", "commonAnnotations", "configMapGenerator", "generatorOptions"),
}  # no helmCharts, no plugins, and none of the deprecated bases, commonLabels, patchesStrategicMerge, vars


@pytest.fixture(params=FILES, ids=lambda file: str(file.parent.relative_to(ROOT)))
def folder(request: pytest.FixtureRequest) -> Path:
    return request.param.parent


def read(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "kustomization.yaml").read_text())


def test_it_uses_fields_that_every_version_builds_alike(folder: Path) -> None:
    assert read(folder).keys() <= FIELDS


def test_its_labels_stay_out_of_selectors(folder: Path) -> None:
    """A selector cannot change once it is in a cluster."""
    assert not [one for one in read(folder).get("labels") or () if one.get("includeSelectors")]


def test_it_names_every_manifest_beside_it(folder: Path) -> None:
    """A file that no kustomization names is a manifest that never reaches a cluster."""
    others = {file.name for file in folder.glob("*.yaml")} - {"kustomization.yaml"}
    assert {name for name in others if name not in (folder / "kustomization.yaml").read_text()} <= {"app-aws.yaml"}


def test_what_it_names_is_there_and_local(folder: Path) -> None:
    kustomization = read(folder)
    named = [*kustomization.get("resources", ()), *kustomization.get("components", ())]
    named += [patch["path"] for patch in kustomization.get("patches", ()) if "path" in patch]
    assert [name for name in named if not (folder / name).exists()] == []
