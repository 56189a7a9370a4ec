"""How far a job is, by the status of its RayJob or by Ray's own word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SUCCEEDED, FAILED, STOPPED = "SUCCEEDED", "FAILED", "STOPPED"
_LOG = ", last available logs"
"""What Ray says before it repeats the end of a log."""
_LONGEST = 400


@dataclass(frozen=True)
class JobState:
    """One look at a job.

    attempt: Ray's id of the present try, "" before there is one. job: Ray's word (PENDING, RUNNING, SUCCEEDED, FAILED,
    STOPPED), "" before there is one. deployment: the operator's word, which alone tells of an end: Ray's own ends are
    Complete and Failed there too. retries: how many tries are still allowed; untouched: no operator has looked at it.
    """

    attempt: str = ""
    job: str = ""
    deployment: str = ""
    reason: str = ""
    message: str = ""
    retries: int = 0

    @property
    def untouched(self) -> bool:
        """Whether no operator has looked at it yet."""
        return not self.deployment and not self.attempt

    @property
    def ended(self) -> bool:
        """Whether it is at what looks like its end; a further try may come all the same."""
        return self.deployment in ("Complete", "Failed", "ValidationFailed")

    @property
    def words(self) -> str:
        """For people, in one line."""
        told = ", ".join(part for part in (self.deployment, self.job, self.reason) if part)
        return told or "no operator has looked at it yet"


def state_of(found: Mapping[str, Any]) -> JobState:
    """The state in a RayJob of KubeRay 1.5 to 1.7; what an older one lacks is absent."""
    spec, status = found.get("spec") or {}, found.get("status") or {}
    return JobState(
        attempt=status.get("jobId") or "",
        job=status.get("jobStatus") or "",
        deployment=status.get("jobDeploymentStatus") or "",
        reason=status.get("reason") or "",
        message=_message(status),
        retries=max(0, int(spec.get("backoffLimit") or 0) + 1 - int(status.get("failed") or 0)),
    )


def state_of_ray(found: Mapping[str, Any]) -> JobState:
    """The state in an answer of Ray's own Jobs API, which has no operator and tries once."""
    job = str(found.get("status") or "")
    ends = {SUCCEEDED: "Complete", STOPPED: "Complete", FAILED: "Failed"}
    return JobState(str(found.get("submission_id") or ""), job, ends.get(job, "Running"), message=_message(found))


def _message(found: Mapping[str, Any]) -> str:
    """In one line, without the log that whoever follows the job has seen."""
    text = " ".join(str(found.get("message") or "").split()).partition(_LOG)[0]
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
