"""What the doctor says of an environment's store, and of Ray behind its service, as each really answers."""

from dataclasses import replace
from pathlib import Path

import pytest

from flows.adapters.serve_api import ServeApi
from flows.doctor.checkup import Found, Verdict, examine
from flows.environments import Environment
from flows.steps.doctor_place import checks_of_place
from tests.fakes.s3 import KEYS, make_bucket, s3_server
from tests.fakes.serve import FakeReplica, FakeServe, serving

AWAY = ServeApi("http://127.0.0.1:9", "", "http://127.0.0.1:9", 1.0)
PLACE = Environment(
    "minikube", "/nowhere.git", "main", "f", "http://127.0.0.1:9", None, "http://127.0.0.1:9", namespace="ml-dev"
)


def asked(title: str, place: Environment = PLACE, api: ServeApi = AWAY) -> Found:
    (check,) = (one for one in checks_of_place(place, lambda: api) if one.title == title)
    (found,) = examine([replace(check, needs=())])
    return found


def test_ray_is_well_where_it_takes_the_token() -> None:
    with serving(FakeServe([FakeReplica("a")])) as api:
        well, other = asked("Ray", api=api), asked("Ray", api=replace(api, token="of-yesterday"))
    assert (well.verdict, "takes the token" in well.text) == (Verdict.OK, True)
    assert (other.verdict, "minikube.tokens.dashboard: must be what Ray takes" in other.text) == (Verdict.FAILED, True)
    assert "of-yesterday" not in other.text


def test_a_damaged_file_of_the_registry_is_told_from_a_server_that_is_away(tmp_path: Path) -> None:
    (tmp_path / "mlflow.db").write_text("garbage " * 1_000)
    damaged = asked("Registry", replace(PLACE, registry=f"sqlite:///{tmp_path}/mlflow.db"))
    assert damaged.verdict is Verdict.UNKNOWN
    assert "file is not a database" in damaged.text
    assert "move the file away and train again" in damaged.fix
    (away,) = (one for one in checks_of_place(PLACE, lambda: AWAY) if one.title == "Registry")
    assert away.fix == "see that MLflow answers at http://127.0.0.1:9"


def test_ray_that_is_away_is_reached_by_a_port_forward() -> None:
    found = asked("Ray")
    assert found.verdict is Verdict.UNKNOWN
    assert "kubectl -n ml-dev port-forward svc/ray-serve 8265:8265" in found.fix


def test_a_store_is_well_if_its_bucket_exists_whatever_is_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    with s3_server() as endpoint:
        make_bucket(endpoint, "bundles")
        place = replace(PLACE, endpoint=endpoint)
        found = {
            uri: asked("Store", replace(place, bundles=uri))
            for uri in ("s3://bundles", "s3://bundles/none/yet", "s3://other", "s3://other/none/yet")
        }
    assert [one.verdict for one in found.values()] == [Verdict.OK, Verdict.OK, Verdict.FAILED, Verdict.FAILED]
    assert found["s3://bundles"].text == "s3://bundles may be read, with the key an-id"
    assert "must be in a bucket that exists" in found["s3://other/none/yet"].text
