"""The verdict of a verification: looks in, decision out."""

from collections.abc import Sequence
from dataclasses import dataclass

from features.errors import InputError
from flows.promotion.observation import Content, Head, Look
from flows.promotion.serve_answers import ending
from serving.failure import Kind, read_marks


@dataclass(frozen=True)
class Rules:
    """How much agreement is proof: ``rounds`` looks in a row that span ``over_s``; ``timeout_s``: when to give up."""

    rounds: int = 3
    over_s: float = 15.0
    timeout_s: float = 60.0

    def __post_init__(self) -> None:
        if self.rounds < 2:
            raise InputError("--rounds", "must be at least 2", self.rounds)
        if not 0 <= self.over_s <= self.timeout_s < float("inf"):
            raise InputError("--over", "must be between 0 and --timeout", (self.over_s, self.timeout_s))

    @property
    def spacing_s(self) -> float:
        """Seconds from one look to the next."""
        return self.over_s / (self.rounds - 1)


@dataclass(frozen=True)
class Verified:
    """Every replica serves what git names, and the service answers with it."""


@dataclass(frozen=True)
class Waiting:
    """Not yet."""

    reason: str


@dataclass(frozen=True)
class Unverifiable:
    """It could not be established, which says nothing about the bundle."""

    reason: str


@dataclass(frozen=True)
class Bad:
    """The bundle that the head still names cannot be served."""

    proof: str


@dataclass(frozen=True)
class Changed:
    """Every replica serves what git names, and the store no longer holds it: the next replica could not start."""

    reason: str


@dataclass(frozen=True)
class Superseded:
    """The head names another bundle than the one under verification."""

    by: Head


Decision = Verified | Waiting | Unverifiable | Bad | Changed | Superseded


def judge(began: Head, looks: Sequence[Look], rules: Rules) -> Decision:
    """What the looks since a verification of ``began`` began amount to; never Waiting once the time is up."""
    last = looks[-1]
    if last.head is not None and last.head.digest != began.digest:
        return Superseded(last.head)
    if last.refused:
        return Unverifiable(last.trouble)
    proof = _proof(began.digest, last) if last.head is not None else ""
    if proof:
        return Bad(proof)
    missing = lacking(began.digest, last)
    if not missing and _long_enough(began.digest, looks, rules):
        if last.content is Content.INTACT:
            return Verified()
        if last.content is Content.BROKEN:
            return Changed(
                f"the store holds other content than {_short(began.digest)} by now, which replicas still serve"
            )
        missing = f"the bundle store could not show {_short(began.digest)}"
    reason = missing or f"replicas agree, for less than {rules.over_s:g} s so far"
    if last.at_s >= rules.timeout_s:
        return Unverifiable(f"{reason}, after {last.at_s:.0f} s")
    return Waiting(reason)


def lacking(digest: str, look: Look) -> str:
    """What one look lacks to show that everything serves the digest; empty when nothing."""
    if look.trouble:
        return look.trouble
    if look.head is None:
        return "git did not answer"
    if look.unsettled:
        return look.unsettled
    if look.applied != digest:
        return f"the controller applied {_short(look.applied)}, not {_short(digest)}"
    if look.status != "RUNNING":
        return f"the application is {look.status or 'absent'}{f': {ending(look.message)}' if look.message else ''}"
    if not look.running:
        return "no replica is running"
    for replica in look.replicas:
        if replica.silent:
            return f"a replica does not answer: {replica.silent}"
    known = {replica.name for replica in look.replicas}
    if known != look.running or len(look.replicas) != len(look.running):
        return f"{len(look.running)} replicas run and {len(known & look.running)} of them answer"
    for replica in look.replicas:
        if (replica.served, replica.desired) != (digest, digest):
            why = f" ({replica.failure.text})" if replica.failure else ""
            return f"replica {replica.name} serves {_short(replica.served)}, not {_short(digest)}{why}"
    if look.answered != digest and look.content is not Content.BROKEN:  # without content there was nothing to ask with
        return f"a prediction was answered by {_short(look.answered)}, not {_short(digest)}"
    return ""


def _long_enough(digest: str, looks: Sequence[Look], rules: Rules) -> bool:
    """The last looks lack nothing, are enough in number, and span the time."""
    row: list[Look] = []
    for look in reversed(looks):
        if lacking(digest, look):
            break
        row.append(look)
    return len(row) >= rules.rounds and row[0].at_s - row[-1].at_s >= rules.over_s


def _proof(digest: str, look: Look) -> str:
    """Who says that the bundle itself is bad; empty where nobody does."""
    for replica in look.replicas:
        failure = replica.failure
        if failure and failure.digest == digest and _blames(failure.kind, look):
            return f"replica {replica.name} refuses it ({failure.kind}): {failure.text}"
    if look.status == "DEPLOY_FAILED" and look.applied == digest:
        for marked, kind in sorted(read_marks(look.message)):
            if marked == digest and _blames(kind, look):
                return f"Serve reports DEPLOY_FAILED for it ({kind})"
    return ""


def _blames(kind: Kind, look: Look) -> bool:
    """Whether a failure of that kind is the bundle's fault.

    What the verifier itself finds intact is not corrupt: a disk, a cache or the memory of that replica is. A format
    that a replica does not know is nobody's fault while its cluster is being replaced, or may be: the next one may know
    it.
    """
    if kind is Kind.FORMAT:
        return not (look.unsettled or look.upgrading)
    return kind in (Kind.DIGEST, Kind.CORRUPT) and look.content is Content.BROKEN


def _short(digest: str) -> str:
    return digest[:12] or "nothing"
