"""Promotions through git under load."""

import time
from pathlib import Path

import pytest

from features.storage import local_path
from flows.promotion.edit import DEPLOYMENT
from flows.promotion.serve_answers import read_application
from serving.failure import Kind, read_marks
from tests.load.ray_service import Setup, running
from tests.load.rollout import prepare, roll_out_under_load
from tests.serving.service import publish


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


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_serve_tells_of_which_bundle_and_of_what_a_deployment_failed(tmp_path: Path) -> None:
    good, bad = publish(tmp_path, 1), publish(tmp_path, 2)
    (local_path(bad.uri) / "model.onnx").write_bytes(b"something else")
    with running(Setup(good)) as service:
        service.apply(Setup(bad, deployment={"ray_actor_options": {"num_cpus": 0.2}}))  # replicas of its own
        end = time.monotonic() + 300
        while (found := read_application(service.api.application(), DEPLOYMENT)).status != "DEPLOY_FAILED":
            assert time.monotonic() < end, found
            time.sleep(0.5)
    assert found.applied == bad.digest
    assert read_marks(found.message) == {(bad.digest, Kind.DIGEST)}
