"""Where an environment keeps its truth: repository, branch, file, aliases. So far there is one: local."""

from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError
from flows.adapters.git import seed_repository
from flows.workspace import Workspace


@dataclass(frozen=True)
class Environment:
    """A place that serves a model."""

    name: str
    repository: Path
    branch: str
    file: str

    @property
    def champion(self) -> str:
        """Alias of the version that every replica serves."""
        return f"champion-{self.name}"

    @property
    def previous(self) -> str:
        """Alias of the champion before."""
        return f"previous-{self.name}"


def environment(name: str, workspace: Workspace) -> Environment:
    """The environment of that name; local's repository is seeded on first use. Raises InputError for any other."""
    if name != "local":
        raise InputError("--env", "must be one of: local", name)
    found = Environment(name, workspace.repository, "main", "manifests/overlays/local/rayservice-serve-config.yaml")
    manifests = Path(__file__).resolve().parents[1] / "manifests"
    if not (manifests.parent / found.file).is_file():
        raise InputError("manifests", f"must hold {found.file} to seed the local repository", str(manifests))
    seed_repository(found.repository, found.branch, manifests)
    return found
