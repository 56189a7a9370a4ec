"""Minikube's RayService, started by its own parameters on a real Ray of two nodes, without a cluster."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.manifests.overlays import ROOT
from tests.manifests.ray.test_rayservice import environment, head, worker
from tests.manifests.ray.test_serve_configs import config
from tests.serving.service import publish

_ALONE = ("unshare", "-Urmn", "--pid", "--fork", "--kill-child", "--mount-proc")
_BIN = Path(sys.executable).parent
_HERE = Path(__file__).parent


def starting(group: dict[str, Any], first: list[str]) -> str:
    """What a Ray container runs: KubeRay makes a flag of each rayStartParam."""
    told = environment(group) | {
        "RAY_AUTH_MODE": "token",
        "RAY_AUTH_TOKEN": "a" * 64,
        "PATH": f"{_BIN}:/usr/sbin:/usr/bin:/sbin:/bin",
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": str(_BIN / "vigia-haproxy"),
    }
    flags = [f"--{name}={value}" for name, value in group["rayStartParams"].items()]
    lines = [f"export {name}={shlex.quote(value)}" for name, value in told.items()]
    return "\n".join([*lines, shlex.join(["ray", "start", *first, *flags]), ""])


@pytest.mark.slow
def test_requests_and_readiness_are_the_workers(tmp_path: Path) -> None:
    if (
        ROOT.is_relative_to("/tmp")
        or subprocess.run([*_ALONE, "ip", "link"], capture_output=True, check=False).returncode
    ):
        pytest.skip("needs user namespaces, iproute2, and a checkout outside of /tmp")
    bundle = publish(tmp_path / "store")
    served = config("minikube")
    deployment = served["applications"][0]["deployments"][0]
    served["applications"][0]["args"].pop("store")
    deployment["user_config"]["log"] = {"uri": "file:///tmp/predictions"}
    uri = f"file:///mnt/store/{bundle.digest}"
    deployment["user_config"]["bundle"] = {"uri": uri, "digest": bundle.digest, "model": "m", "version": "1"}
    (tmp_path / "serve.json").write_text(json.dumps(served))
    (tmp_path / "head.sh").write_text(starting(head("minikube"), ["--head", "--node-ip-address=10.9.0.1"]))
    joining = ["--address=10.9.0.1:6379", "--node-ip-address=10.9.0.2"]
    (tmp_path / "worker.sh").write_text(starting(worker("minikube"), joining))
    command = [*_ALONE, "bash", str(_HERE / "two_nodes.sh"), str(tmp_path), sys.executable]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    before, serving, drained = map(json.loads, done.stdout.splitlines())
    assert before["agent"] == {"head": 200, "worker": 200}
    assert before["worker"]["/-/healthz"] == 0
    assert serving["replicas"] == ["10.9.0.2"]
    assert [serving[node]["/ready"] for node in ("head", "worker")] == [200, 200]
    assert serving["worker"]["/-/healthz"] == 200
    assert drained["worker"]["/-/healthz"] == 503
