"""`vigia submit` and `vigia jobs`: start a job, follow it to its end, list and stop."""

import math
import time
from dataclasses import replace
from datetime import UTC, datetime

from features.errors import InputError, RetryError, UnverifiedError
from flows.jobs.door import Follower, JobDoor, JobLine
from flows.jobs.driver_log import DriverLog
from flows.jobs.request import JobRequest
from flows.jobs.state import JobState
from flows.jobs.verdict import Patience, Verdict, Waiting, Watched, judge
from flows.outcome import Outcome, Progress, Stage
from flows.steps.job_outcome import Whereabouts, outcome_of

_LOOK_S = 3.0
_AWAY_S = 120.0
_REFUSED_S = 30.0
"""An API server that starts refuses for some seconds whom it does not know yet."""
_RETRY_S = 1.0


def submit(
    door: JobDoor, request: JobRequest, where: Whereabouts, progress: Progress, patience: Patience | None
) -> Outcome:
    """Start a job, and with some patience follow it to its end."""
    name = request.name
    try:
        with progress.stage(f"Submitting {name}"):
            door.create(request)
    except KeyboardInterrupt:
        progress.say(f"{name} may have been made; `vigia {where.command('list')}` tells")
        raise
    if patience is None:
        return Outcome((("Submitted", name),), replace(where, place="").way_back(name), figures={"job": name})
    return follow(door, name, where, progress, patience)


def return_to(door: JobDoor, name: str, where: Whereabouts, progress: Progress, patience: Patience) -> Outcome:
    """Follow a job that was submitted earlier. Raises InputError where there is none of that name."""
    _look(door, name)
    return follow(door, name, where, progress, patience)


def follow(door: JobDoor, name: str, where: Whereabouts, progress: Progress, patience: Patience) -> Outcome:
    """Show a job's log until there is a verdict on it. Ctrl-C ends the watching alone, and says how to return."""
    back = where.way_back(name)
    try:
        with progress.stage(f"Job {name}") as stage:
            verdict = _watch(door.follow(name), progress, stage, patience)
            stage.result(type(verdict).__name__.lower())
    except KeyboardInterrupt:
        progress.say(f"{name} goes on; `vigia {back}` returns to it, `vigia {where.command(f'stop {name}')}` ends it")
        raise
    except RetryError as error:
        raise type(error)(f"{error}; {name} is left alone, `vigia {back}` returns to it") from error
    assert not isinstance(verdict, Waiting)
    return outcome_of(name, where, verdict)


def show_log(door: JobDoor, name: str, progress: Progress) -> Outcome:
    """The log of a job as far as it is there. Raises InputError where there is no such job."""
    follower, state = _look(door, name)
    for line in follower.read(DriverLog())[1]:
        progress.say(line)
    return Outcome((("Job", f"{name}: {state.words}"),))


def list_jobs(door: JobDoor, progress: Progress) -> Outcome:
    """One line a job, the newest first."""
    found = door.jobs()
    for line in found:
        progress.say(_told(line, datetime.now(UTC)))
    jobs = [{"name": line.name, "command": line.command, "state": line.state.words} for line in found]
    return Outcome((("Jobs", str(len(found))),), figures={"jobs": jobs})


def stop(door: JobDoor, name: str, progress: Progress) -> Outcome:
    """End a job. Raises InputError where there is none of that name."""
    _, state = _look(door, name)
    with progress.stage(f"Stopping {name}"):
        door.stop(name)
    told = f"{name}, which had ended already ({state.words})" if state.ended else name
    return Outcome((("Stopped", told),))


def _look(door: JobDoor, name: str) -> tuple[Follower, JobState]:
    """A job and what it is at. Raises InputError where there is none of that name."""
    follower = door.follow(name)
    state = follower.look(0)
    if state is None:
        raise InputError("job", "must be one that `vigia jobs list` shows; it may have been deleted", name)
    return follower, state


def _watch(follower: Follower, progress: Progress, stage: Stage, patience: Patience) -> Verdict:
    """Look and read until there is a verdict.

    Raises UnreachableError once the platform is away for too long, UnverifiedError where it gives no access, or once it
    gives none any more for too long.
    """
    began = reached = time.monotonic()
    watched, log, served = Watched(began), DriverLog(), -math.inf
    while True:
        try:
            left = patience.timeout_s - (time.monotonic() - began)
            state = follower.look(max(0.0, min(_LOOK_S, left)))
            reached = time.monotonic()
            watched = watched.seen(state, log.results, reached)
            log, lines = follower.read(log)
            watched = watched.seen(state, log.results, time.monotonic())
            for line in lines:
                progress.say(line)
            served = time.monotonic()
        except RetryError as error:
            since, allowed = (served, _REFUSED_S) if isinstance(error, UnverifiedError) else (reached, _AWAY_S)
            if time.monotonic() - since > allowed:
                raise
            stage.update(str(error))
            time.sleep(_RETRY_S)
        verdict = judge(watched, time.monotonic(), patience)
        if not isinstance(verdict, Waiting):
            return verdict
        stage.update(verdict.reason)


def _told(line: JobLine, now: datetime) -> str:
    minutes = max(0, round((now - line.started).total_seconds() / 60))
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    return f"{line.name:<34} {line.command:<9} {age:>7}  {line.state.words}"
