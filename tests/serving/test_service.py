"""The application on a real Ray Serve, with bundle and prediction log in S3 and a real Prometheus; in order."""

import json
import re
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pyarrow.fs as fs
import pytest
import yaml

from serving.settings import BundleRef
from tests.fakes.s3 import make_bucket
from tests.load.processes import free_port
from tests.load.ray_service import RayService, Setup, running
from tests.load.store import Store, store
from tests.load.swap import bundles_in
from tests.manifests.monitoring.expressions import expressions, metrics
from tests.manifests.monitoring.files import RULES as RULE_FILES
from tests.manifests.monitoring.files import boards, recorded, rules
from tests.serving.service import Answer
from tests.system import require_program

pytestmark = pytest.mark.slow
RULES = Path(__file__).parents[2] / "manifests" / "base" / "monitoring" / "prometheus-rules.yaml"
ROW = [5.0, 5.0, 5.0]
TIGHT = {
    "max_ongoing_requests": 2,
    "max_queued_requests": 4,
    "backpressure_config": {"retry_after_s": 1},
    "graceful_shutdown_timeout_s": 10,
}


@dataclass(frozen=True)
class Scene:
    """A service, its store, and how its prediction log is configured."""

    service: RayService
    store: Store
    bundle: BundleRef
    log: dict[str, Any]

    @property
    def metrics(self) -> str:
        """The node's address for Prometheus."""
        record = json.loads((self.service.log.parent / "w" / "service.json").read_text())
        return str(record["metrics"])

    def post(self, body: Any, **headers: str) -> Answer:
        """One call of /predict; an answer of any status."""
        sent = {"Content-Type": "application/json", **{name.replace("_", "-"): text for name, text in headers.items()}}
        request = urllib.request.Request(f"{self.service.api.url}/predict", json.dumps(body).encode(), sent)
        try:
            with urllib.request.urlopen(request, timeout=30) as found:
                return Answer(found.status, found.read(), dict(found.headers.items()))
        except urllib.error.HTTPError as error:
            return Answer(error.code, error.read(), dict(error.headers.items()))


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        place = stack.enter_context(store())
        for name, value in place.environment.items():
            patch.setenv(name, value)
        (bundle,) = bundles_in(place, tmp_path_factory.mktemp("bundles"), 1)
        log = {"uri": f"s3://{place.bucket}/predictions", "flush_s": 3600}
        service = stack.enter_context(running(Setup(bundle, user={"log": log}, deployment=TIGHT)))
        yield Scene(service, place, bundle, log)


def wait_for(condition: Callable[[], Any], timeout_s: float = 60) -> Any:
    end = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < end
        time.sleep(0.5)
    return found


def test_a_bundle_is_loaded_from_s3_and_answers_with_the_request_id(scene: Scene) -> None:
    answer = scene.post({"data": [ROW, [50, -50, 50]]}, X_Request_ID="mine")
    assert (answer.status, answer.headers["x-request-id"]) == (200, "mine")
    assert answer.json["model"]["digest"] == scene.bundle.digest
    assert answer.json["alerts"] == [False, True]


def test_events_are_lines_of_json_on_the_service_s_stderr(scene: Scene) -> None:
    lines = wait_for(lambda: [line for line in scene.service.log.read_text().splitlines() if line.startswith("{")])
    events = {found["event"]: found for found in map(json.loads, lines)}
    assert events["serving"]["digest"] == scene.bundle.digest
    assert events["serving"]["replica"] == events["replica_starts"]["replica"]


def test_haproxy_listens_for_requests_on_this_machine_alone(scene: Scene) -> None:
    shown = subprocess.run([require_program("ss", "iproute2"), "-ltnp"], capture_output=True, text=True, check=True)
    addresses = {line.split()[3] for line in shown.stdout.splitlines() if '"haproxy"' in line}
    assert scene.service.api.url.removeprefix("http://") in addresses
    assert all(address.startswith("127.0.0.1:") for address in addresses)


def test_haproxy_goes_on_sending_requests_to_a_replica_that_is_given_a_configuration(scene: Scene) -> None:
    (file,) = scene.service.log.parent.glob("h/*/c")
    wait_for(lambda: "server SERVE_REPLICA_" in file.read_text())
    seen = set()
    for sample in (0.5, 1.0, 0.5, 1.0):
        scene.service.apply(Setup(scene.bundle, user={"log": scene.log | {"sample": sample}}, deployment=TIGHT))
        end = time.monotonic() + 3
        while time.monotonic() < end:
            seen.add(file.read_text())
            time.sleep(0.005)
    found = {"server SERVE_REPLICA_" in text for text in seen if "server SERVE_PROXY_ACTOR-fallback-" in text}
    assert found == {True}  # the proxy stands in for a replica that cannot be reached, last in the file


def test_a_full_queue_answers_503_with_a_time_to_come_back_and_then_all_is_well(scene: Scene) -> None:
    body = {"data": [ROW] * 10_000}
    with ThreadPoolExecutor(24) as clients:
        answers = list(clients.map(lambda _: scene.post(body), range(48)))
    assert {answer.status for answer in answers} == {200, 503}
    refused = [answer for answer in answers if answer.status == 503]
    assert {answer.headers["retry-after"] for answer in refused} == {"1"}
    assert scene.post({"data": [ROW]}).status == 200


@pytest.fixture(scope="module")
def prometheus(scene: Scene, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that scrapes the service and reads the cluster's rules; its address."""
    program, port = require_program("prometheus", "prometheus"), free_port()
    folder = tmp_path_factory.mktemp("prometheus")
    (folder / "rules.yaml").write_text(yaml.safe_dump(yaml.safe_load(RULES.read_text())["spec"]))
    target = urllib.parse.urlsplit(scene.metrics).netloc
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yaml"],
        "scrape_configs": [{"job_name": "ray", "static_configs": [{"targets": [target]}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{port}"
    command = [program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"]
    process = subprocess.Popen([*command, f"--web.listen-address={address}"], stderr=subprocess.DEVNULL)
    yield f"http://{address}"
    process.kill()
    process.wait()


def ask(prometheus: str, query: str) -> list[tuple[dict[str, str], float]]:
    try:
        with urllib.request.urlopen(f"{prometheus}/api/v1/query?query={urllib.parse.quote(query)}", timeout=5) as found:
            result = json.load(found)["data"]["result"]
    except OSError:  # starting
        return []
    return [(series["metric"], float(series["value"][1])) for series in result]


@pytest.mark.parametrize(
    "query",
    [
        "ray_serve_deployment_request_counter",
        "ray_serve_deployment_processing_latency_ms > 0",
        "ray_cluster_active_nodes",
    ],
)
def test_the_documented_queries_return_data(scene: Scene, prometheus: str, query: str) -> None:
    def found() -> list[tuple[dict[str, str], float]]:
        scene.post({"data": [ROW]})
        return ask(prometheus, query)

    assert all(value > 0 for _, value in wait_for(found))


def test_our_metrics_reach_prometheus_with_application_and_replica(scene: Scene, prometheus: str) -> None:
    (answered,) = [
        value
        for labels, value in wait_for(lambda: ask(prometheus, 'ray_vigia_requests_total{path="/predict",status="200"}'))
        if labels["application"] == "anomaly-detector" and labels["replica"]
    ]
    assert answered >= 1
    for name in ("rows", "alert_rows", "load_failures", "log_rows"):
        assert ask(prometheus, f"ray_vigia_{name}_total")
    assert [value for _, value in ask(prometheus, "ray_vigia_desired_is_served")] == [1.0]
    assert all(0 < value < 1 for _, value in ask(prometheus, "ray_vigia_expected_alert_share"))
    assert [labels["digest"] for labels, _ in ask(prometheus, "ray_vigia_bundle_info")] == [scene.bundle.digest]
    bounds = {labels["le"] for labels, _ in ask(prometheus, "ray_vigia_request_seconds_bucket_total")}
    assert {"0.001", "0.1", "+Inf"} <= bounds
    quantile = "histogram_quantile(0.99, sum by (le) (rate(ray_vigia_request_seconds_bucket_total[1m])))"
    assert wait_for(lambda: [value for _, value in ask(prometheus, quantile) if value > 0])


def test_the_node_exports_every_metric_of_ray_that_rules_and_dashboards_read(scene: Scene) -> None:
    with urllib.request.urlopen(scene.metrics, timeout=30) as answer:
        there = set(re.findall(r"^[a-z]\w*", answer.read().decode(), re.MULTILINE))
    queries = [rule["expr"] for file in RULE_FILES for rule in rules(file)]
    queries += [query for board in boards().values() for query in expressions(board)]
    read = {name for query in queries for name in metrics(query) if name.startswith("ray_")} - recorded()
    assert len(read) > 20
    assert read <= there


def test_what_was_answered_is_in_the_log_after_the_service_ended(scene: Scene) -> None:
    ids = [f"last-{number}" for number in range(20)]
    for name in ids:
        assert scene.post({"data": [ROW] * 3}, X_Request_ID=name).status == 200
    place = make_bucket(scene.store.endpoint, scene.store.bucket)
    assert scene.post({"data": [[1]]}, X_Request_ID="last-refused").status == 422
    assert not any(name.startswith("last-") for name in _logged(place, scene.store.bucket)["request_id"].to_pylist())
    scene.service.stop()  # long before the next file is due
    rows = _logged(place, scene.store.bucket)
    last = [row for row in rows.to_pylist() if row["request_id"].startswith("last-")]
    assert sorted({row["request_id"] for row in last}) == sorted(ids)
    assert len(last) == 60
    ended = json.loads(re.findall(r'^\{"event": "replica_ends".*$', scene.service.log.read_text(), re.MULTILINE)[0])
    assert (ended["written"], ended["waiting"]) == (len(rows), 0)


def _logged(place: fs.FileSystem, bucket: str) -> Any:
    selector = fs.FileSelector(f"{bucket}/predictions", recursive=True, allow_not_found=True)
    files = [entry.path for entry in place.get_file_info(selector) if entry.is_file]
    assert all(re.search(r"/date=\d{4}-\d\d-\d\d/hour=\d\d/\w+-\d{6}\.parquet$", name) for name in files)
    return ds.dataset(files, filesystem=place, format="parquet").to_table()
