"""The flow as on a cluster: MLflow's server on PostgreSQL, artifacts and bundles on S3, several trainings at once.

It takes minutes, most of them three trainings and the server's two starts.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import yaml
from mlflow import MlflowClient

from serving.bundle import load_bundle
from tests.fakes.mlflow_server import MlflowServer, mlflow_server
from tests.fakes.postgres import postgres
from tests.fakes.s3 import KEYS, make_bucket, s3_server

pytestmark = [pytest.mark.end_to_end, pytest.mark.timeout(1_200)]

ROOT = Path(__file__).parents[2]
MODEL = "anomaly-detector"
SETTINGS = ("data.uri=fleet://?sensors=12&days=8&seed=3", "search.families=[isolation_forest]", "search.trials=2")
PAGES = {"card.html", "config.yaml", "drift.html", "figures.json", "gate.json", "lineage.json", "validation.html"}


@dataclass(frozen=True)
class Place:
    """A workspace whose environment ``shared`` has its registry and its stores on servers."""

    workspace: Path
    server: MlflowServer
    endpoint: str

    @property
    def client(self) -> MlflowClient:
        """Another client than ours."""
        return MlflowClient(self.server.uri)

    def start(self, *arguments: str, **variables: str) -> "subprocess.Popen[str]":
        """A command of ours, with the credentials of S3 alone."""
        return subprocess.Popen(
            [sys.executable, "-u", "-m", "flows", *arguments, "--workspace", str(self.workspace)],
            cwd=ROOT,
            env={**os.environ, **KEYS, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def train(self, number: int, **variables: str) -> "subprocess.Popen[str]":
        """A training with a seed of its own, and so a bundle of its own."""
        told = [part for setting in (*SETTINGS, f"seed={number}") for part in ("--set", setting)]
        summary = str(self.workspace / f"{number}.json")
        return self.start("train", "--env", "shared", "--summary", summary, *told, **variables)

    def summary(self, name: object) -> dict[str, Any]:
        """What a command wrote of itself."""
        found: dict[str, Any] = json.loads((self.workspace / f"{name}.json").read_text())
        return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("shared")
    with postgres() as database, s3_server() as endpoint:
        make_bucket(endpoint, "mlflow")
        make_bucket(endpoint, "bundles")
        backend = database.uri("").rstrip("?").replace("postgresql://owner", "postgresql+psycopg2://owner")
        settings = {**KEYS, "MLFLOW_S3_ENDPOINT_URL": endpoint, "PGPASSWORD": database.password}
        with mlflow_server(backend, "s3://mlflow/artifacts", folder, settings) as server:
            workspace = folder / "ws"
            workspace.mkdir()
            described = {
                "registry": server.uri,
                "bundles": "s3://bundles/of-plant",
                "endpoint": endpoint,
                "file": "manifests/overlays/local/rayservice-serve-config.yaml",
            }
            (workspace / "environments.yaml").write_text(yaml.safe_dump({"shared": described}))
            yield Place(workspace, server, endpoint)


@pytest.fixture(scope="module")
def trained(place: Place) -> list[dict[str, Any]]:
    """What three trainings that ran at once wrote."""
    processes = [place.train(number) for number in (1, 2, 3)]
    said = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert not any("View run" in text for text in said)  # MLflow's client has a voice of its own
    return [place.summary(number) for number in (1, 2, 3)]


def test_trainings_at_once_end_with_versions_of_their_own_and_one_of_them_is_the_challenger(
    place: Place, trained: list[dict[str, Any]]
) -> None:
    assert len({one["digest"] for one in trained}) == 3
    assert {one["version"] for one in trained} == {"1", "2", "3"}
    challenger = place.client.get_model_version_by_alias(MODEL, "challenger")
    assert challenger.tags["digest"] in {one["digest"] for one in trained}
    for one in trained:
        version = place.client.get_model_version(MODEL, one["version"])
        assert version.source == f"s3://bundles/of-plant/sha256/{one['digest']}"
        assert (version.run_id, version.tags["digest"]) == (one["run_id"], one["digest"])


def test_every_run_is_complete_with_its_trials_and_its_pages(place: Place, trained: list[dict[str, Any]]) -> None:
    client = place.client
    (experiment,) = [found for found in client.search_experiments() if found.name == MODEL]
    for one in trained:
        run = client.get_run(one["run_id"])
        assert run.info.status == "FINISHED"
        assert run.data.params["data.uri"] == "fleet://?sensors=12&days=8&seed=3"
        assert {file.path for file in client.list_artifacts(one["run_id"])} >= PAGES
        nested = client.search_runs([experiment.experiment_id], f"tags.`mlflow.parentRunId` = '{one['run_id']}'")
        assert sorted((trial.data.tags["trial"], trial.info.status) for trial in nested) == [
            ("0", "FINISHED"),
            ("1", "FINISHED"),
        ]
    page = client.download_artifacts(trained[0]["run_id"], "validation.html", str(place.workspace))
    assert Path(page).read_bytes() == (Path(trained[0]["paths"]["run"]) / "validation.html").read_bytes()


def test_bundles_load_by_their_digest_from_s3(
    place: Place, trained: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    for one in trained:
        assert one["paths"]["bundle"] == f"s3://bundles/of-plant/sha256/{one['digest']}"
        assert load_bundle(one["paths"]["bundle"], one["digest"], place.endpoint).digest == one["digest"]
    assert not (place.workspace / "bundles").exists()
    assert not (place.workspace / "mlflow").exists()


def test_a_table_is_scored_by_the_challenger_and_its_bundle_is_promoted(
    place: Place, trained: list[dict[str, Any]]
) -> None:
    out = place.workspace / "scores.parquet"
    table = "fleet://?sensors=12&days=8&seed=4"
    scoring = place.start("score", table, "--env", "shared", "--alias", "challenger", "--out", str(out))
    assert scoring.communicate()[0].count("SIMULATED") >= 1
    assert scoring.returncode == 0
    challenger = place.client.get_model_version_by_alias(MODEL, "challenger")
    digest = challenger.tags["digest"]
    assert pq.read_schema(out).metadata[b"digest"].decode() == digest

    promoting = place.start("promote", "--env", "shared")
    said, _ = promoting.communicate()
    assert promoting.returncode == 0, said
    shown = subprocess.run(
        ["git", "show", "main:manifests/overlays/local/rayservice-serve-config.yaml"],
        cwd=place.workspace / "gitops.git",
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert f'uri: "s3://bundles/of-plant/sha256/{digest}"' in shown
    assert digest in {one["digest"] for one in trained}


@pytest.mark.usefixtures("trained")
def test_a_run_whose_server_goes_away_exits_with_4_and_is_completed_when_it_is_back(place: Place) -> None:
    training = place.train(4, MLFLOW_HTTP_REQUEST_MAX_RETRIES="2")
    assert training.stdout is not None
    said = ""
    for line in training.stdout:
        said += line
        if line.startswith("Searching"):  # said when that stage ends, with the run open in the registry
            place.server.stop()
    try:
        assert training.wait() == 4, said
        assert f"error: registry {place.server.uri}: connection refused" in said
        assert "Traceback" not in said
    finally:
        place.server.start()
    file = place.workspace / "resumed.json"
    resuming = place.start("train", "--resume", "--summary", str(file))
    said, _ = resuming.communicate()
    assert resuming.returncode == 0, said
    done = place.summary("resumed")
    assert done["version"] == "4"
    run = place.client.get_run(done["run_id"])
    assert (run.info.status, run.info.run_name) == ("FINISHED", Path(done["paths"]["run"]).name)
    assert {found.path for found in place.client.list_artifacts(done["run_id"])} >= PAGES
    assert place.client.get_model_version_by_alias(MODEL, "challenger").version == "4"
