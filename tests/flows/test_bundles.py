"""Which bundle a command means."""

from pathlib import Path

import pytest

from features.errors import InputError, UnreachableError
from flows.adapters.registry import registry_of
from flows.environments import Environment, find_environment
from flows.steps.bundles import Asked, find_bundle, find_version
from flows.workspace import Workspace
from tests.serving.service import publish


@pytest.fixture(scope="module")
def local(tmp_path_factory: pytest.TempPathFactory) -> tuple[Environment, list[str]]:
    """An environment with three versions of a model, and their digests; the second is the champion."""
    root = tmp_path_factory.mktemp("bundles")
    place = find_environment("local", Workspace(root))
    registry, digests = registry_of(place), []
    with registry.run("m", "r", {}) as run_id:
        for seed in (1, 2, 3):
            ref = publish(root / "store", seed)
            registry.register("m", ref.uri, ref.digest, run_id)
            digests.append(ref.digest)
    registry.set_alias("m", place.champion, "2")
    registry.set_alias("m", "challenger", "3")
    return place, digests


@pytest.mark.parametrize(
    ("asked", "number"),
    [
        (Asked("m"), 3),
        (Asked("m", aliases=("champion-local", "challenger")), 2),
        (Asked("m", aliases=("champion-nowhere", "challenger")), 3),
        (Asked("m", version="1"), 1),
        (Asked("other", bundle="models:/m/1"), 1),
        (Asked("other", bundle="models:/m@champion-local"), 2),
    ],
)
def test_a_version_is_named_by_number_by_alias_or_by_uri(
    local: tuple[Environment, list[str]], asked: Asked, number: int
) -> None:
    found = find_bundle(asked, local[0])
    assert found.bundle.digest == local[1][number - 1]
    assert found.named == f"m version {number}"
    assert found.version is not None
    assert set(found.files) >= {"bundle.json", "model.onnx", "reference.parquet"}


def test_a_folder_needs_no_registry(local: tuple[Environment, list[str]], tmp_path: Path) -> None:
    ref = publish(tmp_path, 4)
    for text in (ref.uri, ref.uri.removeprefix("file://")):
        found = find_bundle(Asked("m", bundle=text), local[0])
        assert (found.bundle.digest, found.named, found.version) == (ref.digest, text, None)
    with pytest.raises(UnreachableError):
        find_bundle(Asked("m", bundle=str(tmp_path / "absent")), local[0])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (Asked("none"), "--alias: must point at a version of 'none'; run `vigia train` first, got 'challenger'"),
        (Asked("m", bundle="models:/m@nobody"), "--alias: must point at a version of 'm'"),
        (Asked("m", bundle="models:/m"), "--bundle: must be models:/name/version or models:/name@alias"),
        (Asked("m", bundle="models:/m/x"), "--bundle: must be models:/name/version"),
        (Asked("m", version="99"), "99"),
    ],
)
def test_what_is_not_there_is_named(local: tuple[Environment, list[str]], asked: Asked, words: str) -> None:
    with pytest.raises(InputError, match=words.replace("(", r"\(")):
        find_version(asked, local[0])
