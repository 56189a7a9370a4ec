"""The checkout that a program runs from, or that its image was built from: its commit, read and never touched."""

from dataclasses import dataclass
from pathlib import Path

from features.errors import UnreachableError
from flows.adapters.git_program import GitFailed, run_git

_BUILT = "vigia-commit"  # written by scripts/image-install.sh


@dataclass(frozen=True)
class Checkout:
    """The commit at its head, and whether tracked files differ from it."""

    commit: str
    dirty: bool


def read_checkout(root: Path) -> Checkout | None:
    """The checkout whose root is that folder; None where it is none, has no commit yet, or git is not there.

    A folder inside another project's checkout, as an installed package may be, is none.
    """
    try:
        top, commit = run_git("rev-parse", "--show-toplevel", "HEAD", cwd=root).decode().splitlines()
        if Path(top) != root:
            return None
        return Checkout(commit, bool(run_git("status", "--porcelain", "--untracked-files=no", cwd=root)))
    except (GitFailed, UnreachableError, OSError):
        return None


def read_built(environment: Path) -> Checkout | None:
    """The checkout that the Python environment of an image was built from; None where it names none."""
    try:
        commit, _, changes = (environment / _BUILT).read_text(encoding="utf-8").strip().partition("-")
    except OSError:
        return None
    return Checkout(commit, changes == "dirty") if commit else None
