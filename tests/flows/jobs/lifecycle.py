"""A simulator of KubeRay's RayJob: what the operator writes into its status, what is in the log, and when; seeded.

From rayjob_controller.go of KubeRay 1.5 to 1.7: New, Initializing, Running, then Complete or Failed once job and
submitter have ended; a failure with tries left is Retrying, with a new job id; suspension deletes everything and begins
anew; a deadline ends it; the submitter may fail though the job goes on; a finished RayJob may be deleted. The operator
may restart, so that it writes nothing for a while and then only what is true by then. Who looks may be shown a status
that is older than one shown before (an API server behind the others), a log that lags, or nothing at all for a while.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from flows.jobs.state import JobState
from flows.result_line import Result

SUCCESS, VERDICT, FAILURE, CRASH, LOST_LINE = "success", "verdict", "failure", "crash", "lost line"


def result(code: int) -> Result:
    """A job's result with that exit code."""
    return Result("train", code, "" if code == 0 else "said so", "d", "1", "r", {}, {})


@dataclass(frozen=True)
class Try:
    """One driver: what comes of it, how long it runs, whether and when its submitter fails first (seconds)."""

    end: str
    code: int
    runs_s: int
    submitter_fails_s: int | None

    @property
    def job(self) -> str:
        return "SUCCEEDED" if self.end in (SUCCESS, VERDICT, LOST_LINE) else "FAILED"

    @property
    def line(self) -> Result | None:
        return result(self.code) if self.end in (SUCCESS, VERDICT, FAILURE) else None


@dataclass
class World:
    """A job of some seed. Call ``tick`` once a second; ``state`` and ``results`` are what a look shows then.

    successes: results of tries that Ray called SUCCEEDED, with a line; true ends are known when ``over``.
    """

    seed: int
    now: int = 0
    over: bool = False
    truth: JobState | None = field(default_factory=JobState)
    shown: list[JobState | None] = field(default_factory=list)
    log: list[tuple[int, str, Result]] = field(default_factory=list)
    successes: list[Result] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.backoff = self.chance.choice((0, 0, 1, 2))
        self.tries = [self._try() for _ in range(self.backoff + 1)]
        self.stopped_at = self.chance.choice((None,) * 9 + (self.chance.randint(1, 200),))
        self.suspended_at = self.chance.choice((None, None, None, self.chance.randint(1, 60)))
        self.deadline = self.chance.choice((None, None, None, self.chance.randint(20, 300)))
        self.invalid = self.chance.random() < 0.03
        self.deleted_after = self.chance.choice((None, 0, 2, 30, 120))
        self.operator_away = self._windows(0.3, 40)
        self.api_away = self._windows(0.3, 50)
        self.log_away = self._windows(0.3, 40)
        self.log_lag = self.chance.choice((0, 1, 5, 20))
        self.stale = self.chance.random() < 0.4
        self._life = self._live()

    def _try(self) -> Try:
        end = self.chance.choices((SUCCESS, VERDICT, FAILURE, CRASH, LOST_LINE), (5, 2, 3, 2, 1))[0]
        code = {SUCCESS: 0, VERDICT: self.chance.choice((3, 10, 11)), FAILURE: self.chance.choice((1, 2, 4))}.get(
            end, 0
        )
        runs = self.chance.randint(1, 90)
        fails = self.chance.randint(1, 120) if self.chance.random() < 0.15 else None
        return Try(end, code, runs, fails)

    def _windows(self, share: float, longest: int) -> list[tuple[int, int]]:
        found = [(self.chance.randint(0, 300), self.chance.randint(1, longest)) for _ in range(3)]
        return [(at, at + length) for at, length in found if self.chance.random() < share]

    def _live(self) -> Iterator[JobState | None]:
        """The status second by second, were it seen at once; None once it is deleted."""
        if self.invalid:
            while True:
                yield JobState("", "", "ValidationFailed", "ValidationFailed", "bad name", self.backoff + 1)
        began, failed = self.now, 0
        for number, one in enumerate(self.tries):
            attempt = f"job-{number}"
            state: JobState | None = None
            for state in self._attempt(attempt, one, began, failed):
                yield state
            assert state is not None
            if state.deployment == "Failed":
                failed += 1
                left = self.backoff + 1 - failed
                if left > 0 and state.reason != "DeadlineExceeded":
                    if self.chance.random() < 0.3:  # as no operator does, since both are one write
                        yield JobState(state.attempt, state.job, "Failed", state.reason, "", left)
                    for _ in range(self.chance.randint(1, 5)):
                        yield JobState(attempt, state.job, "Retrying", "", "", left)
                    continue
                state = JobState(state.attempt, state.job, "Failed", state.reason, "", 0)
            yield from self._ended(state)

    def _attempt(self, attempt: str, one: Try, began: int, failed: int) -> Iterator[JobState]:
        left = self.backoff + 1 - failed
        yield JobState("", "", "", "", "", left)
        for _ in range(self.chance.randint(1, 30)):
            if self._late(began):
                yield JobState(attempt, "", "Failed", "DeadlineExceeded", "", left)
                return
            yield JobState(attempt, "", "Initializing", "", "", left)
        second, ended = 0, 0
        follows, behind = self.chance.randint(0, 4), self.chance.randint(0, 3)
        while True:
            second += 1
            if self.suspended_at is not None and self.now >= self.suspended_at and second < one.runs_s:
                self.suspended_at = None
                yield from self._suspended(left)
                second = 0
            job = "RUNNING" if second < one.runs_s + behind else one.job  # as the operator last heard
            if self.stopped_at is not None and self.now >= self.stopped_at and job == "RUNNING":
                yield JobState(attempt, "STOPPED", "Complete", "", "", left)
                return
            if second >= one.runs_s and not ended:
                ended = second
                self._finish(attempt, one)
            if one.submitter_fails_s is not None and second >= one.submitter_fails_s:
                reason = "AppFailed" if job == "FAILED" else "SubmissionFailed"
                if not ended and left == 1 and one.job == "SUCCEEDED" and one.line:  # its driver goes on, unseen
                    self.successes.append(one.line)
                yield JobState(attempt, job, "Failed", reason, "", left)
                return
            if job != "RUNNING" and second - ended >= follows:
                yield JobState(attempt, job, "Failed" if job == "FAILED" else "Complete", "", "", left)
                return
            if self._late(began):
                yield JobState(attempt, job, "Failed", "DeadlineExceeded", "", left)
                return
            yield JobState(attempt, job, "Running", "", "", left)

    def _suspended(self, left: int) -> Iterator[JobState]:
        for _ in range(self.chance.randint(1, 20)):
            yield JobState("", "", self.chance.choice(("Suspending", "Suspended")), "", "", left)

    def _late(self, began: int) -> bool:
        return self.deadline is not None and self.now - began >= self.deadline

    def _finish(self, attempt: str, one: Try) -> None:
        if one.line is not None:
            self.log.append((self.now, attempt, one.line))
            if one.job == "SUCCEEDED":
                self.successes.append(one.line)

    def _ended(self, state: JobState) -> Iterator[JobState | None]:
        self.over = True
        began = self.now
        while self.deleted_after is None or self.now - began < self.deleted_after:
            yield state
        self.log.clear()  # the submitter's pod goes with it
        while True:
            yield None

    def tick(self) -> None:
        """One second; what the operator has written by then is kept, for looks to come."""
        self.now += 1
        live = next(self._life)
        if live is None or not self._in(self.operator_away):  # a deletion needs no operator
            self.truth = live
        self.shown.append(self.truth)

    @property
    def reachable(self) -> bool:
        return not self._in(self.api_away)

    @property
    def state(self) -> JobState | None:
        """What a look shows: now and then something from up to five seconds ago."""
        return self.shown[-min(len(self.shown), self.chance.randint(1, 5 if self.stale else 1))]

    @property
    def results(self) -> dict[str, Result]:
        """What is in the log by then, as far as it can be read."""
        if self._in(self.log_away):
            return {}
        return {attempt: found for at, attempt, found in self.log if self.now - at >= self.log_lag}

    def _in(self, windows: list[tuple[int, int]]) -> bool:
        return any(begin <= self.now < end for begin, end in windows)
