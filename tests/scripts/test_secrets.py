"""The secrets of scripts/1-config-cluster.sh on an API: made once, with the keys that manifests declare, never changed.

kubectl is the real one here; charts and waits are stubs, and the API is a fake.
"""

import base64
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.kubernetes.server import Cluster, kubernetes_api
from tests.scripts.conftest import ROOT, STUBS, Bench, filled_in

TOKEN = "ghp_example"
HOSTS = {"kind": "ConfigMap", "apiVersion": "v1", "data": {"ssh_known_hosts": "github.com ssh-ed25519 AAAA\n"}}
MANIFESTS = [*(ROOT / "manifests/base").glob("*/secret.yaml"), *(ROOT / "manifests/base/secrets").glob("[!k]*.yaml")]
Configured = tuple[Bench, Cluster]
Secrets = dict[str, dict[str, Any]]


def declared() -> dict[str, set[str]]:
    """Names of the secrets that manifests declare, each with its keys."""
    metadata = [one["metadata"] for file in MANIFESTS for one in yaml.safe_load_all(file.read_text()) if one]
    return {one["name"]: set(one["annotations"]["vigia/keys"].split(",")) for one in metadata}


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory, checkouts: Path) -> Iterator[tuple[Bench, Cluster]]:
    """A cluster that the script has been through once. Tests leave its secrets as they find them."""
    with cluster() as api:
        bench = leading_to(api, filled_in(tmp_path_factory.mktemp("bench"), checkouts))
        configure(bench)
        yield bench, api


@contextmanager
def cluster() -> Iterator[Cluster]:
    """An API as it is once Argo CD is installed."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    with kubernetes_api(["default", "argocd"]) as api:
        api.fake.make(HOSTS | {"metadata": {"name": "argocd-ssh-known-hosts-cm", "namespace": "argocd"}})
        yield api


def leading_to(api: Cluster, bench: Bench) -> Bench:
    """With the real kubectl, and both deploy keys."""
    bench.stub("kubectl", STUBS / "real-kubectl")
    bench.environment |= {"KUBECONFIG": str(api.kubeconfig()), "REAL_KUBECTL": str(shutil.which("kubectl"))}
    (bench.home / ".ssh/vigia_git_rsa").write_text("PRIVATE-KEY-OF-GIT\n")
    return bench


def configure(bench: Bench) -> str:
    """What the script says."""
    done = bench.run("1-config-cluster.sh", "--context", "fake", GITHUB_TOKEN=TOKEN)
    assert done.returncode == 0, done.stderr
    return done.stderr


def secrets(api: Cluster) -> Secrets:
    """Every secret of the cluster by namespace/name."""
    kind = api.fake.kind("v1", "Secret")
    return {f"{one['metadata']['namespace']}/{one['metadata']['name']}": one for one in api.fake.store.list(kind, "")}


def data(api: Cluster) -> dict[str, dict[str, str]]:
    """Values of every secret, decoded."""
    found = secrets(api)
    return {name: {k: base64.b64decode(v).decode() for k, v in one["data"].items()} for name, one in found.items()}


def apply(bench: Bench, *arguments: str) -> None:
    """The manifests that declare secrets, in ml-dev, by the real kubectl."""
    files = [word for file in MANIFESTS for word in ("--filename", str(file))]
    command = [str(shutil.which("kubectl")), "apply", "--namespace", "ml-dev", *arguments, *files]
    subprocess.run(command, env=bench.environment, check=True, capture_output=True)


def test_every_declared_secret_gets_exactly_its_keys(configured: Configured) -> None:
    made = data(configured[1])
    ours = {name.removeprefix("ml-dev/"): set(keys) for name, keys in made.items() if name.startswith("ml-dev/")}
    assert ours == declared() | {"ghcr-secret": {".dockerconfigjson"}}
    assert {name for name in made if not name.startswith("ml-dev/")} == {
        "argocd/repo-anomaly-detection-system-ssh",
        "monitoring/alertmanager-receiver",
        "monitoring/grafana-admin",
    }


def test_values_are_long_random_and_each_its_own(configured: Configured) -> None:
    made = data(configured[1])
    drawn = [made["ml-dev/postgresql-mlflow-secret"]["POSTGRES_PASSWORD"], made["ml-dev/ray-auth-token"]["auth_token"]]
    drawn += [keys["AWS_SECRET_ACCESS_KEY"] for keys in made.values() if "AWS_SECRET_ACCESS_KEY" in keys]
    assert all(len(value) == 48 for value in drawn)
    assert len(set(drawn)) == len(drawn) == 7
    assert re.fullmatch("register-[0-9a-f]{16}", made["ml-dev/mlflow-secret"]["AWS_ACCESS_KEY_ID"])


def test_argo_cd_finds_the_repository_by_its_label(configured: Configured) -> None:
    found = secrets(configured[1])["argocd/repo-anomaly-detection-system-ssh"]
    assert found["metadata"]["labels"] == {"argocd.argoproj.io/secret-type": "repository"}
    values = data(configured[1])["argocd/repo-anomaly-detection-system-ssh"]
    assert values["url"] == "git@github.com:Acme/anomaly-detection-system.git"
    assert values["sshPrivateKey"] == "PRIVATE-KEY-OF-ARGOCD\n"


def test_the_pull_secret_is_of_the_type_that_kubelet_reads(configured: Configured) -> None:
    assert secrets(configured[1])["ml-dev/ghcr-secret"]["type"] == "kubernetes.io/dockerconfigjson"
    auths = json.loads(data(configured[1])["ml-dev/ghcr-secret"][".dockerconfigjson"])["auths"]
    assert base64.b64decode(auths["ghcr.io"]["auth"]).decode() == f"acme:{TOKEN}"


def test_a_second_run_leaves_every_value_as_it_is(configured: Configured) -> None:
    bench, api = configured
    before = secrets(api)
    said = configure(bench)
    assert secrets(api) == before
    assert said.count("stands as it is") == len(before)


@pytest.mark.parametrize("way", [("--server-side",), ()], ids=["server-side", "client-side"])
def test_applying_the_manifests_twice_leaves_every_value(configured: Configured, way: tuple[str, ...]) -> None:
    bench, api = configured
    before = data(api)
    apply(bench, *way)
    apply(bench, *way)
    assert data(api) == before
    assert (
        "argocd.argoproj.io/sync-options" in secrets(api)["ml-dev/postgresql-mlflow-secret"]["metadata"]["annotations"]
    )


def test_an_api_that_does_not_answer_makes_no_new_values(configured: Configured) -> None:
    bench, api = configured
    before = secrets(api)
    done = bench.run("1-config-cluster.sh", "--context", "fake", KUBECONFIG=str(api.folder / "none"))
    assert done.returncode == 2
    assert secrets(api) == before


def test_secrets_that_git_declared_first_get_their_values_afterwards(bench: Bench) -> None:
    with cluster() as api:
        leading_to(api, bench)
        api.fake.make({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "ml-dev"}})
        apply(bench, "--server-side")
        assert "data" not in secrets(api)["ml-dev/minio-mlflow-secret"]
        configure(bench)
        assert set(data(api)["ml-dev/minio-mlflow-secret"]) == {"MINIO_ROOT_USER", "MINIO_ROOT_PASSWORD"}
