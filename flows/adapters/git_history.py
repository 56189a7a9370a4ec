"""What git tells of one file: each commit that changed it, with its text then."""

from dataclasses import dataclass

from flows.adapters.clone import Clone
from flows.adapters.git_program import git, run_git
from flows.promotion.history import Revision


def file_history(clone: Clone, file: str) -> tuple[Revision, ...]:
    """Every commit on the branch's own line that changed the file, the oldest first; needs a ``whole`` clone.

    The order is that of the commits, not of their dates: clocks differ.
    """
    form = "--format=%x01%H%x00%P%x00%cI%x00%an%x00%B"
    log = git("log", "--first-parent", "--topo-order", "--reverse", form, "HEAD", "--", file, cwd=clone.folder)
    found = [_fields(record) for record in log.split("\x01")[1:]]
    texts = _texts(clone, [f"{commit}:{file}" for commit, *_ in found])
    return tuple(
        Revision(commit, date, author, (message, *_merged(clone, commit, parents, file)), text)
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
    log = git("log", "--no-merges", "--format=%x01%H%x00%an%x00%B", f"HEAD..{tip}", cwd=clone.folder)
    return tuple(Told(*record.split("\x00", 2)) for record in log.split("\x01")[1:])


def commits_from(clone: Clone, commit: str) -> set[str]:
    """A commit of a ``whole`` clone, and those that its head has beyond it."""
    return {commit, *git("rev-list", f"{commit}..HEAD", cwd=clone.folder).split()}


def _fields(record: str) -> tuple[str, str, str, str, str]:
    commit, parents, date, author, message = record.split("\x00", 4)
    return commit, parents, date, author, message.strip()


def _merged(clone: Clone, commit: str, parents: str, file: str) -> tuple[str, ...]:
    """Messages of the commits that a merge brought in, the newest first."""
    if " " not in parents:
        return ()
    log = git("log", "--format=%x01%B", f"{commit}^1..{commit}", "--", file, cwd=clone.folder)
    return tuple(message.strip() for message in log.split("\x01")[1:])


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
