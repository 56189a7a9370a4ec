"""What an environment served when: from its file as it stood at each commit, told by the trailers where there are any.

The file is the truth, so a merge, a squash, a rebase and a hand edit all show; a digest is one entry for as long as it
stands there. Trailers only add what the file does not say, and only where they are of that digest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from features.errors import InputError
from flows.promotion.edit import Leaves, Target, read_leaves
from flows.promotion.message import one_line, read_trailers


@dataclass(frozen=True)
class Revision:
    """A commit that changed the file: its text then (None: it was removed), and the messages of what it brought in."""

    commit: str
    date: str
    author: str
    messages: tuple[str, ...]
    text: str | None


@dataclass(frozen=True)
class Entry:
    """From ``commit`` on, git said so. digest: "" where nothing was promoted, or where the file could not be read.

    previous: the digest before; run_id, gate: of the trailers, "" without; by_hand: no message tells of this digest;
    error: why the file could not be read, or "".
    """

    commit: str
    date: str
    author: str
    subject: str
    digest: str
    model: str = ""
    version: str = ""
    uri: str = ""
    previous: str = ""
    run_id: str = ""
    gate: str = ""
    by_hand: bool = False
    error: str = ""


def entries(revisions: Iterable[Revision], target: Target) -> tuple[Entry, ...]:
    """Every change of the digest; revisions and entries from the oldest to the newest."""
    return tuple(_entries(revisions, target))


def _entries(revisions: Iterable[Revision], target: Target) -> Iterator[Entry]:
    digest, broken = "", False
    for revision in revisions:
        try:
            leaves = {} if revision.text is None else read_leaves(revision.text, target)
        except InputError as error:
            if not broken:
                subject = _subject(revision.messages)
                yield Entry(revision.commit, revision.date, revision.author, subject, "", error=str(error))
            broken = True
            continue
        found = leaves.get(("bundle", "digest"), "")
        if found != digest or (broken and found):
            yield _entry(revision, leaves, digest)
        digest, broken = found, False


def _entry(revision: Revision, leaves: Leaves, previous: str) -> Entry:
    digest = leaves.get(("bundle", "digest"), "")
    told = (read_trailers(text) for text in revision.messages)
    trailers = next((found for found in told if found.get("Bundle-Digest") == digest), None)
    return Entry(
        revision.commit,
        revision.date,
        revision.author,
        _subject(revision.messages),
        digest,
        leaves.get(("bundle", "model"), ""),
        leaves.get(("bundle", "version"), ""),
        leaves.get(("bundle", "uri"), ""),
        previous,
        (trailers or {}).get("Run-Id", ""),
        (trailers or {}).get("Gate", ""),
        by_hand=trailers is None,
    )


def _subject(messages: tuple[str, ...]) -> str:
    return one_line(messages[0].partition("\n")[0]) if messages else ""
