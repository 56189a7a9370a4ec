"""A cluster for the tests of this folder: the fake of the Kubernetes API, with its troubles gone before each test."""

from collections.abc import Iterator

import pytest

from flows.adapters.kubernetes_api import KubernetesApi
from flows.adapters.kubernetes_client import connect
from tests.fakes.kubernetes.api import Troubles
from tests.fakes.kubernetes.server import Cluster, kubernetes_api


@pytest.fixture(scope="module")
def running() -> Iterator[Cluster]:
    with kubernetes_api() as cluster:
        yield cluster


@pytest.fixture
def cluster(running: Cluster) -> Cluster:
    running.fake.troubles = Troubles()
    return running


@pytest.fixture
def api(cluster: Cluster) -> KubernetesApi:
    return api_of(cluster)


def api_of(cluster: Cluster, timeout_s: float = 5.0, **kubeconfig: str) -> KubernetesApi:
    """The door to a cluster, through a kubeconfig."""
    client = connect(None, {"KUBECONFIG": str(cluster.kubeconfig(**kubeconfig))})
    return KubernetesApi(client, "ml-dev", timeout_s)
