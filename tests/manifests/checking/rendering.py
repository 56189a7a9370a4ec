"""What an overlay applies: built by kustomize where there is one, else as the repository keeps it."""

import shutil
import subprocess
from functools import cache
from pathlib import Path

from tests.manifests.checking.documents import Documents, read_documents

ROOT = Path(__file__).parents[3]
GOLDEN = ROOT / "tests" / "manifests" / "golden"
FOLDERS = {
    "minikube": ROOT / "manifests" / "overlays" / "minikube",
    "aws": ROOT / "manifests" / "overlays" / "aws",
    "local": ROOT / "manifests" / "overlays" / "local",
    "argocd": ROOT / "manifests" / "argocd",
}
BY_HAND = (ROOT / "manifests" / "templates" / "job-promote.yaml",)  # a person creates it in a cluster
CLUSTERS = ("minikube", "aws")
NO_KUBECTL = "no kubectl: the golden files are read instead, which may be older than the manifests"


class DoesNotBuild(Exception):
    """kustomize refused a folder; the text is what it said."""


def kubectl() -> str | None:
    return shutil.which("kubectl")


def build(folder: Path) -> str:
    """What ``kubectl kustomize`` prints for a folder.

    Raises:
        DoesNotBuild: it refuses
    """
    command = [str(kubectl()), "kustomize", str(folder)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    if built.returncode:
        raise DoesNotBuild(f"{folder.relative_to(ROOT)}: {built.stderr.strip()}")
    return built.stdout


def golden_file(overlay: str) -> Path:
    return GOLDEN / f"{overlay}.yaml"


@cache
def rendered(overlay: str) -> Documents:
    """What an overlay applies, as resources; see ``text``."""
    return read_documents(text(overlay))


@cache
def checkable(overlay: str) -> Documents:
    """What an overlay applies and what people create beside it; see ``text``."""
    files = BY_HAND if overlay in CLUSTERS else ()
    return read_documents("\n---\n".join([text(overlay), *(file.read_text() for file in files)]))


@cache
def text(overlay: str) -> str:
    """What an overlay applies; of a folder that kustomize does not build, its files.

    Raises:
        DoesNotBuild: kustomize refuses the folder
        FileNotFoundError: neither kubectl nor a golden file
    """
    if not is_whole(overlay):
        return "\n---\n".join(file.read_text() for file in sorted(FOLDERS[overlay].glob("*.yaml")))
    return build(FOLDERS[overlay]) if kubectl() else golden_file(overlay).read_text()


def is_whole(overlay: str) -> bool:
    """Whether kustomize builds it. A laptop's overlay holds the serve configuration alone: no cluster applies it."""
    return (FOLDERS[overlay] / "kustomization.yaml").is_file()
