"""A Ray Serve of our own on this machine: HAProxy ingress, token, loopback addresses, all in one private folder."""

import json
import logging
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

import ray
from ray import serve

from features.errors import InputError, RetryError, UnreachableError
from features.storage import write_text
from flows.adapters.processes import MARK, birth, end_marked
from flows.adapters.ray_ports import own_agent_port
from flows.adapters.replica_events import telling_events
from flows.adapters.service_record import ServiceRecord, find_record, is_alive
from flows.lease import FileLease
from flows.workspace import Workspace


@contextmanager
def service(
    workspace: Workspace, folder: Path, port: int, settings: Mapping[str, str] = MappingProxyType({})
) -> Iterator[ServiceRecord]:
    """Run Ray with Serve's REST API in ``folder``; the record stands in the workspace while it runs.

    settings: variables of Ray's processes, over those chosen here. Raises InputError where the workspace has a service,
    or is about to: that one's processes bear the same mark, and would be taken for what a dead one left.
    """
    with _alone(workspace):
        yield from _serving(workspace, folder, port, settings)


@contextmanager
def _alone(workspace: Workspace) -> Iterator[None]:
    with ExitStack() as held:
        try:
            held.enter_context(FileLease(workspace.leases / "serve").held(0))
        except UnreachableError:
            raise
        except RetryError as error:
            raise InputError("workspace", f"already has a service ({error})", str(workspace.root)) from error
        yield


def _serving(workspace: Workspace, folder: Path, port: int, settings: Mapping[str, str]) -> Iterator[ServiceRecord]:
    _clean_up_after_the_dead(workspace)
    if not _is_free(port):
        raise InputError("--port", "must be free on 127.0.0.1", port)
    (folder / "h").mkdir()
    (folder / "t").mkdir()
    os.environ.update({**_environment(folder), MARK: str(workspace.root), **settings})
    metrics_port = _free_port()
    dashboard = _start_ray(workspace, folder, metrics_port)
    url, metrics = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{metrics_port}/metrics"
    record = ServiceRecord(os.getpid(), f"http://{dashboard}", url, str(folder), metrics, birth(os.getpid()))
    try:
        write_text(workspace.service, json.dumps(asdict(record)))
        with telling_events(folder / "r" / "session_latest"):
            try:
                yield record
            finally:
                workspace.service.unlink(missing_ok=True)
                serve.shutdown()
    finally:
        ray.shutdown()
        end_marked(str(workspace.root))


def _start_ray(workspace: Workspace, folder: Path, metrics_port: int) -> str:
    """Host and port of its dashboard. Raises UnreachableError where it does not start; nothing is left of it then."""
    try:
        with own_agent_port():
            context = ray.init(
                address="local",
                num_cpus=4,
                num_gpus=0,
                include_dashboard=True,
                dashboard_host="127.0.0.1",
                dashboard_port=_free_port(),
                object_store_memory=100 * 2**20,
                log_to_driver=False,
                logging_level=logging.ERROR,
                namespace="serve",
                _node_ip_address="127.0.0.1",
                _metrics_export_port=metrics_port,
                _temp_dir=str(folder / "r"),
            )
    except Exception as error:  # Ray says so with a plain Exception, as on a machine too busy to start it in time
        end_marked(str(workspace.root))
        raise UnreachableError(f"Ray did not start: {str(error).splitlines()[0]}") from error
    return str(context.dashboard_url)


def _environment(folder: Path) -> dict[str, str]:
    low, high = _free_range(64)
    proxy = {
        "BINARY_PATH": Path(sys.executable).parent / "vigia-haproxy",
        "CONFIG_FILE_LOC": folder / "h/c",  # one letter each: socket paths are limited and Ray adds a node id
        "SOCKET_PATH": folder / "h/a",
        "SERVER_STATE_BASE": folder / "h",
        "SERVER_STATE_FILE": folder / "h/s",
        "METRICS_SOCKET_PATH": folder / "h/m",
        "LOG_TARGET": folder / "h/nolog",
        "METRICS_PORT": _free_port(),
        "STATS_PORT": _free_port(),
        "METRICS_ENABLED": 0,
        "NBTHREAD": 1,
        "HARD_STOP_AFTER_S": 5,
        "BROADCAST_COALESCE_S": 1,  # longer than a replica is counted out while it is given a bundle: docs/serving.md
    }
    return {f"RAY_SERVE_HAPROXY_{name}": str(value) for name, value in proxy.items()} | {
        "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",  # else 127.0.0.1 is replaced by the machine's address
        "RAY_SERVE_ENABLE_HA_PROXY": "1",
        "RAY_SERVE_THROUGHPUT_OPTIMIZED": "1",
        "RAY_SERVE_LOG_TO_STDERR": "1",
        "RAY_SERVE_FALLBACK_PROXY_HTTP_PORT": str(_free_port()),
        "RAY_SERVE_DIRECT_INGRESS_MIN_HTTP_PORT": str(low),
        "RAY_SERVE_DIRECT_INGRESS_MAX_HTTP_PORT": str(high),
        "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",  # HAProxy hears of it within 1 s
        "AUTOSCALER_METRIC_PORT": str(_free_port()),
        "DASHBOARD_METRIC_PORT": str(_free_port()),
        "TMPDIR": str(folder / "t"),
    }


def _clean_up_after_the_dead(workspace: Workspace) -> None:
    """Refuse a second service; end what a killed one left behind, an HAProxy that holds the port above all."""
    record = find_record(workspace)
    if record is not None and is_alive(record):
        raise InputError("workspace", f"already has a running service (pid {record.pid})", record.url)
    end_marked(str(workspace.root))
    if record is not None:
        shutil.rmtree(record.folder, ignore_errors=True)
    workspace.service.unlink(missing_ok=True)


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _free_range(count: int) -> tuple[int, int]:
    """Neighbouring free ports below the ephemeral range."""
    for low in range(20_000 + os.getpid() % 100 * 80, 32_000 - count, count):
        if all(_is_free(port) for port in range(low, low + count)):
            return low, low + count - 1
    raise UnreachableError(f"no {count} neighbouring ports are free between 20000 and 32000")
