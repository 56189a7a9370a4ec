"""Where the conformance list is asked."""

import os
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from kubernetes import client, config

from tests.fakes.conformance_place import Place
from tests.fakes.kubernetes.server import kubernetes_api


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    real = os.environ.get("VIGIA_TEST_KUBECONFIG")
    if not real:
        with kubernetes_api() as cluster:
            yield Place(config.new_client_from_config(str(cluster.kubeconfig())), "ml-dev", cluster)
        return
    if not Path(real).is_file():
        pytest.skip(f"no cluster: there is no kubeconfig at {real}")
    api, name = config.new_client_from_config(real), f"vigia-conformance-{uuid.uuid4().hex[:8]}"
    core = client.CoreV1Api(api)
    core.create_namespace({"metadata": {"name": name}})
    yield Place(api, name, None)
    core.delete_namespace(name)
