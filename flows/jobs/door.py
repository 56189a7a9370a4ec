"""What submits and follows jobs: a Kubernetes cluster with KubeRay, or the Jobs API of a Ray on this machine."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from features.errors import UnreachableError
from flows.jobs.driver_log import DriverLog
from flows.jobs.request import JobRequest
from flows.jobs.state import JobState


@dataclass(frozen=True)
class JobLine:
    """One job of a list."""

    name: str
    command: str
    state: JobState
    started: datetime


class Follower(Protocol):
    """One job, looked at again and again. Raises RetryError where a look or a log could not be had this time."""

    def look(self, wait_s: float) -> JobState | None:
        """Its state, at once when it changes and else after ``wait_s``; None where there is no such job (any more)."""
        ...

    def read(self, log: DriverLog) -> tuple[DriverLog, list[str]]:
        """With what its log holds by now, and the new lines of it."""
        ...


class JobDoor(Protocol):
    """Where jobs run. Raises what its platform refuses, as errors of ours."""

    def create(self, request: JobRequest) -> None:
        """Start a job."""
        ...

    def follow(self, name: str) -> Follower:
        """One job, from now on."""
        ...

    def jobs(self) -> list[JobLine]:
        """The jobs that are known, the newest first."""
        ...

    def stop(self, name: str) -> None:
        """End a job that is there, whatever it is at."""
        ...


def create_once(create: Callable[[], object], find: Callable[[], object | None], name: str) -> None:
    """Create a job; one that was made, though the answer was lost, is there.

    Raises UnreachableError, which says so where nobody can tell whether it was made.
    """
    try:
        create()
    except UnreachableError:
        try:
            found = find()
        except UnreachableError as error:
            told = f"whether {name} was made is not known; `vigia jobs list` tells once there is an answer"
            raise UnreachableError(f"{error}; {told}") from error
        if found is None:
            raise
