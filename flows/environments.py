"""An environment: a place that serves a model, with its registry, its bundle store and its file in git."""

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from features.errors import InputError
from flows.adapters.git import seed_repository
from flows.config.environments import EnvironmentConfig, Tokens, load_environment
from flows.workspace import Workspace

_HERE = Path(__file__).resolve().parents[1]
FILE = "environments.yaml"
NO_TOKENS = Tokens()
_HERE_HOSTS = ("localhost", "127.0.0.1", "::1")
_WORKSPACE = "file:///WORKSPACE"


@dataclass(frozen=True)
class Environment:
    """Everything that differs from place to place; nothing in it is a secret.

    repository: path or URL for git; file: in it, the one that promotion edits. registry: MLflow's tracking URI, with
    artifacts where the client chooses their place. bundles: URI of the bundle store, without a slash at the end;
    endpoint: of an S3 server other than AWS. application, deployment: names in serveConfigV2. namespace: in Kubernetes,
    context: of the kubeconfig, None for its current one. probe: URL of the service, None where the workspace knows it;
    dashboard: Ray's, None for that of the RayService as its own cluster calls it. allowed_disagreement_s: seconds.
    """

    name: str
    repository: str
    branch: str
    file: str
    registry: str
    artifacts: str | None
    bundles: str
    endpoint: str | None = None
    application: str = "anomaly-detector"
    deployment: str = "AnomalyDetector"
    controller: Literal["reconcile", "argocd"] = "reconcile"
    namespace: str | None = None
    probe: str | None = None
    tokens: Tokens = NO_TOKENS
    allowed_disagreement_s: float = 600.0
    context: str | None = None
    dashboard: str | None = None

    @property
    def champion(self) -> str:
        """Alias of the version that every replica serves."""
        return f"champion-{self.name}"

    @property
    def previous(self) -> str:
        """Alias of the champion before."""
        return f"previous-{self.name}"

    @property
    def sync(self) -> str:
        """Argo CD's Application."""
        return f"ml-system-{self.name}"

    @property
    def follow_up(self) -> str:
        """The command that sees through what git says."""
        return f"{'reconcile' if self.controller == 'reconcile' else 'verify'} --env {self.name}"

    @property
    def forwarded(self) -> bool:
        """Whether the probe is a port-forward to a pod of a cluster, past whatever stands before the service."""
        return self.controller == "argocd" and urlsplit(self.probe or "").hostname in _HERE_HOSTS

    def bundle_uri(self, digest: str) -> str:
        """Where the bundle store holds the bundle of that digest."""
        return f"{self.bundles}/sha256/{digest}"


def environment(name: str, workspace: Workspace, file: Path | None = None) -> Environment:
    """As ``find_environment``, with its repository there: one of the workspace's own is seeded on first use."""
    found = find_environment(name, workspace, file)
    if found.repository == str(workspace.repository):
        _seed(found, workspace)
    return found


def find_environment(name: str, workspace: Workspace, file: Path | None = None) -> Environment:
    """The environment of that name. Nothing is asked and nothing is made.

    It is read from ``file``, or else from ``environments.yaml`` in the workspace, or in ``configs`` beside this
    package; without any there is only ``local``. Raises InputError naming field, rule and value.
    """
    shipped = (workspace.root / FILE, _HERE / "configs" / FILE)
    return resolve(name, load_environment(name, file or next(filter(Path.is_file, shipped), None)), workspace)


def resolve(name: str, settings: EnvironmentConfig, workspace: Workspace) -> Environment:
    """The environment that these settings describe, with the workspace's own for what they leave out."""
    own = settings.registry is None
    return Environment(
        name,
        settings.repository or str(workspace.repository),
        settings.branch,
        settings.file or f"manifests/overlays/{name}/rayservice-serve-config.yaml",
        settings.registry or workspace.registry_uri,
        settings.artifacts or (workspace.artifacts.as_uri() if own else None),
        (settings.bundles or workspace.bundles.as_uri()).rstrip("/"),
        settings.endpoint,
        settings.application,
        settings.deployment,
        settings.controller,
        settings.namespace,
        settings.probe,
        settings.tokens,
        settings.allowed_disagreement.total_seconds(),
        settings.context,
        settings.dashboard,
    )


def settled(text: str, workspace: Workspace) -> str:
    """The text of a manifest as this workspace's repository has it: ``file:///WORKSPACE`` is where it lies."""
    return text.replace(_WORKSPACE, workspace.root.as_uri())


def _seed(found: Environment, workspace: Workspace) -> None:
    if workspace.repository.exists():
        return
    manifests = _HERE / "manifests"
    if not (_HERE / found.file).is_file():
        raise InputError("manifests", f"must hold {found.file} to seed the repository", str(manifests))
    with tempfile.TemporaryDirectory(prefix="vigia-seed-") as name:
        try:
            shutil.copytree(manifests, Path(name) / manifests.name)
        except shutil.Error as error:  # a list of all files with what is wrong with each
            why = str(error.args[0][0][2]).partition(":")[0]
            raise InputError(
                "--workspace", f"must have room for its repository ({why})", str(workspace.root)
            ) from error
        file = Path(name) / found.file
        file.write_text(settled(file.read_text(encoding="utf-8"), workspace), encoding="utf-8")
        seed_repository(workspace.repository, found.branch, Path(name) / manifests.name)
