"""The git door: read a file at a branch's head, and commit one change to it, without touching any checkout."""

import os
import subprocess
import tempfile
from pathlib import Path

from features.errors import RolloutError, UnreachableError

_FALLBACK_NAME, _FALLBACK_MAIL = "vigia", "vigia@localhost"


def seed_repository(repository: Path, branch: str, folder: Path) -> None:
    """Make a bare repository whose first commit holds ``folder``, unless it is there already."""
    if repository.exists():
        return
    staging = repository.with_name(repository.name + ".new")
    _git("init", "--quiet", "--bare", f"--initial-branch={branch}", str(staging))
    with tempfile.TemporaryDirectory() as clone:
        _git("clone", "--quiet", str(staging), clone)
        _git("checkout", "--quiet", "-B", branch, cwd=clone)
        target = Path(clone) / folder.name
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            place = target / file.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
        _git("add", "--all", cwd=clone)
        _commit("Seed the environment", clone)
        _git("push", "--quiet", "origin", branch, cwd=clone)
    os.rename(staging, repository)


def read_head(repository: Path, branch: str, file: str) -> tuple[str, str]:
    """(commit, text) of a file at the head of a branch."""
    commit = _git("rev-parse", f"refs/heads/{branch}", cwd=str(repository)).strip()
    return commit, _git("show", f"{commit}:{file}", cwd=str(repository))


def check_out(repository: Path, commit: str, folder: Path) -> None:
    """Every file of a commit, in an empty folder."""
    _git("clone", "--quiet", "--no-checkout", str(repository), str(folder))
    _git("checkout", "--quiet", "--detach", commit, cwd=str(folder))


def commit_change(repository: Path, branch: str, file: str, old: str, new: str, message: str) -> str:
    """Commit ``old`` -> ``new`` on the head of a branch and push; returns the commit.

    Raises RolloutError when the file no longer holds ``old`` or somebody else pushed first.
    """
    with tempfile.TemporaryDirectory() as clone:
        _git("clone", "--quiet", "--branch", branch, str(repository), clone)
        path = Path(clone) / file
        if path.read_bytes().decode() != old:
            raise RolloutError(f"{file} changed at the head of {branch} meanwhile; look at it and promote again")
        path.write_bytes(new.encode())
        _git("add", "--", file, cwd=clone)
        _commit(message, clone)
        try:
            _git("push", "--quiet", "origin", f"HEAD:refs/heads/{branch}", cwd=clone)
        except UnreachableError as error:
            if "non-fast-forward" in str(error) or "fetch first" in str(error):
                raise RolloutError(f"somebody else pushed to {branch} first; promote again") from error
            raise
        return _git("rev-parse", "HEAD", cwd=clone).strip()


def _commit(message: str, clone: str) -> None:
    who = [] if _configured(clone) else ["-c", f"user.name={_FALLBACK_NAME}", "-c", f"user.email={_FALLBACK_MAIL}"]
    _git(*who, "commit", "--quiet", "--file=-", cwd=clone, stdin=message)


def _configured(clone: str) -> bool:
    found = subprocess.run(["git", "config", "user.email"], cwd=clone, capture_output=True, check=False)
    return found.returncode == 0


def _git(*arguments: str, cwd: str | None = None, stdin: str = "") -> str:
    try:
        done = subprocess.run(
            ["git", *arguments], cwd=cwd, input=stdin.encode(), capture_output=True, check=True, timeout=120
        )
    except FileNotFoundError as error:
        raise UnreachableError("the program `git` is not installed") from error
    except subprocess.TimeoutExpired as error:
        raise UnreachableError(f"git {arguments[0]} did not end within 120 s") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise UnreachableError(f"git {arguments[0]}: {said}") from error
    return done.stdout.decode()
