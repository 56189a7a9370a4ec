"""The RayService as KubeRay gets it."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.manifests.checking.quantities import quantity
from tests.manifests.overlays import find

OVERLAYS = ("minikube", "aws")
MESH = "traffic.sidecar.istio.io/"


def service(overlay: str) -> dict[str, Any]:
    found: dict[str, Any] = find(overlay, "RayService", "anomaly-detector")["spec"]
    return found


def cluster(overlay: str) -> dict[str, Any]:
    found: dict[str, Any] = service(overlay)["rayClusterConfig"]
    return found


def head(overlay: str) -> dict[str, Any]:
    found: dict[str, Any] = cluster(overlay)["headGroupSpec"]
    return found


def worker(overlay: str) -> dict[str, Any]:
    (found,) = cluster(overlay)["workerGroupSpecs"]
    assert isinstance(found, dict)
    return found


def container(group: dict[str, Any]) -> dict[str, Any]:
    (found,) = group["template"]["spec"]["containers"]
    assert isinstance(found, dict)
    return found


def environment(group: dict[str, Any]) -> dict[str, str]:
    return {one["name"]: one.get("value", "") for one in container(group)["env"]}


pytestmark = pytest.mark.parametrize("overlay", OVERLAYS)


def test_the_head_does_no_work_and_takes_no_requests(overlay: str) -> None:
    assert service(overlay)["excludeHeadPodFromServeSvc"] is True
    assert head(overlay)["rayStartParams"]["num-cpus"] == "0"


def test_requests_pass_haproxy_on_every_node(overlay: str) -> None:
    wanted = {
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_LOG_TO_STDERR": "1",
        "RAY_SERVE_HAPROXY_BINARY_PATH": "/opt/vigia/bin/vigia-haproxy",
    }
    for group in (head(overlay), worker(overlay)):
        assert environment(group).items() >= wanted.items()


def test_ray_serve_reads_every_variable_that_is_set(overlay: str) -> None:
    ray = find_spec("ray")
    assert ray
    assert ray.origin
    known = Path(ray.origin).with_name("serve").joinpath("_private/constants.py").read_text()
    names = {name for name in environment(worker(overlay)) if name.startswith("RAY_SERVE_")}
    assert len(names) > 5
    assert {name for name in names if f'"{name}"' not in known} == set()


def test_every_port_that_ray_would_choose_is_fixed(overlay: str) -> None:
    for group in (head(overlay), worker(overlay)):
        told = group["rayStartParams"]
        fixed = ["node-manager-port", "object-manager-port", "runtime-env-agent-port", "dashboard-agent-grpc-port"]
        ports = [told[name] for name in (*fixed, "dashboard-agent-listen-port", "metrics-export-port")]
        assert len({*ports}) == len(ports)
        assert int(told["max-worker-port"]) - int(told["min-worker-port"]) == 99
        said = environment(group)
        for kind in ("HTTP", "GRPC"):
            low, high = (int(said[f"RAY_SERVE_DIRECT_INGRESS_{end}_{kind}_PORT"]) for end in ("MIN", "MAX"))
            assert 0 < high - low < 100


def test_a_token_guards_ray(overlay: str) -> None:
    assert cluster(overlay)["authOptions"] == {"mode": "token", "secretName": "ray-auth-token"}


def test_the_mesh_sees_requests_and_the_store_alone(overlay: str) -> None:
    told = worker(overlay)["template"]["metadata"]["annotations"]
    assert told[f"{MESH}includeInboundPorts"] == "8000"
    assert told[f"{MESH}includeOutboundIPRanges"] == ""
    assert told[f"{MESH}includeOutboundPorts"] == "9000"
    assert worker(overlay)["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] == "true"
    assert head(overlay)["template"]["metadata"]["labels"]["sidecar.istio.io/inject"] == "false"


def test_a_worker_is_ready_when_its_haproxy_is_and_no_probe_needs_a_shell(overlay: str) -> None:
    assert container(worker(overlay))["readinessProbe"]["httpGet"] == {"path": "/-/healthz", "port": 8000}
    for group in (head(overlay), worker(overlay)):
        probes = [container(group)[name] for name in ("startupProbe", "livenessProbe", "readinessProbe")]
        assert all("httpGet" in probe for probe in probes)


def test_a_worker_that_ends_has_time_to_finish_what_it_began(overlay: str) -> None:
    spec = worker(overlay)["template"]["spec"]
    command, seconds = container(worker(overlay))["lifecycle"]["preStop"]["exec"]["command"]
    assert command == "sleep"
    assert spec["terminationGracePeriodSeconds"] >= int(seconds) + 45  # of Serve's graceful_shutdown_timeout_s


def test_shared_memory_is_memory_within_the_limit_and_holds_the_object_store(overlay: str) -> None:
    for group in (head(overlay), worker(overlay)):
        volumes = {one["name"]: one["emptyDir"] for one in group["template"]["spec"]["volumes"] if "emptyDir" in one}
        mounts = {one["mountPath"]: one["name"] for one in container(group)["volumeMounts"]}
        shm = volumes[mounts["/dev/shm"]]
        assert shm["medium"] == "Memory"
        store = int(group["rayStartParams"]["object-store-memory"])
        assert store <= quantity(shm["sizeLimit"]) < quantity(container(group)["resources"]["limits"]["memory"])
        assert {"/tmp", "/tmp/ray"} <= mounts.keys()


def test_only_the_autoscaler_holds_a_token_of_kubernetes(overlay: str) -> None:
    mounted = [one["name"] for group in (head(overlay), worker(overlay)) for one in container(group)["volumeMounts"]]
    assert "autoscaler-token" not in mounted
    for group in (head(overlay), worker(overlay)):
        assert group["template"]["spec"]["automountServiceAccountToken"] is False
    options = cluster(overlay).get("autoscalerOptions", {})
    assert cluster(overlay)["enableInTreeAutoscaling"] == ("autoscaler-token" in str(options.get("volumeMounts")))


def test_the_port_forward_service_leads_to_the_head(overlay: str) -> None:
    found = find(overlay, "Service", "ray-serve")["spec"]
    assert found["selector"].items() <= head(overlay)["template"]["metadata"]["labels"].items()
    assert [port["port"] for port in found["ports"]] == [8265, 8000]


def test_a_drain_leaves_a_worker_and_takes_any_head(overlay: str) -> None:
    found = find(overlay, "PodDisruptionBudget", "serve-workers")["spec"]
    assert found["minAvailable"] == 1  # KubeRay's pods have no scale subresource, which maxUnavailable needs
    assert found["selector"]["matchLabels"] == {"vigia/role": "serve-worker"}


def test_settings_that_kuberay_ignores_by_now_are_not_there(overlay: str) -> None:
    assert not {"serviceUnhealthySecondThreshold", "deploymentUnhealthySecondThreshold"} & service(overlay).keys()
    assert "serveConfigV2" in service(overlay)
