"""Promotions through git under load."""

from pathlib import Path

import pytest

from tests.load.ray_service import Setup, running
from tests.load.rollout import prepare, roll_out_under_load


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_three_promotions_at_300_requests_a_second_lose_none_and_end_as_champion(tmp_path: Path) -> None:
    place, workspace, refs = prepare(tmp_path, 4, replicas=2)
    with running(Setup(refs[0], deployment={"num_replicas": 2})) as service:
        found = roll_out_under_load(service, place, workspace, refs, per_s=300, quiet_s=2)
    assert [change.digest for change in found.swaps.changes] == [ref.digest for ref in refs[1:]]
    assert found.champion == refs[-1].version
    assert len(found.swaps.answers) > 300 * 5
    assert found.swaps.failed == []
    assert found.swaps.wrong() == []
    assert max(found.after_seen_s()) < 20  # the goal of 2 s is make bench-rollout's, on a quiet machine
