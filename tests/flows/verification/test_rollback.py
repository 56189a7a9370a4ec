"""Going back, and what everybody says meanwhile."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from features.errors import InputError, RolloutError, UnreachableError, UnverifiedError
from features.storage import local_path
from flows.adapters.git import commit_change, read_head
from flows.exit_codes import ExitCode
from flows.outcome import Outcome
from flows.promotion.admission import rolled_back_tag
from flows.promotion.message import read_trailers
from flows.promotion.return_message import ROLLBACK
from flows.steps.doors import Doors
from flows.steps.history import read_history
from flows.steps.hold import hold, release
from flows.steps.looking import HeadReader
from flows.steps.returning import coordinates_of, go_back, make_return, mark_left
from flows.steps.rollback import rollback
from flows.steps.status import status
from tests.flows.verification.conftest import QUICK, Place


def go(place: Place, to: str = "", steps: int = 1, reason: str = "alerts doubled") -> Outcome:
    return rollback(
        place.doors.environment,
        place.doors.registry,
        lambda: place.doors,
        QUICK,
        place.progress,
        to,
        steps,
        reason,
    )


def said(place: Place) -> Outcome:
    return status(place.doors.environment, lambda: place.doors.registry, lambda: place.doors.api)


def last_message(place: Place) -> str:
    command = ["git", "log", "-1", "--format=%B", "main"]
    done = subprocess.run(command, cwd=place.doors.environment.repository, capture_output=True, check=True, text=True)
    return done.stdout


def test_one_step_back_serves_the_version_before_and_tags_the_one_that_is_left(place: Place) -> None:
    for version in (1, 2, 3):
        place.roll_out(version)
    go(place)
    assert {replica.served for replica in place.fleet.replicas} == {place.refs[1].digest}
    assert (place.alias("champion"), place.alias("previous"), place.head["version"]) == ("2", "3", "2")
    assert place.tags(3)[rolled_back_tag("local")] == "alerts doubled"
    go(place)
    assert (place.alias("champion"), place.head["version"]) == ("1", "1")


def test_the_commit_says_what_was_left_and_why(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    go(place, reason="alerts\ndoubled")
    message = last_message(place)
    assert message.splitlines()[0] == "Roll back m 2 in local to 1"
    assert "Reason: alerts doubled" in message
    trailers = read_trailers(message)
    assert (trailers["Bundle-Digest"], trailers["Previous-Digest"]) == (place.refs[0].digest, place.refs[1].digest)
    assert trailers["Rolled-Back-Version"] == "2"


def test_any_earlier_version_can_be_named(place: Place) -> None:
    for version in (1, 2, 3):
        place.roll_out(version)
    go(place, to="1")
    assert (place.alias("champion"), place.head["version"]) == ("1", "1")
    with pytest.raises(InputError, match=r"--to: must be a version that was promoted here before"):
        go(place, to="4")


def test_a_rollback_that_was_stopped_after_its_commit_is_completed_and_not_repeated(place: Place) -> None:
    for version in (1, 2, 3):
        place.roll_out(version)
    environment, entries = place.doors.environment, read_history(place.doors.environment)
    head = HeadReader(environment).read()
    go_back(environment, make_return(head, coordinates_of(entries[1]), entries, ROLLBACK, "killed here"))
    done = go(place)
    assert (place.alias("champion"), place.head["version"]) == ("2", "2")
    assert done.lines[0] == ("Rollback", "git names version 2 already")


def test_a_rollback_from_what_nobody_verified_is_completed_too_though_the_champion_never_moved(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    place.promote(3)
    place.apply()

    def away() -> Doors:
        raise UnreachableError("no service runs")

    with pytest.raises(UnverifiedError, match="from version 3 to version 2"):
        rollback(place.doors.environment, place.doors.registry, away, QUICK, place.progress, "", 1, "why")
    assert place.alias("champion") == "2"
    go(place)
    assert (place.alias("champion"), place.head["version"]) == ("2", "2")
    assert {replica.served for replica in place.fleet.replicas} == {place.refs[1].digest}
    go(place)
    assert place.head["version"] == "1"


def test_a_version_that_is_promoted_again_on_purpose_loses_its_mark_though_it_was_champion_all_along(
    place: Place,
) -> None:
    for version in (1, 2):
        place.roll_out(version)
    environment, entries = place.doors.environment, read_history(place.doors.environment)
    head = HeadReader(environment).read()
    mark_left(place.doors.registry, environment, head, "too early")
    place.verify()  # a scheduled one, between the mark and the commit
    assert place.tags(2)[rolled_back_tag("local")] == "too early"
    go_back(environment, make_return(head, coordinates_of(entries[0]), entries, ROLLBACK, "too early"))
    place.roll_out(2)
    assert place.tags(2)[rolled_back_tag("local")] == ""


def test_a_service_that_is_away_does_not_stop_the_commit(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)

    def away() -> Doors:
        raise UnreachableError("no service runs")

    told = (
        "from version 2 to version 1: commit .*not verified yet: no service runs; `vigia reconcile --env local` goes on"
    )
    with pytest.raises(UnverifiedError, match=told):
        rollback(place.doors.environment, place.doors.registry, away, QUICK, place.progress, "", 1, "why")
    assert place.head["version"] == "1"
    assert go(place).version == "1"


def test_nowhere_to_go_back_to_is_said_and_changes_nothing(place: Place) -> None:
    with pytest.raises(InputError, match="nothing is promoted"):
        go(place)
    place.roll_out(1)
    with pytest.raises(InputError, match="git: names no version before"):
        go(place)
    with pytest.raises(InputError, match="--reason"):
        go(place, to="1", reason=" ")
    assert place.tags(1).get(rolled_back_tag("local"), "") == ""


def test_a_version_whose_bundle_is_broken_is_no_place_to_go_back_to(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    (local_path(place.refs[0].uri) / "model.onnx").write_bytes(b"other")
    with pytest.raises(InputError, match="version 1 is broken in its store"):
        go(place)
    assert place.head["version"] == "2"


def test_a_promotion_that_came_meanwhile_is_not_written_over(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    environment = place.doors.environment
    head, entries = HeadReader(environment).read(), read_history(environment)
    place.promote(3)
    with pytest.raises(RolloutError, match="version 3 was promoted meanwhile"):
        go_back(environment, make_return(head, coordinates_of(entries[0]), entries, ROLLBACK, "late"))
    assert place.head["version"] == "3"


def test_status_of_a_place_where_all_agree(place: Place) -> None:
    place.roll_out(1)
    found = said(place)
    assert found.exit_code == ExitCode.DONE
    headings = [heading for heading, _ in found.lines]
    assert headings == ["Git", "Controller", "Replica", "Replica", "Replica", "Registry", "All agree"]
    assert "champion-local is m version 1" in dict(found.lines)["Registry"]
    assert found.figures["registry"] == {"champion": "1", "digest": place.refs[0].digest}


def test_status_tells_of_a_hold_why_since_when_and_by_whom(
    place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    place.roll_out(1)
    assert said(place).figures["hold"] is None
    (tmp_path / "gitconfig").write_text("[user]\n  name = ada\n  email = ada@localhost\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    hold(place.doors.environment, "audit until Friday")
    found = said(place)
    assert found.exit_code == ExitCode.DONE
    told = found.figures["hold"]
    assert (told["reason"], told["by"]) == ("audit until Friday", "ada")
    assert dict(found.lines)["Hold"] == f"no promotion passes, since {told['since']}: audit until Friday (by ada)"
    release(place.doors.environment, "")
    assert "Hold" not in dict(said(place).lines)


def test_status_says_where_they_part_and_ends_with_6_once_that_is_too_long(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    assert (said(place).exit_code, said(place).figures["parting"]["where"]) == (ExitCode.DONE, "git → controller")
    place.doors = replace(place.doors, environment=replace(place.doors.environment, allowed_disagreement_s=-61))
    assert said(place).exit_code == ExitCode.DISAGREE
    place.apply()
    assert said(place).figures["parting"]["where"] == "replicas → registry"


def test_status_without_a_service_says_what_can_be_known(place: Place) -> None:
    place.roll_out(1)

    def away() -> object:
        raise UnreachableError("no service runs")

    found = status(place.doors.environment, lambda: place.doors.registry, away)  # type: ignore[arg-type]
    assert found.exit_code == ExitCode.RETRY
    assert dict(found.lines)["Controller"] == "no service runs"
    assert "version 1" in dict(found.lines)["Registry"]


def test_status_before_anything_was_promoted(place: Place) -> None:
    found = said(place)
    assert found.lines[0] == ("Git", "nothing is promoted")
    assert [text for heading, text in found.lines if heading == "Replica"] == [
        f"{name} serves nothing yet" for name in ("a", "b", "c")
    ]
    assert found.lines[-1] == ("To do", "promote a version: `vigia promote --env local`")
    assert found.exit_code == ExitCode.DONE


def test_a_file_that_cannot_be_read_is_told_and_never_taken_for_nothing_promoted(place: Place) -> None:
    place.roll_out(1)
    where = place.doors.environment
    _, text = read_head(where.repository, where.branch, where.file)
    commit_change(where.repository, where.branch, where.file, text, "a: [\n", "Edit by hand")
    found = said(place)
    lines = dict(found.lines)
    assert "must be YAML" in lines["Git"]
    assert (found.exit_code, "To do" in lines) == (ExitCode.RETRY, False)
