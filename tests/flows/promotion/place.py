"""An environment with a real repository, a real registry and bundles that load, for tests of what promotion does."""

import subprocess
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from onnx import helper, numpy_helper

from features.storage import publish_folder
from flows.adapters.clone import Change
from flows.adapters.git import push_change, read_head, seed_repository
from flows.adapters.registry import ModelVersion, Registry
from flows.config.environments import EnvironmentConfig
from flows.environments import Environment, resolve
from flows.promotion.admission import CHALLENGER
from flows.workspace import Workspace
from serving.bundle import digest_of, pack
from serving.manifest import Budget, Manifest, PastRows, RobustScaling
from serving.verdict import Calibration
from training.export.model import make_model

MANIFESTS = Path(__file__).parents[3] / "manifests"
FILE = "manifests/overlays/local/rayservice-serve-config.yaml"


@dataclass(frozen=True)
class Place:
    """One environment; ``model`` is a name of this test alone."""

    environment: Environment
    registry: Registry
    model: str

    @property
    def repository(self) -> Path:
        """Where it is."""
        return Path(self.environment.repository)

    def register(self, number: float, features: str = "ab", past: int = 0, **tags: str) -> ModelVersion:
        """The next version of the model: a bundle of its own for each number, challenger from now on."""
        files = bundle_files(number, features, past)
        uri = self.environment.bundle_uri(digest_of(files))
        publish_folder(files, uri)
        made = self.registry.register(self.model, uri, digest_of(files), f"run-{number:g}")
        self.registry.tag_version(self.model, made.version, {"gate": "pass", "gate_reasons": "quality: better", **tags})
        self.registry.set_alias(self.model, CHALLENGER, made.version)
        return self.registry.by_version(self.model, made.version)

    def text(self) -> str:
        """The file at the head."""
        return read_head(self.repository, "main", FILE)[1]

    def git(self, *words: str) -> str:
        """What git prints in the repository."""
        return run_in(self.repository, *words)

    def log(self) -> list[str]:
        """Subjects of the commits, the newest first."""
        return self.git("log", "--format=%s", "main").splitlines()

    def commit(self, file: str, text: str, message: str) -> None:
        """A commit of somebody else, on the head."""
        push_change(self.repository, "main", lambda _: Change(file, text, message))

    def at(self, repository: Path) -> "Place":
        """The same with another repository."""
        return replace(self, environment=replace(self.environment, repository=str(repository)))


def make_place(folder: Path, workspace: Workspace, registry: Registry, model: str) -> Place:
    """A place with a repository of its own in a folder."""
    repository = folder / "gitops.git"
    seed_repository(repository, "main", MANIFESTS)
    return Place(resolve("local", EnvironmentConfig(repository=str(repository)), workspace), registry, model)


def bundle_files(number: float, features: str = "ab", past: int = 0) -> dict[str, bytes]:
    """A small bundle whose score is the sum of the features; ``number`` is its threshold."""
    width = len(features) * (1 + past)
    ones = numpy_helper.from_array(np.ones((width, 1), np.float32), "ones")
    graph = make_model([helper.make_node("MatMul", ["features", "ones"], ["score"])], [ones], width)
    manifest = Manifest(
        format=1,
        family="isolation_forest",
        parameters={},
        features=list(features),
        transform=RobustScaling([0.0] * width, [1.0] * width, 1e6),
        threshold=number,
        alpha=0.5,
        calibration=Calibration(3, [1.0, 2.0, 3.0], [3, 2, 1]),
        budget=Budget("row_rate", 0.5, 0.33, 3600.0, "the table has no time"),
        seed=7,
        simulated=True,
        history=PastRows(past, ["lags"], 900.0) if past else None,
    )
    return pack(manifest, graph)


def run_in(folder: Path, *words: str) -> str:
    """What git prints in a folder."""
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, check=True, text=True).stdout
