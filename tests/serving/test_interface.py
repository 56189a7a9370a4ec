"""What holds for every path: errors, request ids, the description, metrics and pages."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from referencing import Registry, Resource

from serving.endpoints import ENDPOINTS
from serving.failure import Failure, Kind
from serving.holder import Holder
from serving.settings import BundleRef, Limits
from tests.serving.service import Answer, Service, publish, serve

MAX_BODY = Limits().body_bytes

REFUSED = [
    ("POST", "/predict", b"{", {}, 400),
    ("GET", "/nowhere", b"", {}, 404),
    ("DELETE", "/predict", b"", {}, 405),
    ("POST", "/model", b"", {}, 405),
    ("POST", "/predict", b" " * (MAX_BODY + 1), {}, 413),
    ("POST", "/predict", b"", {"content_length": str(MAX_BODY + 1)}, 413),
    ("POST", "/predict", b"", {"content_length": "9" * 5_000}, 413),
    ("POST", "/predict", b"x", {"content_type": "text/plain"}, 415),
    ("POST", "/predict", b'{"data": [[1]]}', {}, 422),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), REFUSED)
def test_there_is_one_error_shape(
    forest: Service, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = forest.call(method, path, body, **headers)
    assert answer.status == status
    assert set(answer.json) == {"code", "message", "field", "request_id"}
    assert (answer.json["code"], answer.json["request_id"]) == (status, answer.headers["x-request-id"])


def test_405_says_what_is_allowed(forest: Service) -> None:
    assert forest.call("GET", "/predict").headers["allow"] == "POST"
    assert forest.call("POST", "/model").headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("given", ["r1", "0af7651916cd43dd8448eb211c80319c", "a.b:c-d_e"])
def test_a_request_id_is_taken_and_returned(forest: Service, given: str) -> None:
    assert forest.call("GET", "/health", x_request_id=given).headers["x-request-id"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "ä", "x" * 129, "a\r\nb"])
def test_without_a_usable_request_id_one_is_made(forest: Service, given: str | None) -> None:
    headers = {} if given is None else {"x_request_id": given}
    ids = {forest.call("GET", "/health", **headers).headers["x-request-id"] for _ in range(2)}
    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f]{32}", found) for found in ids)


def test_head_answers_as_get_without_a_body(forest: Service) -> None:
    for path, (method, _) in ENDPOINTS.items():
        if method == "GET":
            found = forest.call("HEAD", path)
            assert (found.status, found.body) == (200, b"")
            assert int(found.headers["content-length"]) > 0


def test_a_failure_of_ours_is_500_in_the_same_shape(forest: Service, caplog: pytest.LogCaptureFixture) -> None:
    broken = serve(forest.ref)
    broken.served = object()  # type: ignore[assignment]
    answer = Service(broken).predict({"data": [[1, 2, 3]]})
    assert (answer.status, answer.json["message"]) == (500, "the service failed; its log has the reason")
    assert answer.json["request_id"] in caplog.text


def test_the_application_may_stand_under_a_path(forest: Service) -> None:
    under = Service(serve(forest.ref), root="/pumps")
    assert under.call("GET", "/pumps/health").status == under.call("GET", "/health").status == 200
    assert under.call("GET", "/pumps").headers["content-type"].startswith("text/html")
    assert b'href="/pumps/docs"' in under.call("GET", "/pumps/").body
    assert under.call("GET", "/openapi.json").json["servers"] == [{"url": "/pumps"}]


def test_model_has_the_schema_with_units_and_ranges_budget_history_and_digest(forest: Service) -> None:
    found = forest.call("GET", "/model").json
    assert found["schema"][0] == {"name": "a", "unit": "g", "low": 0.0, "high": 10.0}
    assert found["schema"][2] == {"name": "c", "unit": "", "low": None, "high": None}
    assert (found["strata"], found["history"], found["budget"]["kind"]) == (None, None, "row_rate")
    assert found["model"]["digest"] == found["served"] == found["desired"]


def samples(service: Service) -> dict[str, float]:
    lines = service.call("GET", "/metrics").body.decode().splitlines()
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in lines if line[0] != "#")}


def test_metrics_count_requests_rows_alerts_and_implausible_rows(forest: Service) -> None:
    service = Service(serve(forest.ref))
    service.predict({"data": [[5, 5, 5], [50, -50, 50]]})
    service.predict({"data": [[5, 5]]})
    service.call("GET", "/etc/passwd")
    found = samples(service)
    assert found['vigia_requests_total{path="/predict",status="200"}'] == 1
    assert found['vigia_requests_total{path="/predict",status="422"}'] == 1
    assert found['vigia_requests_total{path="other",status="404"}'] == 1
    assert (found["vigia_rows_total"], found["vigia_alert_rows_total"]) == (2, 1)
    assert (found["vigia_out_of_range_rows_total"], found["vigia_load_failures_total"]) == (1, 0)
    assert found["vigia_desired_is_served"] == 1
    assert found["vigia_expected_alert_share"] == service.call("GET", "/model").json["alpha"]
    assert found['vigia_request_seconds_bucket{le="+Inf"}'] == found["vigia_request_seconds_count"] == 3
    assert (found['vigia_severity_bucket{le="1.0"}'], found['vigia_severity_bucket{le="+Inf"}']) == (1, 2)
    bounds = re.findall(r'seconds_bucket{le="([\d.]+)"', service.call("GET", "/metrics").body.decode())
    assert (float(bounds[0]), float(bounds[-1])) == (0.001, 0.1)


def test_metrics_are_those_of_this_replica_and_say_so(forest: Service) -> None:
    answer = forest.call("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert answer.body.startswith(b"# The counters of this one replica")


def test_metrics_show_that_the_desired_bundle_is_not_served() -> None:
    holder = Holder()
    holder.desired = BundleRef("file:///b", "0" * 64)
    assert samples(Service(holder))["vigia_desired_is_served"] == 0


def test_before_the_first_promotion_metrics_tell_of_no_difference() -> None:
    """Else every new environment would raise an alarm that its replicas serve another bundle."""
    assert samples(Service(Holder()))["vigia_desired_is_served"] == 1


def test_the_metrics_are_read_by_a_prometheus_parser(forest: Service) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    text = forest.call("GET", "/metrics").body.decode()
    families = {family.name: family.type for family in parser.text_string_to_metric_families(text)}
    assert families["vigia_requests"] == "counter"
    assert families["vigia_request_seconds"] == "histogram"


@pytest.fixture(scope="module")
def description(forest: Service) -> Any:
    return forest.call("GET", "/openapi.json").json


def test_the_description_has_every_path_and_method(description: Any) -> None:
    assert description["openapi"].startswith("3.1.")
    found = {path: [method.upper() for method in item] for path, item in description["paths"].items()}
    assert found == {path: [method] for path, (method, _) in ENDPOINTS.items()}
    names = [operation["operationId"] for item in description["paths"].values() for operation in item.values()]
    assert len(set(names)) == len(names)


def test_every_schema_of_the_description_is_valid_and_every_reference_leads_somewhere(description: Any) -> None:
    schemas = description["components"]["schemas"]
    for schema in schemas.values():
        jsonschema.Draft202012Validator.check_schema(schema)
    references = set(re.findall(r'"\$ref": "#/components/schemas/(\w+)"', json.dumps(description)))
    assert references <= set(schemas)
    for item in description["paths"].values():
        for operation in item.values():
            assert operation["responses"]["200"]["content"]
            assert all(answer["description"] for answer in operation["responses"].values())
            assert all({"name", "in", "schema"} <= set(parameter) for parameter in operation["parameters"])


def misfits(description: Any, name: str, value: Any) -> list[str]:
    """What of a value is not as the description says."""
    registry = Registry().with_resource("urn:d", Resource.opaque(description))
    schema = {"$ref": f"urn:d#/components/schemas/{name}"}
    return [error.message for error in jsonschema.Draft202012Validator(schema, registry=registry).iter_errors(value)]


def test_answers_are_as_they_are_described(description: Any, forest: Service, autoencoder: Service) -> None:
    past = [[[1, 2, 3], [900, 2, 3]]]
    for service, body in ((forest, {"data": [[50, -50, 50]]}), (autoencoder, {"data": [[1, 2, 3]], "history": past})):
        assert misfits(description, "PredictRequest", body) == []
        assert misfits(description, "PredictAnswer", service.predict(body, b"explain=true").json) == []
        assert misfits(description, "ModelAnswer", service.call("GET", "/model").json) == []
    assert misfits(description, "FleetAnswer", forest.call("GET", "/model", query=b"fleet=1").json) == []
    assert misfits(description, "HealthAnswer", Service(Holder()).call("GET", "/health").json) == []
    assert misfits(description, "ErrorAnswer", forest.predict(b"{").json) == []


def test_the_description_tells_a_wrong_answer_from_a_right_one(description: Any, forest: Service) -> None:
    answer = forest.predict({"data": [[50, -50, 50]]}).json
    assert misfits(description, "PredictAnswer", {**answer, "scores": "high"}) != []
    assert misfits(description, "PredictAnswer", {"alerts": answer["alerts"]}) != []


def test_the_examples_of_the_description_are_answered(vibration: Service, autoencoder: Service) -> None:
    for service in (vibration, autoencoder):
        for path in ("/predict", "/predict/waveforms")[: 1 + (service is vibration)]:
            body = service.call("GET", "/openapi.json").json["paths"][path]["post"]["requestBody"]
            example = body["content"]["application/json"]["example"]
            assert service.call("POST", path, json.dumps(example).encode()).status == 200


class Outside(HTMLParser):
    """Addresses that a page makes a browser fetch, and what it may not hold."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name in ("src", "srcset", "data", "action") or (name == "href" and tag in ("link", "base")):
                self.loads.append(value or "")


def page(service: Service, path: str) -> Answer:
    answer = service.call("GET", path, host="plant.example:80")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"].startswith("default-src 'self' 'unsafe-inline'")
    return answer


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_are_one_file_and_make_no_external_request(forest: Service, path: str) -> None:
    text = page(forest, path).body.decode()
    assert Outside(text).loads == ["data:,"]  # the empty icon
    assert not re.search(r"@import|url\(|//cdn|import\(", text)
    addresses = set(re.findall(r"https?://[^\s\"'<]+", text))
    assert all(address.startswith("http://plant.example:80/") for address in addresses)


def test_docs_have_each_endpoint_with_an_example_call_and_each_field(forest: Service, description: Any) -> None:
    text = page(forest, "/docs").body.decode()
    for path, item in description["paths"].items():
        for method in item:
            assert f"{method.upper()} {path}</code>" in text
            assert f"http://plant.example:80{path}" in text
    for schema in description["components"]["schemas"].values():
        for field in schema["properties"]:
            assert f"<code>{field}</code>" in text


def test_the_home_page_says_what_is_served_and_has_a_form_for_a_row(forest: Service) -> None:
    text = page(forest, "/").body.decode()
    assert "<h1>vigia: m, version 1</h1>" in text
    assert text.count("data-feature value=") == 3
    assert "plausible: 0 to 10" in text
    assert forest.call("GET", "/model").json["served"][:12] in text


def test_before_a_bundle_is_loaded_the_pages_say_so() -> None:
    assert b"No bundle is loaded. It is loading." in page(Service(Holder()), "/").body
    assert page(Service(Holder()), "/docs").status == 200


HOSTILE = '<script>alert("x")</script>'


def test_nothing_of_a_bundle_or_a_request_is_markup(tmp_path: Path) -> None:
    names = (HOSTILE, "b", "c")
    service = Service(serve(publish(tmp_path, features=names, units={HOSTILE: HOSTILE})))
    for path in ("/", "/docs"):
        assert HOSTILE.encode() not in service.call("GET", path, host=HOSTILE).body
    service = Service(Holder())
    service.holder.failure = Failure("", Kind.OTHER, HOSTILE)
    assert HOSTILE.encode() not in page(service, "/").body
