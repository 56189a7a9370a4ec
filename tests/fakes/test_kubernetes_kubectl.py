"""The fake of the Kubernetes API, asked by kubectl: what scripts do with Secrets."""

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.kubernetes.server import Cluster, kubernetes_api

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not on this machine")
SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: first}\n"


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    with kubernetes_api(groups=("ray.io",)) as found:
        yield found


def kubectl(cluster: Cluster, tmp_path: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    places = ["--kubeconfig", str(cluster.kubeconfig(namespace="ml-dev")), "--cache-dir", str(tmp_path)]
    return subprocess.run(["kubectl", *places, *words], input=stdin, capture_output=True, text=True, check=False)


def test_a_secret_is_applied_and_applied_again_and_read(cluster: Cluster, tmp_path: Path) -> None:
    for _ in range(2):
        done = kubectl(cluster, tmp_path, "apply", "--server-side", "-f", "-", stdin=SECRET)
        assert (done.returncode, done.stdout) == (0, "secret/s serverside-applied\n"), done.stderr
    found = kubectl(cluster, tmp_path, "get", "secret", "s", "-o", "jsonpath={.data.password}")
    assert base64.b64decode(found.stdout) == b"first"


def test_the_value_of_another_manager_is_not_overwritten(cluster: Cluster, tmp_path: Path) -> None:
    apply = ("apply", "--server-side", "--field-manager")
    assert kubectl(cluster, tmp_path, *apply, "one", "-f", "-", stdin=SECRET.replace("s}", "t}")).returncode == 0
    other = SECRET.replace("s}", "t}").replace("first", "second")
    done = kubectl(cluster, tmp_path, *apply, "two", "-f", "-", stdin=other)
    assert (done.returncode, 'conflict with "one": .data.password' in done.stderr) == (1, True)


def test_what_is_not_there_is_told(cluster: Cluster, tmp_path: Path) -> None:
    done = kubectl(cluster, tmp_path, "get", "secret", "none")
    assert (done.returncode, done.stderr) == (1, 'Error from server (NotFound): secrets "none" not found\n')
    assert kubectl(cluster, tmp_path, "get", "secret", "none", "--ignore-not-found").returncode == 0


def test_objects_are_listed_deleted_and_waited_for(cluster: Cluster, tmp_path: Path) -> None:
    kubectl(cluster, tmp_path, "apply", "--server-side", "-f", "-", stdin=SECRET.replace("s}", "u}"))
    listed = json.loads(kubectl(cluster, tmp_path, "get", "secrets", "-o", "json").stdout)
    assert "u" in [one["metadata"]["name"] for one in listed["items"]]
    assert kubectl(cluster, tmp_path, "delete", "secret", "u").returncode == 0
    assert kubectl(cluster, tmp_path, "wait", "--for=delete", "secret/u", "--timeout=5s").returncode == 0
