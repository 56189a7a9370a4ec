"""What came of a job: success is SUCCEEDED and a result, whatever else happens on the way."""

from collections import Counter
from dataclasses import replace

import pytest

from flows.jobs.state import JobState, state_of, state_of_ray
from flows.jobs.verdict import Ended, Failed, Patience, Unknown, Verdict, Waiting, Watched, judge
from tests.flows.jobs.lifecycle import World, result

PATIENCE = Patience(timeout_s=600, settle_s=60)
RUNNING = JobState("a", "RUNNING", "Running")
DONE = JobState("a", "SUCCEEDED", "Complete")
FAILED = JobState("a", "FAILED", "Failed", "AppFailed", "exit code 1")


def after(*looks: tuple[JobState | None, int | None], now: float = 0) -> Watched:
    """Looks at second 0, each with the exit code in the log by then (attempt "a")."""
    watched = Watched(0)
    for state, code in looks:
        watched = watched.seen(state, {} if code is None else {"a": result(code)}, now)
    return watched


def verdict(*looks: tuple[JobState | None, int | None], at: float = 0) -> Verdict:
    """After these looks, the last of them had again at that second."""
    watched = after(*looks)
    return judge(watched.seen(watched.state, {}, at) if looks else watched, at, PATIENCE)


def test_succeeded_and_a_result_are_success() -> None:
    assert verdict((RUNNING, None), (DONE, 0)) == Ended(result(0))


@pytest.mark.parametrize("code", [3, 10, 11])
def test_a_verdict_of_the_command_is_its_result(code: int) -> None:
    assert verdict((DONE, code)) == Ended(result(code))


def test_a_result_may_come_after_succeeded_and_the_other_way_round() -> None:
    assert isinstance(verdict((DONE, None)), Waiting)
    assert isinstance(verdict((RUNNING, 0)), Waiting)
    assert verdict((DONE, None), (DONE, 0)) == verdict((RUNNING, 0), (DONE, None)) == Ended(result(0))


def test_succeeded_without_a_result_is_no_success() -> None:
    assert verdict((DONE, None), at=60) == Unknown("Ray says SUCCEEDED, but its log ends without a result line")


def test_a_result_without_succeeded_is_no_success() -> None:
    found = verdict((replace(FAILED, job="RUNNING", reason="SubmissionFailed"), 0), at=60)
    assert isinstance(found, Unknown)
    assert isinstance(verdict((RUNNING, 0), at=600), Unknown)


def test_the_result_of_another_attempt_does_not_count() -> None:
    assert isinstance(verdict((RUNNING, 0), (replace(DONE, attempt="b"), None)), Waiting)


def test_a_failure_is_told_with_its_result_or_after_a_while_without() -> None:
    assert verdict((FAILED, 2)) == Failed("AppFailed: exit code 1", result(2))
    assert isinstance(verdict((FAILED, None)), Waiting)
    assert verdict((FAILED, None), at=60) == Failed("AppFailed: exit code 1", None)


def test_a_failure_with_tries_left_is_waited_for() -> None:
    assert isinstance(verdict((replace(FAILED, retries=1), 2), at=59), Waiting)
    retried = ((replace(FAILED, retries=1), None), (replace(FAILED, deployment="Retrying"), None))
    assert isinstance(verdict(*retried, (replace(DONE, attempt="b"), None), at=59), Waiting)


def test_a_deadline_is_not_tried_again() -> None:
    late = replace(FAILED, job="RUNNING", reason="DeadlineExceeded", retries=2)
    assert isinstance(verdict((late, 4)), Failed)


def test_a_job_that_found_no_room_did_not_run() -> None:
    late = JobState("a", "", "Failed", "PreRunningDeadlineExceeded", "no room")
    assert verdict((late, None), at=60) == Failed("PreRunningDeadlineExceeded: no room")


def test_a_submitter_that_failed_says_nothing_of_the_job() -> None:
    lost = replace(FAILED, job="RUNNING", reason="SubmissionFailed")
    assert verdict((lost, None), at=60) == Unknown(
        "SubmissionFailed: exit code 1; it may still run: nobody watches it any more"
    )


def test_a_job_that_was_stopped_is_told() -> None:
    assert verdict((JobState("a", "STOPPED", "Complete"), None), at=60) == Failed("it was stopped")


def test_a_rayjob_that_the_operator_finds_invalid_has_failed_at_once() -> None:
    invalid = JobState("", "", "ValidationFailed", "ValidationFailed", "name too long")
    assert verdict((invalid, None)) == Failed("ValidationFailed: name too long", invalid=True)


def test_a_rayjob_that_is_gone_is_unknown_unless_its_end_was_seen() -> None:
    assert isinstance(verdict((RUNNING, None), (None, None)), Waiting)
    assert verdict((RUNNING, None), (None, None), at=60) == Unknown("it was deleted before anybody saw its end")
    assert verdict((DONE, None), (None, 0), at=60) == Ended(result(0))


def test_waiting_ends() -> None:
    assert verdict((RUNNING, None), at=599) == Waiting("Running, RUNNING")
    assert verdict((RUNNING, None), at=600) == Unknown("no end after 600 s (Running, RUNNING)")
    assert verdict(at=600) == Unknown("no end after 600 s (no operator has looked at it yet)")


def test_an_end_that_is_taken_back_is_none() -> None:
    watched = after((replace(FAILED, retries=1), None)).seen(RUNNING, {}, 50).seen(FAILED, {}, 70)
    assert isinstance(judge(watched, 100, PATIENCE), Waiting)


def test_an_end_that_nobody_could_look_at_again_is_none_yet() -> None:
    assert isinstance(judge(after((replace(FAILED, retries=1), 2)), 300, PATIENCE), Waiting)


def test_a_state_is_read_from_a_rayjob_and_from_ray() -> None:
    status = {
        "jobId": "a",
        "jobStatus": "FAILED",
        "jobDeploymentStatus": "Failed",
        "message": "line\n  two",
        "failed": 1,
    }
    assert state_of({"spec": {"backoffLimit": 2}, "status": status}) == JobState(
        "a", "FAILED", "Failed", "", "line two", 2
    )
    assert state_of({}) == JobState(retries=1)
    assert state_of_ray({"submission_id": "a", "status": "FAILED"}) == JobState("a", "FAILED", "Failed")
    assert state_of_ray({"submission_id": "a", "status": "PENDING"}) == JobState("a", "PENDING", "Running")


def test_the_log_that_ray_repeats_in_its_message_is_left_out() -> None:
    message = "Job entrypoint command failed with exit code 137, last available logs (truncated to 20,000 chars):\nx y"
    found = {"status": "FAILED", "message": message}
    assert state_of_ray(found).message == "Job entrypoint command failed with exit code 137"
    assert state_of({"status": {"message": message}}).message == state_of_ray(found).message
    assert len(state_of({"status": {"message": "word " * 999}}).message) < 500


def lived(world: World) -> Verdict:
    """The verdict on a simulated job, looked at every few seconds as far as the API lets one."""
    watched = Watched(0)
    while True:
        world.tick()
        if world.reachable and world.chance.random() < 0.5:
            watched = watched.seen(world.state, world.results, world.now)
        found = judge(watched, world.now, PATIENCE)
        if not isinstance(found, Waiting):
            return found


def check(seed: int) -> str:
    """Live through one job and hold its verdict against what really happened; what the verdict was."""
    world = World(seed)
    found = lived(world)
    assert world.now <= PATIENCE.timeout_s, f"seed {seed}: waited on"
    for _ in range(900):  # what would have come of it
        world.tick()
    if isinstance(found, Ended):
        assert found.result in world.successes, f"seed {seed}: {found}"
    if isinstance(found, Failed):
        assert not world.successes, f"seed {seed}: {found}"
    return type(found).__name__


def test_in_a_thousand_lives_success_is_true_failure_is_true_and_waiting_ends() -> None:
    kinds = Counter(check(seed) for seed in range(1500))
    assert min(kinds[name] for name in ("Ended", "Failed", "Unknown")) > 100, kinds


@pytest.mark.slow
def test_in_thirty_thousand_lives_too() -> None:
    for seed in range(1500, 30_000):
        check(seed)
