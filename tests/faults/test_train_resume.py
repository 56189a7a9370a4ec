"""`vigia train --resume` after a kill: the bundle of an uninterrupted run, and no trial run twice."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
SETTINGS = [
    "data.uri=fleet://?sensors=12&days=8&seed=3",
    "search.families=[isolation_forest, linear_autoencoder]",
    "search.trials=4",
]


def start(workspace: Path, *arguments: str) -> subprocess.Popen[str]:
    """``vigia train`` with its lines as they come."""
    command = [sys.executable, "-u", "-m", "flows", "train", "--workspace", str(workspace), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def summary(workspace: Path, *arguments: str) -> dict[str, Any]:
    """What a run that must succeed wrote."""
    file = workspace / "summary.json"
    process = start(workspace, "--summary", str(file), *arguments)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    found: dict[str, Any] = json.loads(file.read_text())
    return found


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_run_killed_between_its_stages_ends_as_one_that_was_not(tmp_path: Path) -> None:
    settings = [part for setting in SETTINGS for part in ("--set", setting)]
    whole = summary(tmp_path, *settings)
    process = start(tmp_path, *settings)
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("Searching"):  # said when the stage ends
            os.kill(process.pid, signal.SIGKILL)
    process.wait()
    run = next(folder for folder in sorted((tmp_path / "runs").iterdir()) if str(folder) != whole["paths"]["run"])
    written = {file.name: file.stat().st_mtime_ns for file in (run / "trials").iterdir()}
    assert len(written) == 4

    resumed = summary(tmp_path, "--resume")
    assert resumed["paths"]["run"] == str(run)
    assert resumed["digest"] == whole["digest"]
    assert {file.name: file.stat().st_mtime_ns for file in (run / "trials").iterdir()} == written
    tables = [[{**trial, "timings": None} for trial in found["figures"]["trials"]] for found in (whole, resumed)]
    assert tables[0] == tables[1]
    assert nested(tmp_path, run.name) == ["0", "1", "2", "3"]

    refused = start(tmp_path, "--resume", "--set", "seed=1")
    output, _ = refused.communicate(timeout=60)
    rule = "--resume: takes table, configuration and environment from the run"
    assert (refused.returncode, rule in output) == (2, True)
    again = start(tmp_path, "--resume")
    output, _ = again.communicate(timeout=60)
    assert (again.returncode, "there is no unfinished training run" in output) == (2, True)


def nested(workspace: Path, name: str) -> list[str]:
    """Trial numbers of the nested runs of the one run of that name."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{workspace / 'mlflow' / 'mlflow.db'}")
    experiments = [experiment.experiment_id for experiment in client.search_experiments()]
    (parent,) = client.search_runs(experiments, f"attributes.run_name = '{name}'")
    assert parent.info.status == "FINISHED"
    runs = client.search_runs(experiments, f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    return sorted(run.data.tags["trial"] for run in runs)
