"""Jobs of a Ray on this machine, through the REST interface of its dashboard."""

import shlex
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from features.errors import InputError, UnreachableError, UnverifiedError
from flows.adapters.http_json import call_json
from flows.jobs.door import JobLine, create_once
from flows.jobs.driver_log import DriverLog
from flows.jobs.request import LABEL, JobRequest, entrypoint
from flows.jobs.state import JobState, state_of_ray

_ASK_AGAIN_S = 1.0


@dataclass(frozen=True)
class RayJobs:
    """dashboard: URL; folder: where jobs run; command: how vigia is called there, before the command's own name.

    settings: arguments of every job, before its own.
    """

    dashboard: str
    token: str
    folder: Path
    command: tuple[str, ...]
    settings: tuple[str, ...] = ()
    timeout_s: float = 30.0

    def create(self, request: JobRequest) -> None:
        """See JobDoor."""
        if request.image:
            raise InputError("--image", "is for a cluster: this machine has no images", request.image)
        called = entrypoint("", (*self.command, request.command, *self.settings, *request.arguments)).strip()
        called = f"cd {shlex.quote(str(self.folder))} && {called}"
        told = {"app.kubernetes.io/part-of": "vigia", LABEL: request.command}
        body, name = {"entrypoint": called, "submission_id": request.name, "metadata": told}, request.name
        create_once(lambda: self._submit(body), lambda: self.find(name), name)

    def follow(self, name: str) -> "RayFollower":
        """See JobDoor."""
        return RayFollower(self, name)

    def jobs(self) -> list[JobLine]:
        """See JobDoor."""
        found = [_line(one) for one in self._all() if LABEL in (one.get("metadata") or {})]
        return sorted(found, key=lambda line: line.started, reverse=True)

    def stop(self, name: str) -> None:
        """See JobDoor. One that has ended is left as it is."""
        self._call("POST", f"{name}/stop", {})

    def find(self, name: str) -> dict[str, Any] | None:
        """What Ray says of a job; None where it knows none of that name."""
        return next((one for one in self._all() if one.get("submission_id") == name), None)

    def log(self, name: str) -> list[str]:
        """Every line of its log so far."""
        return str(self._call("GET", f"{name}/logs")["logs"]).splitlines()

    def _submit(self, body: dict[str, Any]) -> None:
        made = self._call("POST", "", body)
        if not isinstance(made, dict) or made.get("submission_id") != body["submission_id"]:
            raise self._silent("the answer does not name the job")

    def _all(self) -> list[dict[str, Any]]:
        found = self._call("GET", "")
        if not isinstance(found, list):
            raise self._silent("the answer is no list of jobs")
        return found

    def _call(self, method: str, path: str, body: Any = None) -> Any:
        headers = {"Authorization": f"Bearer {self.token}"}
        try:
            return call_json(method, f"{self.dashboard}/api/jobs/{path}", body, headers, self.timeout_s)
        except UnverifiedError as error:
            rule = "does not accept this token; it is $RAY_AUTH_TOKEN, else that of --workspace"
            raise UnverifiedError(f"the Ray at {self.dashboard} {rule} ({error})") from error
        except UnreachableError as error:
            raise self._silent(error) from error

    def _silent(self, reason: object) -> UnreachableError:
        rule = "`vigia serve` runs one; --address names the dashboard of another"
        return UnreachableError(f"the Ray at {self.dashboard} does not answer as it should ({reason}); {rule}")


class RayFollower:
    """See Follower."""

    def __init__(self, jobs: RayJobs, name: str) -> None:
        self._jobs, self._name, self._state = jobs, name, JobState()

    def look(self, wait_s: float) -> JobState | None:
        """See Follower."""
        end = time.monotonic() + wait_s
        while True:
            found = self._jobs.find(self._name)
            state = None if found is None else state_of_ray(found)
            if state is None or state != self._state or time.monotonic() >= end:
                self._state = state or JobState()
                return state
            time.sleep(_ASK_AGAIN_S)

    def read(self, log: DriverLog) -> tuple[DriverLog, list[str]]:
        """See Follower. Ray tells no times: the number of a line stands for one."""
        try:
            lines = self._jobs.log(self._name)
        except UnreachableError:
            if self._state.job in ("", "PENDING"):  # there is no log yet
                return log, []
            raise
        return log.read(self._name, self._name, (f"{number:09d} {line}" for number, line in enumerate(lines)))


def _line(found: dict[str, Any]) -> JobLine:
    started = datetime.fromtimestamp((found.get("start_time") or 0) / 1000, UTC)
    return JobLine(str(found["submission_id"]), str(found["metadata"][LABEL]), state_of_ray(found), started)
