"""`vigia verify`: the registry says what every replica serves, and only then."""

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from features.errors import (
    DisagreementError,
    RefusedError,
    RetryError,
    RolloutError,
    UnverifiedError,
    VigiaError,
)
from flows.outcome import Outcome, Progress, Stage
from flows.promotion.judge import Bad, Changed, Decision, Rules, Superseded, Unverifiable, Waiting, judge, lacking
from flows.promotion.observation import Head, Look
from flows.promotion.return_message import REVERT
from flows.steps.crowning import crown
from flows.steps.doors import Doors
from flows.steps.history import read_history
from flows.steps.looking import HeadReader, StoreReader, look
from flows.steps.return_request import propose_revert
from flows.steps.returning import go_back, make_return, mark_left, newest_intact, where_to

_ASK_AGAIN_S = {"reconcile": 0.5, "argocd": 3.0}
"""By what rolls out: git is a server where Argo CD does, which takes minutes."""
Apply = Callable[[], object]


@dataclass(frozen=True)
class _Turn:
    """A verification that holds the lease; insist: raises where somebody else may hold it by now."""

    doors: Doors
    heads: HeadReader
    store: StoreReader
    rules: Rules
    progress: Progress
    insist: Callable[[], None]
    apply: Apply | None = None

    @property
    def ask_again_s(self) -> float:
        """How soon to look again while something lacks."""
        return min(self.rules.spacing_s, _ASK_AGAIN_S[self.doors.environment.controller])

    def insist_on(self, head: Head) -> None:
        """Raises where another verifier may be at it by now, or where git names another bundle."""
        self.insist()
        now = self.heads.read()
        if now.digest != head.digest:
            _refuse(Superseded(now), head)


def verify(doors: Doors, rules: Rules, progress: Progress, expected: str = "", apply: Apply | None = None) -> Outcome:
    """Move the aliases to what git's head names, once every running replica serves exactly that.

    The only writer of these aliases; safe to repeat, and to be stopped anywhere. expected: version that the head must
    name, if any; apply: how a revert reaches the service where no controller does it. Raises UnverifiedError (nothing
    changed), DisagreementError (registry or store contradict git; nothing changed), and RolloutError when the head
    moved on (nothing changed) or when the bundle proved bad: a commit then goes back to the version before it, or a
    pull request proposes that where the branch takes no push.
    """
    place = doors.environment
    with doors.lease.held(rules.timeout_s) as insist:
        turn = _Turn(doors, HeadReader(place), StoreReader(place), rules, progress, insist, apply)
        head = turn.heads.read()
        if expected and head.version != expected:
            raise RolloutError(f"superseded: git names version {head.version or 'nothing'} by now, not {expected}")
        if not head.digest:
            return Outcome((("Verified", f"nothing is promoted to {place.name} yet"),), f"promote --env {place.name}")
        with progress.stage(f"Verifying version {head.version} at every replica") as stage:
            decision, seen = _watch(turn, head, stage)
            stage.result(type(decision).__name__.lower())
        if isinstance(decision, Bad):
            insist()
            _revert(turn, head, decision.proof)
        _refuse(decision, head)
        return _crowned(turn, head, seen)


def _watch(turn: _Turn, head: Head, stage: Stage) -> tuple[Decision, Look]:
    """Look until there is a verdict: soon again while something lacks, then at the distance that proof asks for."""
    began, looks, rules = time.monotonic(), [], turn.rules
    while True:
        looks.append(look(turn.doors, turn.heads, turn.store, head, time.monotonic() - began))
        decision = judge(head, looks, rules)
        if not isinstance(decision, Waiting):
            return decision, looks[-1]
        stage.update(decision.reason)
        _pause(turn, head, turn.ask_again_s if lacking(head.digest, looks[-1]) else rules.spacing_s)


def _pause(turn: _Turn, head: Head, seconds: float) -> None:
    """Wait that long, or until the head names another digest."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(min(left, turn.ask_again_s))
        with suppress(RetryError):  # the next look will say so
            if left > turn.ask_again_s and turn.heads.read().digest != head.digest:
                return


def _crowned(turn: _Turn, head: Head, seen: Look) -> Outcome:
    version, new = crown(turn.doors, head, seen, lambda: turn.insist_on(head))
    count = len(seen.running)
    lines = (
        ("Verified", f"{count} of {count} replicas serve sha256:{version.digest[:12]}, and so does /predict"),
        (
            "Alias",
            f"{turn.doors.environment.champion} is {'now ' if new else ''}{version.name} version {version.version}",
        ),
    )
    figures = {
        "commit": head.commit,
        "replicas": [{"replica": replica.name, "served": replica.served} for replica in seen.replicas],
        "moved": new,
    }
    return Outcome(lines=lines, digest=version.digest, version=version.version, run_id=version.run_id, figures=figures)


def _refuse(decision: Decision, head: Head) -> None:
    if isinstance(decision, Unverifiable):
        raise UnverifiedError(f"version {head.version} could not be verified: {decision.reason}")
    if isinstance(decision, Changed):
        how = f"remove {head.uri} and publish it again"
        raise DisagreementError(f"version {head.version}: {decision.reason}; {how}")
    if isinstance(decision, Superseded):
        by = f"version {decision.by.version}" if decision.by.digest else "nothing"
        raise RolloutError(f"superseded: git names {by} by now, not version {head.version}; no alias was moved")


def _revert(turn: _Turn, head: Head, proof: str) -> None:
    """Go back by a commit, and see that through; by a pull request where the branch takes no push.

    Raises RolloutError, always, unless UnreachableError.
    """
    doors = turn.doors
    entries = read_history(doors.environment)
    to = newest_intact(doors.environment, entries, head)
    mark = mark_left(doors.registry, doors.environment, head, proof)
    way = make_return(head, to, entries, REVERT, proof)
    try:
        commit = go_back(doors.environment, way)
    except RefusedError as error:
        told = (propose_revert(doors, way, error), mark)
        raise RolloutError("; ".join(filter(None, told))) from error
    done = f"version {head.version} is bad and was reverted {where_to(to)} by commit {(commit or '')[:12]}: {proof}"
    after = _see_through(turn) if to["digest"] else "nothing is served by git's word now"
    raise RolloutError("; ".join(part for part in (done, after, mark) if part))


def _see_through(turn: _Turn) -> str:
    """Verify what git names after a revert; in words, whatever goes wrong, for the revert stands."""
    try:
        head = turn.heads.read()
        with turn.progress.stage(f"Verifying version {head.version} after the revert") as stage:
            if turn.apply:
                turn.apply()
            decision, seen = _watch(turn, head, stage)
            stage.result(type(decision).__name__.lower())
        _refuse(decision, head)
        if isinstance(decision, Bad):
            return f"version {head.version} is bad too ({decision.proof})"
        crown(turn.doors, head, seen, lambda: turn.insist_on(head))
    except VigiaError as error:
        return str(error)
    return f"version {head.version} serves everywhere again"
