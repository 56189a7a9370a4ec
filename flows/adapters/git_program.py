"""The program `git` itself: how it is called, and what its failures mean. No secret leaves it.

Credentials are git's own business (SSH agent, credential helper, ``GIT_ASKPASS``): none is ever an argument, and a
user and password that git prints within a URL are blanked.
"""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from features.errors import InputError, UnreachableError
from flows.adapters.processes import descendants, end

_TIMEOUT_S, _ENDS_WITHIN_S = 120, 5
_PIPE = subprocess.PIPE
_FALLBACK = ("-c", "user.name=vigia", "-c", "user.email=vigia@localhost")
_USER_IN_URL = re.compile(r"(?<=://)\S+@")  # to the last @: a password may hold one, or a slash
_FIX = re.compile(
    r"authentication failed|permission denied|could not read (username|password)|terminal prompts disabled"
    r"|error: 40[13]|host key verification failed|remote branch .* not found",
    re.IGNORECASE,
)
# Set inside a hook or by a script, these would lead away from the clone that a command is meant for.
_ELSEWHERE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_COMMON_DIR", "GIT_NAMESPACE"}
_ELSEWHERE |= {"GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_SHALLOW_FILE", "GIT_GRAFT_FILE"}


# What people set for their own checkouts, and what would change here what is committed, pushed or read.
_SETTINGS = (
    "core.hooksPath=/dev/null",
    "clone.defaultRemoteName=origin",
    "commit.cleanup=whitespace",
    "i18n.commitEncoding=UTF-8",
    "i18n.logOutputEncoding=UTF-8",
    "log.showSignature=false",
    "push.recurseSubmodules=no",  # with "only" a push succeeds and pushes nothing
)
_SETTLED = tuple(word for setting in _SETTINGS for word in ("-c", setting))


class GitFailed(Exception):
    """git ended with an error; never leaves flows.adapters. ``output``, ``said``: stdout and stderr, blanked."""

    def __init__(self, verb: str, output: str, said: str) -> None:
        self.verb, self.output, self.said = verb, output, said
        super().__init__(f"git {verb}: {said or output}")


def run_git(*arguments: str, cwd: Path | None = None, stdin: bytes = b"", timeout_s: float = _TIMEOUT_S) -> bytes:
    """What git prints. Raises GitFailed when it fails, UnreachableError without it or after the time-out."""
    verb = next((word for word in arguments if not word.startswith("-") and "=" not in word), "")
    try:
        process = subprocess.Popen(
            ["git", *_SETTLED, *arguments], cwd=cwd, env=_surroundings(), stdin=_PIPE, stdout=_PIPE, stderr=_PIPE
        )
    except FileNotFoundError as error:
        raise UnreachableError("the program `git` is not installed") from error
    with process:
        try:
            told = process.communicate(stdin, timeout_s)
        except subprocess.TimeoutExpired as error:
            raise UnreachableError(f"git {verb} did not end within {timeout_s:g} s") from error
        finally:
            _end(process)
    if process.returncode:
        raise GitFailed(verb, *(blanked(said.decode(errors="replace").strip()) for said in told))
    return told[0]


def _end(process: "subprocess.Popen[bytes]") -> None:
    """One that runs on, and its helpers (ssh, git-remote-https), which would wait for the other side without it."""
    if process.poll() is None:
        helpers = descendants(process.pid)
        process.terminate()  # it takes away what it had begun
        end(helpers)
        try:
            process.wait(_ENDS_WITHIN_S)
        except subprocess.TimeoutExpired:
            process.kill()


def git(*arguments: str, cwd: Path | None = None, stdin: bytes = b"") -> str:
    """``run_git`` as text. Raises InputError for what must be put right, UnreachableError for what may pass."""
    try:
        return run_git(*arguments, cwd=cwd, stdin=stdin).decode(errors="replace")
    except GitFailed as error:
        raise translated(error) from error


def setting(folder: Path, name: str) -> str:
    """What git is configured to, "" for nothing; truth values as they are written."""
    try:
        return run_git("config", name, cwd=folder).decode(errors="replace").strip()
    except GitFailed:
        return ""


def identity(folder: Path) -> tuple[str, ...]:
    """Options that say by whom a commit is, where git is not configured to."""
    return () if setting(folder, "user.email") else _FALLBACK


def translated(error: GitFailed) -> InputError | UnreachableError:
    """Credentials and names are to be put right; anything else may pass."""
    if _FIX.search(error.said):
        return InputError("git", f"{error.verb} failed: {error.said}")
    return UnreachableError(str(error))


def blanked(text: str) -> str:
    """The text with no user and password in its URLs."""
    return _USER_IN_URL.sub("***@", text)


def refuse_credentials(repository: str) -> None:
    """Raise InputError for a URL with a password, or any user of an https one: it would be seen among the processes."""
    found = re.match(r"(\w+)://([^/\s]+)@", repository)
    if found and (found[1] in ("http", "https") or ":" in found[2]):
        rule = "must hold no credentials; git asks its credential helper or GIT_ASKPASS for them"
        raise InputError("repository", rule, blanked(repository))


def _surroundings() -> Mapping[str, str]:
    """Those of this process; messages in English, no question on a terminal that nobody may be watching."""
    kept = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return {"GIT_TERMINAL_PROMPT": "0", **kept, "LC_ALL": "C"}
