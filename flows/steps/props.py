"""What a demonstration needs beside real models: the same one under other digests, and a store that is damaged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from features.storage import local_path, read_folder
from flows.adapters.registry import ModelVersion, Registry
from flows.bundles import publish_bundle
from flows.config.train import TrainConfig
from flows.environments import Environment
from flows.promotion.admission import Overrides
from serving.manifest import Manifest

LEAVE = Overrides(force=True, reason="a demonstration: the same model under another digest, which no gate has judged")


def register_twin(environment: Environment, registry: Registry, model: str, version: str, number: int) -> ModelVersion:
    """The same model, registered again under another digest: only the seed that its manifest tells differs."""
    of = registry.by_version(model, version)
    files = read_folder(of.uri, endpoint=environment.endpoint)
    manifest = msgspec.json.decode(files["bundle.json"], type=Manifest)
    twin = msgspec.structs.replace(manifest, seed=manifest.seed + number)
    changed = {**files, "bundle.json": msgspec.json.format(msgspec.json.encode(twin), indent=2) + b"\n"}
    uri = publish_bundle(changed, environment)
    return registry.register(of.name, uri, uri.rpartition("/")[2], of.run_id)


@contextmanager
def damaged(version: ModelVersion) -> Iterator[Path]:
    """The file of a published bundle that holds something else meanwhile."""
    file = local_path(version.uri) / "model.onnx"
    kept = file.read_bytes()
    file.write_bytes(kept[: len(kept) // 2])
    try:
        yield file
    finally:
        file.write_bytes(kept)


def without_last_feature(config: TrainConfig, features: tuple[str, ...]) -> TrainConfig:
    """A challenger that costs one trial and asks for other requests than the champion does."""
    return config.model_copy(
        update={
            "data": config.data.model_copy(update={"features": list(features[:-1])}),
            "search": config.search.model_copy(update={"trials": 1}),
        }
    )
