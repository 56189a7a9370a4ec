"""What came of a job, decided from what was seen of it so far: SUCCEEDED and a result are success, nothing else is."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from flows.exit_codes import ExitCode
from flows.jobs.state import FAILED, STOPPED, SUCCEEDED, JobState
from flows.result_line import VERDICTS, Result


@dataclass(frozen=True)
class Waiting:
    """No end yet; ``reason``: what it is at."""

    reason: str


@dataclass(frozen=True)
class Ended:
    """Ray says SUCCEEDED, and the job said what came of it."""

    result: Result


@dataclass(frozen=True)
class Failed:
    """It ended otherwise, and no further try is made. ``result``: what it said, if it came to say anything."""

    reason: str
    result: Result | None = None
    invalid: bool = False


@dataclass(frozen=True)
class Unknown:
    """Nobody can tell any more, or not yet: it may have done its work."""

    reason: str


Verdict = Waiting | Ended | Failed | Unknown
_LATE = ("DeadlineExceeded", "PreRunningDeadlineExceeded")
"""Reasons of the operator's own to end a job; the second: it found no room, and never ran."""


@dataclass(frozen=True)
class Patience:
    """timeout_s: for the whole; settle_s: how long an end may lack what belongs to it, a result or a further try."""

    timeout_s: float
    settle_s: float = 60.0


@dataclass(frozen=True)
class Watched:
    """What was seen of one job. state: the last one, None once it is gone; ``began`` and ``since`` are seconds.

    results: by attempt, from its log; succeeded: attempt that Ray called SUCCEEDED, which is never taken back; since:
    when what looks like its end was first seen; looked: when the last look was had.
    """

    began: float
    state: JobState | None = field(default_factory=JobState)
    results: Mapping[str, Result] = field(default_factory=dict)
    succeeded: str | None = None
    since: float | None = None
    looked: float = 0.0

    def seen(self, state: JobState | None, results: Mapping[str, Result], now: float) -> "Watched":
        """With one more look, and with the results in the log by then."""
        succeeded = state.attempt if state and state.job == SUCCEEDED else self.succeeded
        since = (self.since if self.since is not None else now) if _looks_ended(state) else None
        known = {**self.results, **results}
        return replace(self, state=state, results=known, succeeded=succeeded, since=since, looked=now)


def judge(watched: Watched, now: float, patience: Patience) -> Verdict:
    """The verdict on what was seen, at that second."""
    if watched.succeeded is not None and watched.succeeded in watched.results:
        return Ended(watched.results[watched.succeeded])
    settled = watched.since is not None and watched.looked - watched.since >= patience.settle_s
    ended = _end(watched, settled) if watched.since is not None else None
    if ended is not None:
        return ended
    state = watched.state or JobState()
    if now - watched.began >= patience.timeout_s:
        return Unknown(f"no end after {patience.timeout_s:g} s ({state.words})")
    return Waiting(state.words)


def _looks_ended(state: JobState | None) -> bool:
    return state is None or state.ended


def _end(watched: Watched, settled: bool) -> Verdict | None:
    """The verdict on what looks like an end; None while more may come."""
    state = watched.state
    if state is None:
        return Unknown(_gone(watched)) if settled else None
    told = ": ".join(filter(None, (state.reason or state.deployment, state.message)))
    if state.deployment == "ValidationFailed":
        return Failed(told, invalid=True)
    result = watched.results.get(state.attempt)
    if state.job == SUCCEEDED:
        return Unknown("Ray says SUCCEEDED, but its log ends without a result line") if settled else None
    if not settled and (result is None or (state.retries and state.reason != "DeadlineExceeded")):
        return None
    if any(map(_did_its_work, watched.results.values())):
        return Unknown(f"its log says that it was done, the operator says {told}")
    if state.job == STOPPED:
        return Failed("it was stopped")
    if state.job == FAILED or state.reason in _LATE or result is not None:
        return Failed(told, result)
    return Unknown(f"{told}; it may still run: nobody watches it any more")


def _did_its_work(result: Result) -> bool:
    """Whether the process of a job that says this ends with 0, so that Ray calls it SUCCEEDED."""
    return result.exit_code in (ExitCode.DONE, *VERDICTS)


def _gone(watched: Watched) -> str:
    if watched.succeeded is not None:
        return "Ray said SUCCEEDED, but it was deleted before its result was read"
    done = "; its log says that it was done" if any(map(_did_its_work, watched.results.values())) else ""
    return f"it was deleted before anybody saw its end{done}"
