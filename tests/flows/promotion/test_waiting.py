"""`vigia promote --wait`: it watches what verification writes and what git says, and writes nothing."""

import json
import threading

import pytest

from features.errors import RolloutError, UnverifiedError
from flows.steps.promote import promote
from flows.steps.waiting import wait_for_champion
from tests.flows.promotion.place import Place


class Silent:
    """A stage that nobody looks at."""

    def update(self, text: str) -> None:
        """Nothing."""

    def result(self, text: str) -> None:
        """Nothing."""


def crown(place: Place, version: str) -> None:
    """What verification writes of the head."""
    evidence = {"commit": place.git("rev-parse", "main").strip()}
    place.registry.set_alias(place.model, "champion-local", version)
    place.registry.tag_version(place.model, version, {"verified_local_by": json.dumps(evidence)})


def wait(place: Place, digest: str, timeout_s: float) -> None:
    wait_for_champion(place.environment, place.registry, place.model, digest, timeout_s, Silent())


def test_it_ends_when_verification_has_moved_the_alias(place: Place) -> None:
    made = place.register(1)
    promote(place.environment, place.registry, place.model, None)
    later = threading.Timer(0.3, crown, [place, made.version])
    later.start()
    wait(place, made.digest, 20)
    champion = place.registry.by_alias(place.model, "champion-local")
    assert champion is not None
    assert champion.digest == made.digest  # it waited for that
    later.join()


def test_a_champion_that_was_verified_before_git_named_another_one_is_not_verified_again_by_that(place: Place) -> None:
    first, second = place.register(1), place.register(2)
    promote(place.environment, place.registry, place.model, first.version)
    crown(place, first.version)
    for version in (second, first):  # nobody verifies the second, and replicas may serve it
        promote(place.environment, place.registry, place.model, version.version)
    with pytest.raises(UnverifiedError, match=r"\(the champion is version 1, by an earlier verification\)"):
        wait(place, first.digest, 0.2)
    place.commit("README.md", "a text", "Nothing of this")
    crown(place, first.version)
    wait(place, first.digest, 20)


def test_a_time_out_says_what_would_have_ended_it_and_is_worth_another_try(place: Place) -> None:
    old, made = place.register(1), place.register(2)
    place.registry.set_alias(place.model, "champion-local", old.version)
    promote(place.environment, place.registry, place.model, None)
    rule = r"not verified within 0.2 s \(the champion is version 1\); `vigia verify --env local` moves the alias"
    with pytest.raises(UnverifiedError, match=rule):
        wait(place, made.digest, 0.2)


def test_another_digest_at_the_head_ends_it(place: Place) -> None:
    mine, theirs = place.register(1), place.register(2)
    promote(place.environment, place.registry, place.model, mine.version)
    promote(place.environment, place.registry, place.model, theirs.version)
    with pytest.raises(
        RolloutError, match=rf"superseded or reverted: main names version 2, sha256:{theirs.digest[:12]}"
    ):
        wait(place, mine.digest, 20)
