"""The verdict of a verification."""

from dataclasses import replace
from typing import Any

import pytest

from features.errors import InputError
from flows.promotion.judge import Bad, Changed, Rules, Superseded, Unverifiable, Verified, Waiting
from flows.promotion.observation import Content, Head, Replica
from serving.failure import Failure, Kind
from tests.flows.verification.looks import HEAD, NEW, OLD, failed, look, with_replica
from tests.flows.verification.looks import verdict_of as verdict


def thrice(**changed: Any) -> Any:
    return verdict(look(0, **changed), look(7.5, **changed), look(15, **changed))


def test_three_looks_over_fifteen_seconds_at_which_everything_agrees_verify() -> None:
    assert thrice() == Verified()


def test_two_looks_or_a_shorter_time_do_not() -> None:
    assert isinstance(verdict(look(0), look(15)), Waiting)
    assert isinstance(verdict(look(0), look(1), look(14.9)), Waiting)


def test_a_look_that_disagrees_begins_the_count_anew() -> None:
    odd = look(7.5, replicas=with_replica("b", OLD))
    assert isinstance(verdict(look(0), odd, look(15)), Waiting)
    assert isinstance(verdict(look(0), odd, look(15), look(22)), Waiting)
    assert verdict(look(0), odd, look(15), look(22), look(30)) == Verified()


LACKS = [
    ({"replicas": with_replica("b", OLD)}, "replica b serves 000000000000, not 111111111111"),
    ({"replicas": with_replica("b", NEW, desired=OLD)}, "replica b serves"),
    ({"replicas": (*look().replicas[:2], Replica("", silent="timed out"))}, "a replica does not answer: timed out"),
    ({"replicas": look().replicas[:2]}, "3 replicas run and 2 of them answer"),
    ({"replicas": (*look().replicas, Replica("d", NEW, NEW))}, "3 replicas run and 3 of them answer"),
    ({"replicas": look().replicas[:2] + look().replicas[:1]}, "3 replicas run and 2 of them answer"),
    ({"replicas": (), "running": frozenset()}, "no replica is running"),
    ({"applied": OLD}, "the controller applied 000000000000, not"),
    ({"status": "DEPLOYING", "message": "two of three"}, "the application is DEPLOYING: two of three"),
    ({"status": ""}, "the application is absent"),
    ({"answered": OLD}, "a prediction was answered by 000000000000"),
    ({"answered": ""}, "a prediction was answered by nothing"),
    ({"trouble": "connection refused"}, "connection refused"),
    ({"head": None}, "git did not answer"),
    ({"content": Content.UNSEEN}, "the bundle store could not show 111111111111"),
]


@pytest.mark.parametrize(("changed", "reason"), LACKS)
def test_whatever_is_lacking_is_waited_for_and_named_and_never_verified(changed: Any, reason: str) -> None:
    found = thrice(**changed)
    assert isinstance(found, Waiting)
    assert reason in found.reason


@pytest.mark.parametrize(("changed", "reason"), LACKS)
def test_no_wait_is_longer_than_the_time_out(changed: Any, reason: str) -> None:
    found = verdict(look(0, **changed), look(45, **changed), look(60, **changed))
    assert isinstance(found, Unverifiable)
    assert reason in found.reason


def test_a_probe_that_is_refused_is_not_waited_for() -> None:
    assert verdict(look(0, refused=True, trouble="403")) == Unverifiable("403")


@pytest.mark.parametrize("kind", [Kind.DIGEST, Kind.CORRUPT])
def test_content_that_a_replica_refuses_and_that_is_broken_in_the_store_is_proof(kind: Kind) -> None:
    found = verdict(look(0, replicas=failed(kind), content=Content.BROKEN))
    assert found == Bad(f"replica c refuses it ({kind}): said c")


def test_a_format_that_a_replica_does_not_know_is_proof_whoever_else_knows_it() -> None:
    assert isinstance(verdict(look(0, replicas=failed(Kind.FORMAT))), Bad)


@pytest.mark.parametrize("reason", ["unsettled", "upgrading"])
def test_a_format_is_no_proof_while_a_cluster_is_being_made_or_asked_for_that_may_know_it(reason: str) -> None:
    making = {reason: "cluster c2 is being made beside c1"}
    assert isinstance(verdict(look(0, replicas=failed(Kind.FORMAT), **making)), Waiting)
    assert isinstance(verdict(look(60, replicas=failed(Kind.FORMAT), **making)), Unverifiable)
    message = Failure(NEW, Kind.FORMAT, "").mark
    assert isinstance(verdict(look(0, status="DEPLOY_FAILED", message=message, **making)), Waiting)
    broken = look(0, replicas=failed(Kind.DIGEST), content=Content.BROKEN, **making)
    assert isinstance(verdict(broken), Bad)


@pytest.mark.parametrize("content", [Content.INTACT, Content.UNSEEN])
@pytest.mark.parametrize("kind", [Kind.DIGEST, Kind.CORRUPT])
def test_what_a_replica_alone_finds_broken_is_no_proof(kind: Kind, content: Content) -> None:
    assert isinstance(verdict(look(0, replicas=failed(kind), content=content)), Waiting)
    assert isinstance(verdict(look(60, replicas=failed(kind), content=content)), Unverifiable)


@pytest.mark.parametrize("kind", [Kind.UNREACHABLE, Kind.REFERENCE, Kind.OTHER])
@pytest.mark.parametrize("content", list(Content))
def test_a_store_that_is_away_is_never_proof(kind: Kind, content: Content) -> None:
    assert isinstance(verdict(look(0, replicas=failed(kind), content=content)), Waiting)
    assert isinstance(verdict(look(60, replicas=failed(kind), content=content)), Unverifiable)


def test_a_failure_to_load_another_bundle_is_no_proof() -> None:
    assert isinstance(verdict(look(0, replicas=failed(Kind.FORMAT, OLD))), Waiting)


def test_a_deployment_that_failed_by_this_bundle_is_proof() -> None:
    message = f"failed to start 3 times: {Failure(NEW, Kind.DIGEST, '').mark} stack"
    broken = look(0, status="DEPLOY_FAILED", message=message, content=Content.BROKEN, running=frozenset(), replicas=())
    assert verdict(broken) == Bad("Serve reports DEPLOY_FAILED for it (digest)")
    assert isinstance(verdict(replace(broken, applied=OLD)), Waiting)
    assert isinstance(verdict(replace(broken, content=Content.INTACT)), Waiting)
    for other in ("no reason given", Failure(NEW, Kind.UNREACHABLE, "").mark, Failure(OLD, Kind.DIGEST, "").mark):
        assert isinstance(verdict(replace(broken, message=other)), Waiting)


def test_of_a_long_message_its_end_is_told() -> None:
    message = "Traceback:\n" + "  File x\n" * 500 + "InputError: model.onnx: must be a graph\n[a mark]\n"
    found = verdict(look(0, status="DEPLOYING", message=message))
    assert found == Waiting("the application is DEPLOYING: InputError: model.onnx: must be a graph [a mark]")


def test_nothing_is_reverted_while_git_does_not_answer() -> None:
    found = verdict(look(0, replicas=failed(Kind.FORMAT), head=None))
    assert isinstance(found, Waiting)


def test_a_head_that_moved_on_supersedes_even_a_bad_bundle() -> None:
    later = Head("c2", "file:///newer", "2" * 64, "m", "3")
    assert verdict(look(0, head=later, replicas=failed(Kind.FORMAT))) == Superseded(later)


def test_another_commit_that_names_the_same_digest_is_the_same_promotion() -> None:
    merged = replace(HEAD, commit="c9")
    assert verdict(look(0), look(7.5, head=merged), look(15, head=merged)) == Verified()


def test_content_that_changed_after_all_replicas_loaded_it_is_neither_verified_nor_reverted() -> None:
    assert isinstance(thrice(content=Content.BROKEN), Changed)


@pytest.mark.parametrize("values", [{"rounds": 1}, {"over_s": -1}, {"over_s": 61}, {"timeout_s": float("inf")}])
def test_rules_that_could_not_be_met_are_refused(values: Any) -> None:
    with pytest.raises(InputError):
        Rules(**values)
