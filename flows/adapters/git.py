"""The git door: the head of a branch, read, and changed by a commit that is pushed."""

import os
import random
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from features.errors import InputError, RolloutError, UnreachableError
from flows.adapters.clone import Change, Clone, cloned, required
from flows.adapters.git_program import blanked, git, identity, refuse_credentials
from flows.adapters.scratch import scratch_folder

_ATTEMPTS = 10


def push_change(repository: str | Path, branch: str, render: Callable[[Clone], Change | None]) -> str | None:
    """Commit what ``render`` makes of the branch's head and push; the commit, or None when it makes nothing of it.

    When somebody else pushes first, it is rendered again on the new head; what must not be written over is for
    ``render`` to see and to raise. Raises UnreachableError after ten attempts.
    """
    with cloned(repository, branch) as clone:
        for attempt in range(_ATTEMPTS):
            change = render(clone)
            if change is None:
                return None
            commit = clone.commit(change)
            if clone.push():
                return commit
            time.sleep(random.uniform(0.05, 0.1 * 2 ** min(attempt, 5)))  # so that two do not meet again
            clone.fetch()
    raise UnreachableError(f"others pushed to {branch} first, {_ATTEMPTS} times; try again")


def commit_change(repository: str | Path, branch: str, file: str, old: str, new: str, message: str) -> str:
    """Commit ``old`` -> ``new`` and push; the commit. Raises RolloutError when the file no longer holds ``old``."""

    def render(clone: Clone) -> Change:
        if clone.read(file) != old:
            raise RolloutError(f"{file} changed at the head of {branch} meanwhile; look at it and try again")
        return Change(file, new, message)

    commit = push_change(repository, branch, render)
    assert commit is not None
    return commit


def read_head(repository: str | Path, branch: str, file: str) -> tuple[str, str]:
    """(commit, text) of a file at the head of a branch. Raises InputError when it is not there."""
    if (Path(repository) / "HEAD").is_file():  # a bare repository on this machine needs no clone
        clone = Clone(Path(repository), str(repository), branch)
        commit = head_commit(repository, branch)
        return commit, required(clone, file, commit)
    with cloned(repository, branch) as clone:
        return clone.head, required(clone, file)


def head_commit(repository: str | Path, branch: str) -> str:
    """The commit at the head of a branch. Raises InputError when there is no such branch."""
    refuse_credentials(str(repository))
    found = git("ls-remote", "--", str(repository), f"refs/heads/{branch}").split()
    if not found:
        raise InputError("branch", f"must exist in {blanked(str(repository))}", branch)
    return found[0]


def seed_repository(repository: Path, branch: str, folder: Path) -> None:
    """Make a bare repository whose first commit holds ``folder``, unless it is there already."""
    if repository.exists():
        return
    repository.parent.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=f".{repository.name}.", dir=repository.parent))
    try:
        git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(staging))
        with scratch_folder("vigia-seed-") as clone:
            git("init", "--quiet", f"--initial-branch={branch}", str(clone))
            shutil.copytree(folder, clone / folder.name)
            git("-c", "core.autocrlf=false", "add", "--all", "--force", cwd=clone)
            git(*identity(clone), "commit", "--quiet", "--no-verify", "--message=Seed the environment", cwd=clone)
            git("push", "--quiet", "--no-verify", str(staging), f"HEAD:refs/heads/{branch}", cwd=clone)
        staging.chmod(0o755)
        os.rename(staging, repository)
    except OSError as error:
        if not repository.exists():  # else somebody seeded it first
            raise UnreachableError(f"{repository}: {error.strerror or error}") from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)
