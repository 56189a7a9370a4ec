"""Verification against real git and MLflow and a scripted fleet over HTTP."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from features.errors import (
    DisagreementError,
    RefusedError,
    RetryError,
    RolloutError,
    UnreachableError,
    UnverifiedError,
)
from features.storage import local_path, read_folder
from flows.promotion.admission import GATE, rolled_back_tag
from flows.promotion.observation import Content
from flows.steps.looking import HeadReader, StoreReader, look
from flows.steps.verify import verify
from serving.failure import Kind
from tests.flows.verification.conftest import MODEL, SHORT, Place
from tests.serving.service import store_files


def damage(place: Place, version: int) -> None:
    """The store holds something else under a version's digest than was registered."""
    (local_path(place.refs[version - 1].uri) / "model.onnx").write_bytes(b"something else")


@contextmanager
def no_registry(place: Place) -> Iterator[None]:
    """The registry's database cannot be read."""
    file = Path(place.doors.environment.registry.removeprefix("sqlite:///"))
    kept = file.read_bytes()
    file.write_bytes(b"no database" * 1_000)
    yield
    file.write_bytes(kept)


def test_what_every_replica_serves_becomes_champion_and_the_one_before_previous(place: Place) -> None:
    first = place.roll_out(1)
    assert (place.alias("champion"), place.alias("previous")) == ("1", "")
    assert first.figures["moved"]
    place.roll_out(2)
    assert (place.alias("champion"), place.alias("previous")) == ("2", "1")


def test_the_version_carries_when_it_was_verified_and_by_what(place: Place) -> None:
    commit = place.promote(1)
    place.apply()
    place.verify()
    tags = place.tags(1)
    evidence = json.loads(tags["verified_local_by"])
    assert evidence == {"commit": commit, "replicas": ["a", "b", "c"], "answered": place.refs[0].digest}
    assert tags["champion_local_since"] == tags["verified_local"]
    assert tags["verified_local"].endswith("+00:00")


def test_before_the_first_promotion_there_is_nothing_to_verify_unless_a_version_is_meant(place: Place) -> None:
    done = place.verify()
    assert (done.lines, done.version) == ((("Verified", "nothing is promoted to local yet"),), "")
    with pytest.raises(RolloutError, match="git names version nothing by now, not 1"):
        place.verify(expected="1")
    assert place.alias("champion") == ""


def test_verifying_again_moves_nothing(place: Place) -> None:
    place.roll_out(1)
    place.roll_out(2)
    again = place.verify()
    assert not again.figures["moved"]
    assert (place.alias("champion"), place.alias("previous")) == ("2", "1")
    assert [move.version for move in place.doors.log.read()] == ["1", "1", "2"]


def test_one_of_three_replicas_on_the_old_digest_is_enough_to_fail(place: Place) -> None:
    place.roll_out(1)
    place.fleet.replicas[1].stuck = True
    place.promote(2)
    place.apply()
    with pytest.raises(UnverifiedError, match=f"replica b serves {place.refs[0].digest[:12]}, not"):
        place.verify(SHORT)
    assert place.alias("champion") == "1"
    place.fleet.replicas[1].stuck = False
    place.fleet.replicas[1].configure(place.refs[1].digest)
    place.verify()
    assert place.alias("champion") == "2"


def test_a_replica_that_is_slow_is_waited_for(place: Place) -> None:
    place.promote(1)
    with pytest.raises(UnverifiedError, match="the controller applied nothing, not"):
        place.verify(SHORT)
    place.apply()
    assert place.verify().version == "1"


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_probe_says_nothing_about_the_bundle(place: Place, status: int) -> None:
    place.roll_out(1)
    place.fleet.refuse = status
    place.promote(2)
    place.apply()
    with pytest.raises(UnverifiedError, match=str(status)):
        place.verify(SHORT)
    assert (place.alias("champion"), place.head["version"]) == ("1", "2")


def test_neither_do_replicas_that_do_not_answer_or_that_serve_does_not_know(place: Place) -> None:
    place.promote(1)
    place.apply()
    place.fleet.silent = {"c"}
    with pytest.raises(UnverifiedError, match="a replica does not answer: TimeoutError"):
        place.verify(SHORT)
    place.fleet.silent, place.fleet.ghosts = set(), {"c"}
    with pytest.raises(UnverifiedError, match="2 replicas run and 2 of them answer"):
        place.verify(SHORT)
    assert place.alias("champion") == ""


def test_a_replica_on_a_node_that_is_to_go_counts_as_long_as_it_gets_requests(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    leaving = place.fleet.replicas[2]
    leaving.stuck, place.fleet.draining = True, {"c"}  # Serve gives it no configuration any more
    place.apply()
    with pytest.raises(UnverifiedError, match=f"replica c serves {place.refs[0].digest[:12]}"):
        place.verify(SHORT)
    leaving.desired = leaving.served = place.refs[1].digest
    place.verify()
    assert place.alias("champion") == "2"


def test_a_store_that_is_away_is_never_a_reason_to_revert(place: Place) -> None:
    place.roll_out(1)
    place.promote(2, uri="file:///nowhere/" + place.refs[1].digest)
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.UNREACHABLE}
    place.apply()
    with pytest.raises(UnverifiedError, match="nowhere"):
        place.verify(SHORT)
    assert place.head["version"] == "2"


def test_a_verifier_older_than_the_bundle_neither_calls_it_broken_nor_changed(place: Place) -> None:
    files = read_folder(place.refs[0].uri)
    later = {**files, "bundle.json": files["bundle.json"].replace(b'"format": ', b'"format": 9')}
    ref = store_files(local_path(place.refs[0].uri).parent, later, "2")
    place.roll_out(1)
    place.promote(2, uri=ref.uri, digest=ref.digest)
    place.apply()
    for kinds in ({}, {ref.digest: Kind.DIGEST}):  # everything serves it; one replica's copy is torn
        place.fleet.replicas[0].fails = kinds
        place.fleet.replicas[0].configure(ref.digest)
        with pytest.raises(
            UnverifiedError, match=r"another version of vigia wrote .* cannot open it: bundle\.json format"
        ):
            place.verify(SHORT)
    assert place.head["digest"] == ref.digest
    assert place.alias("champion") == "1"


def test_one_replica_with_a_torn_copy_of_an_intact_bundle_is_no_reason_either(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.DIGEST}
    place.apply()
    with pytest.raises(UnverifiedError, match="a cannot load it"):
        place.verify(SHORT)
    assert place.head["version"] == "2"


def test_a_bundle_that_is_bad_is_reverted_by_a_commit_that_says_why_and_that_is_verified_too(place: Place) -> None:
    place.roll_out(1)
    commit = place.promote(2)
    damage(place, 2)
    place.fleet.replicas[2].fails = {place.refs[1].digest: Kind.DIGEST}
    place.apply()
    with pytest.raises(RolloutError, match=r"version 2 is bad and was reverted to version 1 .* serves ev"):
        place.verify()
    assert place.head["digest"] == place.refs[0].digest
    assert (place.alias("champion"), place.alias("previous")) == ("1", "")
    assert {replica.served for replica in place.fleet.replicas} == {place.refs[0].digest}
    assert "c refuses it (digest)" in place.tags(2)[rolled_back_tag("local")]
    assert place.verify().version == "1"
    assert commit != place.verify().figures["commit"]


def test_a_revert_is_told_though_what_it_leads_to_cannot_be_applied_or_seen(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    damage(place, 2)
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.DIGEST}
    place.apply()

    def away() -> None:
        raise UnreachableError("the dashboard does not answer")

    with pytest.raises(RolloutError, match=r"reverted to version 1 by commit .*; the dashboard does not answer"):
        verify(place.doors, SHORT, place.progress, apply=away)
    assert place.head["version"] == "1"


def test_a_first_promotion_that_is_bad_is_reverted_to_nothing(place: Place) -> None:
    place.promote(1)
    damage(place, 1)
    place.fleet.replicas[0].fails = {place.refs[0].digest: Kind.DIGEST}
    place.apply()
    with pytest.raises(RolloutError, match="reverted to nothing"):
        place.verify()
    assert place.head["digest"] == ""
    assert place.verify().lines == (("Verified", "nothing is promoted to local yet"),)


def test_a_revert_skips_an_earlier_version_that_is_broken_as_well(place: Place) -> None:
    for version in (1, 2):
        place.roll_out(version)
    place.promote(3)
    damage(place, 2)
    damage(place, 3)
    place.fleet.replicas[0].fails = {place.refs[2].digest: Kind.DIGEST}
    place.apply()
    with pytest.raises(RolloutError, match="reverted to version 1"):
        place.verify()
    assert place.head["version"] == "1"


def test_content_that_changed_after_registration_stops_the_alias_and_reverts_nothing(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    place.apply()
    damage(place, 2)
    with pytest.raises(DisagreementError, match=r"the store holds other content .*; remove .* and publish it again"):
        place.verify()
    assert (place.alias("champion"), place.head["version"]) == ("1", "2")


def test_an_intact_bundle_is_read_again_only_where_its_content_decides(place: Place) -> None:
    place.promote(1)
    environment = place.doors.environment
    head, store = HeadReader(environment).read(), StoreReader(environment)
    assert store.read(head, decides=False)[0] is Content.INTACT
    damage(place, 1)
    assert store.read(head, decides=False)[0] is Content.INTACT
    assert store.read(head, decides=True)[0] is Content.BROKEN
    assert store.read(head, decides=False)[0] is Content.BROKEN


def test_while_no_replica_answers_the_bundle_is_not_read_at_each_look(place: Place) -> None:
    place.promote(1)
    heads, store = HeadReader(place.doors.environment), StoreReader(place.doors.environment)
    place.fleet.replicas.clear()
    found = []
    for _ in range(2):
        found.append(look(place.doors, heads, store, heads.read(), 0.0).content)
        damage(place, 1)
    assert found == [Content.INTACT, Content.INTACT]


@pytest.mark.parametrize(
    ("kind", "second"),
    [(Kind.UNREACHABLE, Content.INTACT), (Kind.OTHER, Content.INTACT), (Kind.CORRUPT, Content.BROKEN)],
)
def test_while_a_replica_fails_the_bundle_is_read_again_only_where_it_may_be_to_blame(
    place: Place, kind: Kind, second: Content
) -> None:
    place.promote(1)
    heads, store = HeadReader(place.doors.environment), StoreReader(place.doors.environment)
    place.fleet.replicas[0].fails = {place.refs[0].digest: kind}
    place.apply()
    found = []
    for _ in range(2):
        found.append(look(place.doors, heads, store, heads.read(), 0.0).content)
        damage(place, 1)
    assert found == [Content.INTACT, second]


def test_a_registry_that_knows_another_digest_stops_the_alias(place: Place) -> None:
    place.promote(2, version="1")
    place.apply()
    with pytest.raises(DisagreementError, match="the registry has"):
        place.verify()
    assert place.alias("champion") == ""


def test_a_version_that_its_gate_refused_is_no_champion_unless_a_commit_says_who_overrode_it(place: Place) -> None:
    place.doors.registry.tag_version(MODEL, "1", {GATE: "refuse"})
    place.promote(1)
    place.apply()
    with pytest.raises(RefusedError, match="the gate refused version 1"):
        place.verify()
    assert place.alias("champion") == ""


def test_a_version_that_was_meant_and_is_not_at_the_head_any_more_is_superseded(place: Place) -> None:
    place.promote(1)
    place.promote(2)
    place.apply()
    with pytest.raises(RolloutError, match="superseded: git names version 2 by now, not 1"):
        place.verify(expected="1")
    assert place.alias("champion") == ""
    assert place.verify(expected="2").version == "2"


def test_a_head_that_moves_while_it_is_verified_is_superseded(place: Place) -> None:
    place.promote(1)
    place.apply()
    answer = place.fleet.predict
    place.fleet.predict = lambda: ((place.promote(2) if place.head["version"] == "1" else "") and {}) or answer()
    with pytest.raises(RolloutError, match="superseded: git names version 2 by now, not version 1"):
        place.verify()
    assert place.alias("champion") == ""


def test_clocks_that_differ_by_hours_change_nothing(place: Place) -> None:
    place.fleet.replicas[0].since, place.fleet.replicas[1].since = 4e9, -1e6
    assert place.roll_out(1).version == "1"


def test_a_registry_that_is_gone_leaves_everything_as_it_is_and_is_worth_another_try(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    place.apply()
    with no_registry(place), pytest.raises(RetryError, match="registry"):
        place.verify()
    assert place.verify().version == "2"
    assert (place.alias("champion"), place.alias("previous")) == ("2", "1")


def test_a_bundle_is_reverted_without_the_registry_too(place: Place) -> None:
    place.roll_out(1)
    place.promote(2)
    damage(place, 2)
    place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.DIGEST}
    place.apply()
    with no_registry(place), pytest.raises(RolloutError, match=r"reverted to version 1 .* could not be marked"):
        place.verify()
    assert place.head["version"] == "1"


def test_without_a_service_nothing_can_be_established(place: Place) -> None:
    place.promote(1)
    place.fleet.refuse = 502
    with pytest.raises(UnverifiedError, match="502"):
        place.verify(SHORT)
    with pytest.raises(UnreachableError):
        place.doors.api.fleet()
