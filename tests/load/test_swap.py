"""Bundle changes under load: what counts as wrong, and twenty of them from a slow store."""

import json
from pathlib import Path

import pytest

from tests.load.ray_service import Setup, running
from tests.load.steady import Answered
from tests.load.store import store
from tests.load.swap import Change, Swaps, bundles_in, swap_under_load


def _answer(due: float, done: float, digest: str) -> Answered:
    return Answered("load-1", due, done, 200, json.dumps({"model": {"digest": digest}}).encode())


# From a to b: asked for at 10, served by all at 20.
@pytest.mark.parametrize(
    ("due", "done", "digest", "right"),
    [
        (1, 2, "a", True),
        (1, 2, "b", False),
        (9, 11, "b", True),
        (15, 16, "a", True),
        (15, 16, "b", True),
        (19, 21, "a", True),
        (21, 22, "a", False),
        (21, 22, "b", True),
        (21, 22, "c", False),
    ],
)
def test_an_answer_must_be_by_a_bundle_in_service(due: float, done: float, digest: str, right: bool) -> None:
    answer = _answer(due, done, digest)
    assert Swaps("a", (Change("b", 10, 20),), (answer,)).wrong() == ([] if right else [(answer, digest)])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_twenty_changes_from_a_store_that_takes_10_s_lose_no_request(tmp_path: Path) -> None:
    with store() as place:
        bundles = bundles_in(place, tmp_path, 21)
        with running(Setup(bundles[0]), place.environment) as service:
            place.behave(delay_s=10)
            found = swap_under_load(service, bundles, per_s=300, quiet_s=2)
    assert [change.digest for change in found.changes] == [bundle.digest for bundle in bundles[1:]]
    assert all(change.served - change.asked > 10 for change in found.changes)
    assert len(found.answers) > 300 * 20 * 10
    assert found.failed == []
    assert found.wrong() == []
