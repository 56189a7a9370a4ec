"""How far a job is, by the status of its RayJob or by Ray's own word."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

SUCCEEDED, FAILED, STOPPED = "SUCCEEDED", "FAILED", "STOPPED"


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
        message=" ".join(str(status.get("message") or "").split()),
        retries=max(0, int(spec.get("backoffLimit") or 0) + 1 - int(status.get("failed") or 0)),
    )


def state_of_ray(found: Mapping[str, Any]) -> JobState:
    """The state in an answer of Ray's own Jobs API, which has no operator and tries once."""
    job = str(found.get("status") or "")
    ends = {SUCCEEDED: "Complete", STOPPED: "Complete", FAILED: "Failed"}
    message = " ".join(str(found.get("message") or "").split())
    return JobState(str(found.get("submission_id") or ""), job, ends.get(job, "Running"), message=message)
