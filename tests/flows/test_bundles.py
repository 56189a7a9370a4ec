"""Which bundle a command means."""

from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import InputError, UnreachableError
from flows.adapters.registry import Registry, registry_of
from flows.environments import Environment, find_environment
from flows.steps.bundles import Asked, find_bundle, find_version
from flows.steps.usual_model import usual_model
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


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Registry]:
    """A registry with models of the given names."""
    made: dict[tuple[str, ...], Registry] = {}

    def make(*names: str) -> Registry:
        if names not in made:
            root = tmp_path_factory.mktemp("models")
            made[names] = registry_of(find_environment("local", Workspace(root)))
            with made[names].run("m", "r", {}) as run_id:
                for name in names:
                    made[names].register(name, f"file://{root}/{name}", "0" * 64, run_id)
        return made[names]

    return make


def test_without_a_name_the_only_model_is_meant(
    local: tuple[Environment, list[str]], named: Callable[..., Registry]
) -> None:
    assert find_version(Asked(), local[0]).name == "m"
    assert usual_model(named("pump")) == "pump"


def test_the_default_configurations_name_goes_before_others_and_stands_for_none(named: Callable[..., Registry]) -> None:
    assert usual_model(named()) == "anomaly-detector"
    assert usual_model(named("anomaly-detector", "pump")) == "anomaly-detector"


def test_of_several_models_one_must_be_named(named: Callable[..., Registry]) -> None:
    with pytest.raises(InputError, match=r"--model: must name one of the registered models: fan, pump$"):
        usual_model(named("pump", "fan"))
