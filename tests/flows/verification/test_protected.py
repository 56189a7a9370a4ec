"""Going back where the branch takes no push: by a pull request, and by hand without a token for one."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError, RefusedError, RolloutError, UnreachableError
from flows.adapters.pull_requests import PullRequests, Repository
from flows.promotion.admission import rolled_back_tag
from flows.promotion.message import read_trailers
from flows.steps.rollback import propose_rollback, rollback
from serving.failure import Kind
from tests.fakes.github import NAME, TOKEN, GitHub, github
from tests.fakes.protected import protect
from tests.flows.verification.conftest import QUICK, Place
from tests.flows.verification.test_verify import damage

BRANCH = "vigia/revert-local"


@pytest.fixture
def hub(place: Place) -> Iterator[GitHub]:
    """The host of the environment's repository, whose token the doors have."""
    with github() as found:
        forge = lambda: PullRequests(Repository(found.url, NAME), TOKEN)  # noqa: E731
        place.doors = replace(place.doors, forge=forge)
        yield found


def break_second(place: Place) -> None:
    """Version 2 replaced version 1, cannot be loaded, and the branch takes no push any more."""
    place.roll_out(1)
    place.promote(2)
    damage(place, 2)
    place.fleet.replicas[2].fails = {place.refs[1].digest: Kind.DIGEST}
    place.apply()
    protect(Path(place.doors.environment.repository))


def git(place: Place, *words: str) -> str:
    command = ["git", *words]
    return subprocess.run(
        command, cwd=place.doors.environment.repository, capture_output=True, check=True, text=True
    ).stdout


def test_a_revert_that_may_not_be_pushed_is_opened_as_a_pull_request_that_says_why(place: Place, hub: GitHub) -> None:
    break_second(place)
    with pytest.raises(RolloutError) as caught:
        place.verify()
    assert f"opened pull request #1 to version 1, not reverted: https://github.com/{NAME}/pull/1" in str(caught.value)
    assert "main (hook declined): changes need a pull request" in str(caught.value)
    pull = hub.pulls[1]
    assert (pull["head"], pull["base"], pull["title"]) == (BRANCH, "main", "Revert m 2 in local to 1")
    assert "Reason: replica c refuses it (digest)" in pull["body"].replace("\n", " ")
    trailers = read_trailers(pull["body"])
    assert (trailers["Bundle-Digest"], trailers["Previous-Digest"]) == (place.refs[0].digest, place.refs[1].digest)
    assert git(place, "rev-list", "--count", f"main..{BRANCH}").strip() == "1"
    assert (place.head["version"], place.alias("champion")) == ("2", "1")
    assert place.tags(2)[rolled_back_tag("local")]


def test_verifying_again_finds_the_one_that_is_open_and_once_merged_verifies_what_it_went_back_to(
    place: Place, hub: GitHub
) -> None:
    break_second(place)
    for how in ("opened", "there is already"):
        with pytest.raises(RolloutError, match=f"{how} pull request #1"):
            place.verify()
    assert len(hub.pulls) == 1
    git(place, "update-ref", "refs/heads/main", BRANCH)  # a merge by fast-forward; hooks are for pushes
    place.apply()
    assert place.verify().version == "1"


def test_what_somebody_closed_is_not_opened_again(place: Place, hub: GitHub) -> None:
    break_second(place)
    with pytest.raises(RolloutError, match="opened pull request #1"):
        place.verify()
    hub.pulls[1]["state"] = "closed"
    with pytest.raises(RolloutError, match=r"; not reverted: .*; not proposed: somebody closed #1"):
        place.verify()
    assert len(hub.pulls) == 1


def test_without_a_token_it_must_be_reverted_by_hand_and_the_error_says_where_a_token_belongs(place: Place) -> None:
    break_second(place)
    with pytest.raises(
        RolloutError, match=r"by hand: .* refuses a push to main .*tokens\.pull_request: must say where"
    ):
        place.verify()
    assert place.head["version"] == "2"


def test_a_host_that_is_away_is_worth_another_try_and_the_proof_is_told(place: Place, hub: GitHub) -> None:
    break_second(place)
    hub.failures += [502] * 3
    with pytest.raises(
        UnreachableError, match=r"version 2 is bad: .*refuses it \(digest\).*no pull request yet: .*502"
    ):
        place.verify()
    with pytest.raises(RolloutError, match="opened pull request #1"):
        place.verify()


def test_a_rollback_that_may_not_be_pushed_says_how_to_propose_it(place: Place, hub: GitHub) -> None:
    for version in (1, 2):
        place.roll_out(version)
    protect(Path(place.doors.environment.repository))
    environment, registry = place.doors.environment, place.doors.registry
    with pytest.raises(RefusedError, match="`vigia rollback --pull-request` proposes it"):
        rollback(environment, registry, lambda: place.doors, QUICK, place.progress, "", 1, "alerts doubled")
    with place.doors.forge() as forge:
        done = propose_rollback(environment, registry, forge, "", 1, "alerts doubled")
    assert done.lines[0][1].startswith("opened pull request #1 to version 1, not rolled back: https://")
    assert "Reason: alerts doubled" in hub.pulls[1]["body"]
    assert (place.head["version"], place.alias("champion")) == ("2", "2")


@pytest.mark.usefixtures("hub")
def test_a_proposed_rollback_marks_the_version_for_good_although_it_is_verified_meanwhile(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    with place.doors.forge() as forge:
        propose_rollback(place.doors.environment, place.doors.registry, forge, "1", 1, "alerts doubled")
    place.verify()
    assert place.tags(2)[rolled_back_tag("local")] == "alerts doubled"
    git(place, "update-ref", "refs/heads/main", BRANCH)
    place.apply()
    assert place.verify().version == "1"
    assert place.tags(2)[rolled_back_tag("local")] == "alerts doubled"


def test_a_rollback_is_proposed_only_with_a_reason_and_to_a_version_that_is_sound(place: Place, hub: GitHub) -> None:
    for version in (1, 2):
        place.roll_out(version)
    damage(place, 1)
    with place.doors.forge() as forge:
        for reason, rule in ((" ", "--reason"), ("why", "version 1 is broken")):
            with pytest.raises(InputError, match=rule):
                propose_rollback(place.doors.environment, place.doors.registry, forge, "", 1, reason)
        already = propose_rollback(place.doors.environment, place.doors.registry, forge, "2", 1, "why")
    assert "git names version 2 already" in already.lines[0][1]
    assert not hub.pulls
