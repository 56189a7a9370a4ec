"""A temporary clone of one branch: read it, commit to it, push it. No checkout of anybody is touched.

Nothing is checked out in the clone either: texts come from blobs and go into blobs, so that no filter, line ending or
hook of the machine changes a byte.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError, RefusedError
from flows.adapters.git_program import (
    GitFailed,
    blanked,
    git,
    identity,
    refuse_credentials,
    run_git,
    setting,
    translated,
)
from flows.adapters.scratch import scratch_folder

_REJECTED = re.compile(r"^!\t[^\t]*\t\[([^\]]+)\](?: \((.*)\))?", re.MULTILINE)
_RACE = re.compile(r"lock ref|failed to update ref|failed to lock|incorrect old value|already exists|reference broken")


@dataclass(frozen=True)
class Change:
    """One file's new text (None: the file goes), and the message of its commit."""

    file: str
    text: str | None
    message: str


@dataclass(frozen=True)
class Clone:
    """One branch of a repository, fetched into ``folder``."""

    folder: Path
    repository: str
    branch: str

    @property
    def head(self) -> str:
        """The commit that was fetched, or made since."""
        return git("rev-parse", "HEAD", cwd=self.folder).strip()

    def read(self, file: str, commit: str = "HEAD") -> str | None:
        """The text of a file; None when it is not there. Raises InputError when it is no UTF-8 text."""
        try:
            return run_git("cat-file", "blob", f"{commit}:{file}", cwd=self.folder).decode()
        except UnicodeDecodeError as error:
            raise InputError(file, "must be UTF-8 text") from error
        except GitFailed as error:
            if "does not exist" in error.said or "exists on disk" in error.said or "bad file" in error.said:
                return None
            raise translated(error) from error

    def names(self, folder: str) -> set[str]:
        """What stands in a folder at the head."""
        listed = git("ls-tree", "-z", "--name-only", "HEAD", "--", f"{folder}/", cwd=self.folder)
        return {name.rpartition("/")[2] for name in listed.split("\0") if name}

    def fetch(self) -> None:
        """Go to the head that the branch has by now; commits that were not pushed are forgotten."""
        git("fetch", "--quiet", "--no-tags", "origin", f"refs/heads/{self.branch}", cwd=self.folder)
        git("reset", "--quiet", "--soft", "FETCH_HEAD", cwd=self.folder)

    def fetch_beside(self, branch: str) -> str:
        """The head of another branch, fetched; "" where there is none."""
        found = git("ls-remote", "origin", f"refs/heads/{branch}", cwd=self.folder).split()
        if not found:
            return ""
        git("fetch", "--quiet", "--no-tags", "origin", found[0], cwd=self.folder)
        return found[0]

    def commit(self, change: Change) -> str:
        """Commit one file on the head, signed where git is configured so. Raises InputError when it cannot be signed.

        Hooks of the machine are for its own checkouts and are not run; those of the server are.
        """
        git("read-tree", "HEAD", cwd=self.folder)
        if change.text is None:
            git("update-index", "--force-remove", "--", change.file, cwd=self.folder)
        else:
            blob = git("hash-object", "-w", "--stdin", cwd=self.folder, stdin=change.text.encode()).strip()
            mode = git("ls-tree", "HEAD", "--", change.file, cwd=self.folder)[:6] or "100644"
            if mode not in ("100644", "100755"):
                raise InputError(change.file, "must be a plain file", mode)
            git("update-index", "--add", "--cacheinfo", f"{mode},{blob},{change.file}", cwd=self.folder)
        message = change.message.encode()
        try:
            run_git(
                *identity(self.folder), "commit", "--quiet", "--no-verify", "--file=-", cwd=self.folder, stdin=message
            )
        except GitFailed as error:
            if setting(self.folder, "commit.gpgsign").lower() in ("true", "yes", "on", "1"):
                rule = f"commits must be signed (commit.gpgsign), which failed; nothing was pushed: {error.said}"
                raise InputError("git", rule) from error
            raise translated(error) from error
        return self.head

    def push(self, branch: str | None = None, lease: str | None = None) -> bool:
        """Push the head to a branch; False when somebody else pushed first. ``lease``: replace the branch, if this is
        still its head ("": if there is none).

        Raises RefusedError when the repository's own rules forbid it, UnreachableError or InputError for other trouble.
        """
        ref = f"refs/heads/{branch or self.branch}"
        force = () if lease is None else (f"--force-with-lease={ref}:{lease}",)
        try:
            run_git("push", "--porcelain", "--no-verify", *force, "origin", f"HEAD:{ref}", cwd=self.folder)
        except GitFailed as error:
            by, why = _rejection(error)
            if by == "rejected" or _RACE.search(why):
                return False
            if by == "remote rejected" and "unpacker" not in why:
                told = " ".join(re.findall(r"^remote: *(.*\S)", error.said, re.MULTILINE))
                rule = f"{blanked(self.repository)} refuses a push to {ref[11:]} ({why})"
                raise RefusedError(f"{rule}: {told}" if told else rule) from error
            raise translated(error) from error
        return True

    def check_out(self, commit: str, folder: Path) -> None:
        """Every file of a commit, in an existing folder."""
        git("read-tree", commit, cwd=self.folder)
        git("-c", "core.autocrlf=false", "checkout-index", "--all", f"--prefix={folder}/", cwd=self.folder)


@contextmanager
def cloned(repository: str | Path, branch: str, whole: bool = False) -> Iterator[Clone]:
    """A temporary clone; of a remote one, only the last commit unless ``whole``."""
    where = str(repository)
    refuse_credentials(where)
    depth = () if whole or Path(where).exists() else ("--depth=1",)
    with scratch_folder("vigia-clone-") as folder:
        git("clone", "--quiet", "--no-checkout", "--no-tags", "--single-branch", *depth,
            f"--branch={branch}", "--", where, str(folder))  # fmt: skip
        yield Clone(folder, where, branch)


def required(clone: Clone, file: str, commit: str = "HEAD") -> str:
    """The text of a file. Raises InputError when it is not there."""
    text = clone.read(file, commit)
    if text is None:
        raise InputError(file, f"must exist at the head of {clone.branch} in {blanked(clone.repository)}")
    return text


def _rejection(error: GitFailed) -> tuple[str, str]:
    """(who rejected, why) as ``git push --porcelain`` tells it."""
    found = _REJECTED.search(error.output)
    return (found[1], found[2] or "") if found else ("", "")
