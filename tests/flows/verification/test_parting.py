"""Where git, controller, replicas and registry part."""

from dataclasses import replace
from typing import Any

import pytest

from flows.promotion.ages import age
from flows.promotion.observation import Head, Replica
from flows.promotion.parting import Parting, Truths, part

OLD, NEW = "0" * 64, "1" * 64
AGREED = Truths(
    head=Head("c1", "u", NEW, "m", "2"),
    head_age_s=3_000.0,
    applied=NEW,
    status="RUNNING",
    running=frozenset({"a", "b"}),
    replicas=(Replica("a", NEW, NEW), Replica("b", NEW, NEW)),
    champion=NEW,
)


def test_all_that_agree_part_nowhere() -> None:
    assert part(AGREED, 600) == Parting()
    assert part(replace(AGREED, head=Head()), 600) == Parting()


@pytest.mark.parametrize(
    ("changed", "where", "reason"),
    [
        ({"applied": OLD}, "git → controller", "applied 000000000000"),
        ({"applied": OLD, "champion": OLD}, "git → controller", "applied"),
        ({"status": "DEPLOYING"}, "controller → replicas", "DEPLOYING"),
        (
            {"replicas": (Replica("a", NEW, NEW), Replica("b", OLD, NEW))},
            "controller → replicas",
            "replica b serves",
        ),
        ({"replicas": AGREED.replicas[:1]}, "controller → replicas", "2 replicas run and 1 of them answer"),
        ({"replicas": (Replica("", silent="late"),)}, "controller → replicas", "late"),
        ({"champion": OLD}, "replicas → registry", "the champion is 000000000000"),
        ({"champion": ""}, "replicas → registry", "the champion is nothing"),
    ],
)
def test_the_first_step_that_differs_is_named(changed: Any, where: str, reason: str) -> None:
    found = part(replace(AGREED, **changed), 600)
    assert (found.where, found.late) == (where, True)
    assert reason in found.reason


@pytest.mark.parametrize(
    ("age_s", "late"), [(0, False), (599, False), (601, True), (-30, False), (-3_600, True), (None, True)]
)
def test_a_young_head_is_on_its_way_and_one_from_the_future_has_no_excuse(age_s: float | None, late: bool) -> None:
    assert part(replace(AGREED, applied=OLD, head_age_s=age_s), 600).late is late


def test_a_side_that_could_not_be_asked_is_no_disagreement() -> None:
    away = replace(AGREED, applied=None, replicas=None, champion=None, troubles={"controller": "away"})
    assert part(away, 600) == Parting(unseen=("controller",))
    only = replace(AGREED, applied=None, running=frozenset(), troubles={"controller": "away"})
    assert part(only, 600) == Parting(unseen=("controller",))
    assert part(Truths(troubles={"git": "away"}), 600).unseen == ("git",)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "just now"),
        (-20, "just now"),
        (42, "42 s ago"),
        (180, "3 min ago"),
        (7_200, "2 h ago"),
        (200_000, "2 d ago"),
        (-7_200, "2 h in the future by this clock"),
        (None, "at an unknown time"),
    ],
)
def test_ages_are_said_in_words(seconds: float | None, words: str) -> None:
    assert age(seconds) == words
