"""Why a bundle is not served, in a form that a machine can judge: its digest, a kind, and words for people."""

import re
from dataclasses import dataclass
from enum import StrEnum

from features.errors import InputError, RetryError

_MARK = re.compile(r"\[bundle ([0-9a-f]{64}): ([a-z]+)\]")


class Kind(StrEnum):
    """What was wrong. The bundle itself is to blame for ``DIGEST``, ``CORRUPT`` and ``FORMAT`` alone."""

    UNREACHABLE = "unreachable"  # the store did not answer, not in time, or refused access
    DIGEST = "digest"  # the content is not what the digest promises
    CORRUPT = "corrupt"  # the content is what was published, and no scorer can be made of it
    FORMAT = "format"  # written in a format that this replica does not know
    REFERENCE = "reference"  # the configuration names no bundle that a replica may load
    OTHER = "other"


@dataclass(frozen=True)
class Failure:
    """A bundle that could not be loaded."""

    digest: str
    kind: Kind
    text: str

    @property
    def mark(self) -> str:
        """Digest and kind, for texts that others carry, as Serve's messages; ``read_marks`` finds them again."""
        return f"[bundle {self.digest}: {self.kind}]"


def make_failure(digest: str, error: Exception) -> Failure:
    """The failure that an error of serving.loading.load is."""
    if isinstance(error, RetryError):
        return Failure(digest, Kind.UNREACHABLE, str(error))
    if not isinstance(error, InputError):
        return Failure(digest, Kind.OTHER, str(error))
    if error.field.startswith("user_config"):
        return Failure(digest, Kind.REFERENCE, str(error))
    kinds = {"uri": Kind.UNREACHABLE, "bundle.digest": Kind.DIGEST, "bundle.json format": Kind.FORMAT}
    return Failure(digest, kinds.get(error.field, Kind.CORRUPT), str(error))


def read_marks(text: str) -> set[tuple[str, Kind]]:
    """(digest, kind) of every mark in a text."""
    return {(digest, Kind(kind)) for digest, kind in _MARK.findall(text) if kind in set(Kind)}
