"""Logs of Ray's processes: files on a volume with a limit, past which the kubelet evicts the pod."""

import pytest

from tests.manifests.checking.pod import Pod
from tests.manifests.checking.pods import pods
from tests.manifests.checking.quantities import quantity
from tests.manifests.checking.rendering import rendered

FILES = 40
"""Logs of one node at most: of GCS, raylet, agents, dashboard, autoscaler, Serve, drivers and workers."""


def nodes(overlay: str) -> list[Pod]:
    """Pods of Ray's nodes that stay."""
    return [pod for pod in pods(rendered(overlay)) if pod.ray and pod.owner.kind in ("RayService", "RayCluster")]


@pytest.mark.parametrize("overlay", ["minikube", "aws"])
def test_logs_of_a_node_that_stays_are_rotated_within_their_volume(overlay: str) -> None:
    assert len(nodes(overlay)) == 4
    for pod in nodes(overlay):
        volumes = {volume["name"]: volume for volume in pod.spec["volumes"]}
        limit = quantity(volumes["ray-logs"]["emptyDir"]["sizeLimit"])
        for container in pod.spec["containers"]:
            said = {one["name"]: one.get("value", "") for one in container["env"]}
            size, more = int(said["RAY_ROTATION_MAX_BYTES"]), int(said["RAY_ROTATION_BACKUP_COUNT"])
            assert FILES * size * (1 + more) <= limit, f"{pod.path} {container['name']}"
