"""The loop on a real cluster: submit, promote, verify, predict, rollback. `make test-cluster`.

It needs a kubeconfig ($KUBECONFIG or ~/.kube/config) that leads to a cluster with KubeRay and the manifests of this
repository, and what every command for that cluster needs: registry and store within reach, a repository it may push to.
VIGIA_TEST_ENV names the environment (minikube), VIGIA_TEST_ENVIRONMENTS the file that describes it. It commits three
times to that environment's branch and leaves the cluster with the first of its two versions.
"""

import json
import os
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from flows.config.environments import EnvironmentConfig, load_environment

ROOT = Path(__file__).parents[2]
SMALL = ("--set", "search.trials=4", "--set", "search.families=[isolation_forest]")
ROW = [float(number) for number in range(1, 11)]

pytestmark = [pytest.mark.cluster, pytest.mark.timeout(7200)]


@dataclass(frozen=True)
class Place:
    """An environment on a cluster, and a workspace for this run."""

    name: str
    file: Path
    settings: EnvironmentConfig
    folder: Path

    def vigia(self, *words: str) -> dict[str, Any]:
        """The summary of a command that must succeed."""
        summary = self.folder / "summary.json"
        places = ["--env", self.name, "--environments", str(self.file), "--workspace", str(self.folder / "ws")]
        command = [sys.executable, "-m", "flows", *words, *places, "--summary", str(summary)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
        found: dict[str, Any] = json.loads(summary.read_text())
        return found

    def jobs(self) -> list[str]:
        """Names of the jobs that are known."""
        return [job["name"] for job in self.vigia("jobs", "list")["figures"]["jobs"]]

    def predict(self) -> dict[str, Any]:
        """The answer to the documented call."""
        body = json.dumps({"data": [ROW]}).encode()
        headers = {"Content-Type": "application/json"}
        if (where := self.settings.tokens.probe) and where.variable:
            headers["Authorization"] = f"Bearer {os.environ[where.variable]}"
        request = urllib.request.Request(f"{self.settings.probe}/predict", body, headers)
        with urllib.request.urlopen(request, timeout=30) as response:
            answer: dict[str, Any] = json.load(response)
        return answer


@pytest.fixture
def place(tmp_path: Path) -> Place:
    files = os.environ.get("KUBECONFIG") or str(Path("~/.kube/config").expanduser())
    if not any(Path(file).is_file() for file in files.split(os.pathsep)):
        pytest.skip(f"no cluster: there is no kubeconfig at {files}")
    name = os.environ.get("VIGIA_TEST_ENV", "minikube")
    file = Path(os.environ.get("VIGIA_TEST_ENVIRONMENTS", ROOT / "configs/environments.yaml")).absolute()
    return Place(name, file, load_environment(name, file), tmp_path)


def test_two_trainings_are_promoted_verified_served_and_the_second_taken_back(place: Place) -> None:
    digests = []
    for _ in range(2):
        trained = place.vigia("submit", "train", "--wait", *SMALL)
        promoted = place.vigia("promote", "--version", trained["version"])
        assert promoted["digest"] == trained["digest"]
        verified = place.vigia("verify", "--timeout", "900", "--version", trained["version"])
        assert verified["digest"] == trained["digest"]
        assert place.predict()["model"]["digest"] == trained["digest"]
        digests.append(trained["digest"])
    place.vigia("rollback", "--reason", "the test of the cluster", "--timeout", "900")
    assert place.vigia("verify", "--timeout", "900")["digest"] == digests[0]
    assert place.predict()["model"]["digest"] == digests[0]


def test_a_job_that_is_stopped_goes(place: Place) -> None:
    name = place.vigia("submit", "train")["figures"]["job"]
    assert name in place.jobs()
    place.vigia("jobs", "stop", name)
    end = time.monotonic() + 300  # KubeRay stops the job before it lets the RayJob go
    while name in place.jobs():
        assert time.monotonic() < end
        time.sleep(5)
