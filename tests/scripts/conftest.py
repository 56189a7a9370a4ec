"""A checkout of one's own and a PATH whose programs only write down how they were called."""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
STUBS = Path(__file__).parent / "stubs"
GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_AUTHOR_NAME": "t", "GIT_AUTHOR_EMAIL": "t@t"}
GIT |= {"GIT_COMMITTER_NAME": "t", "GIT_COMMITTER_EMAIL": "t@t", "GIT_CONFIG_NOSYSTEM": "1"}


HELM = """case "$*" in "show crds "*) printf '{"kind":"CustomResourceDefinition","of":"%s"}' "$3" ;; esac"""


@dataclass
class Bench:
    """``folder/checkout`` with scripts and manifests under git, ``folder/home``, ``folder/bin`` first on PATH."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def stub(self, name: str, behaviour: Path | str = "") -> None:
        """A program of that name; behaviour: shell text, or a file of it, that runs after the call is written down."""
        program = self.folder / "bin" / name
        program.unlink(missing_ok=True)
        program.symlink_to(STUBS / "recorded")
        text = behaviour.read_text() if isinstance(behaviour, Path) else behaviour
        (self.folder / "behaviours" / name).write_text(text)

    def run(self, script: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """The script of the checkout, with standard input closed."""
        command = [str(self.checkout / "scripts" / script), *arguments]
        environment = self.environment | variables
        return subprocess.run(command, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL)

    def git(self, *arguments: str) -> str:
        """In the checkout."""
        command = ["git", "-C", str(self.checkout), *arguments]
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=True).stdout

    def calls(self) -> str:
        """What was called since the last time, a line a call; this bench's own folder is FOLDER."""
        file = self.folder / "calls"
        text = file.read_text() if file.exists() else ""
        file.unlink(missing_ok=True)
        return text.replace(str(self.folder), "FOLDER")


def expected(golden: str, found: str) -> str:
    """The golden calls of that name; VIGIA_WRITE_GOLDEN=1 writes those found instead."""
    file = Path(__file__).parent / "golden" / f"{golden}.txt"
    if os.environ.get("VIGIA_WRITE_GOLDEN") == "1":
        file.write_text(found)
    return file.read_text()


@pytest.fixture(scope="session")
def checkouts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``fresh``, as a fork is cloned, and ``filled-in``, for Acme/anomaly-detection-system, each clean under git."""
    folder = tmp_path_factory.mktemp("checkouts")
    bench = _prepared(folder)
    for name in ("scripts", "manifests", "configs"):
        shutil.copytree(ROOT / name, bench.checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    bench.git("init", "--quiet", "--initial-branch=main")
    bench.git("remote", "add", "origin", "git@github.com:Acme/anomaly-detection-system.git")
    bench.git("add", ".")
    bench.git("commit", "--quiet", "--message", "as it comes")
    shutil.copytree(bench.checkout, folder / "fresh")
    bench.run("fill-in.sh")
    bench.git("commit", "--quiet", "--all", "--message", "filled in")
    return bench.checkout.rename(folder / "filled-in").parent


def _prepared(folder: Path) -> Bench:
    for name in ("bin", "behaviours", "cluster", "home/.ssh", "checkout"):
        (folder / name).mkdir(parents=True)
    (folder / "home/.ssh/argocd_rsa").write_text("PRIVATE-KEY-OF-ARGOCD\n")
    found = {"PATH": f"{folder}/bin:{os.environ['PATH']}", "HOME": f"{folder}/home", "TMPDIR": str(folder)}
    places = {"CALLS": "calls", "BEHAVIOURS": "behaviours", "CLUSTER": "cluster"}
    return Bench(folder, found | GIT | {name: str(folder / place) for name, place in places.items()})


@pytest.fixture
def fresh(tmp_path: Path, checkouts: Path) -> Bench:
    """As a fork is cloned: nothing filled in."""
    bench = _prepared(tmp_path)
    shutil.copytree(checkouts / "fresh", bench.checkout, dirs_exist_ok=True)
    return bench


def filled_in(folder: Path, checkouts: Path) -> Bench:
    """Filled in for Acme/anomaly-detection-system and committed; docker, kubectl, helm and minikube are stubs."""
    bench = _prepared(folder)
    shutil.copytree(checkouts / "filled-in", bench.checkout, dirs_exist_ok=True)
    bench.stub("kubectl", STUBS / "kubectl")
    bench.stub("helm", HELM)
    bench.stub("docker", 'case "$*" in "container inspect "*) exit 1 ;; esac')
    bench.stub("minikube")
    return bench


@pytest.fixture
def bench(tmp_path: Path, checkouts: Path) -> Bench:
    """As ``filled_in``."""
    return filled_in(tmp_path, checkouts)
