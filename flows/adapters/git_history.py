"""What git tells of one file: each commit that changed it, with its text then."""

from collections.abc import Iterator
from dataclasses import dataclass

from flows.adapters.clone import Clone
from flows.adapters.git_program import git, run_git
from flows.promotion.history import Revision


def file_history(clone: Clone, file: str) -> tuple[Revision, ...]:
    """Every commit on the branch's own line that changed the file, the oldest first; needs a ``whole`` clone.

    The order is that of the commits, not of their dates: clocks differ.
    """
    order = ("--first-parent", "--topo-order", "--reverse")
    found = list(_log(clone, "%H%x00%P%x00%cI%x00%an%x00%B", 5, *order, "HEAD", "--", file))
    texts = _texts(clone, [f"{commit}:{file}" for commit, *_ in found])
    return tuple(
        Revision(commit, date, author, (message.strip(), *_merged(clone, commit, parents, file)), text)
        for (commit, parents, date, author, message), text in zip(found, texts, strict=True)
    )


@dataclass(frozen=True)
class Told:
    """A commit in words."""

    commit: str
    author: str
    message: str


def commits_beyond(clone: Clone, tip: str) -> tuple[Told, ...]:
    """Those that ``tip`` has and the clone's head has not, without merges."""
    return tuple(Told(*fields) for fields in _log(clone, "%H%x00%an%x00%B", 3, "--no-merges", f"HEAD..{tip}"))


def commits_from(clone: Clone, commit: str) -> set[str]:
    """A commit of a ``whole`` clone, and those that its head has beyond it."""
    return {commit, *git("rev-list", f"{commit}..HEAD", cwd=clone.folder).split()}


def _log(clone: Clone, form: str, fields: int, *which: str) -> Iterator[tuple[str, ...]]:
    """The fields of each commit, parted by NUL, which alone no message can hold, whatever people paste into one."""
    told = git("log", "-z", f"--format={form}", *which, cwd=clone.folder).split("\x00")
    return zip(*(told[place::fields] for place in range(fields)), strict=False)


def _merged(clone: Clone, commit: str, parents: str, file: str) -> tuple[str, ...]:
    """Messages of the commits that a merge brought in, the newest first."""
    if " " not in parents:
        return ()
    return tuple(message.strip() for (message,) in _log(clone, "%B", 1, f"{commit}^1..{commit}", "--", file) if message)


def _texts(clone: Clone, names: list[str]) -> list[str | None]:
    """The texts of blobs, read by one process; None for one that is not there."""
    out = run_git("cat-file", "--batch", cwd=clone.folder, stdin="".join(f"{name}\n" for name in names).encode())
    texts: list[str | None] = []
    at = 0
    for name in names:
        end = out.index(b"\n", at)
        header = out[at:end].decode(errors="replace")
        at = end + 1
        if header == f"{name} missing":
            texts.append(None)
            continue
        size = int(header.rsplit(" ", 1)[1])
        texts.append(out[at : at + size].decode(errors="replace"))
        at += size + 1
    return texts
