"""The rules that a cluster's Prometheus and a laptop's read."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.system import require_program

FILE = Path(__file__).parents[2] / "manifests" / "base" / "monitoring" / "prometheus-rules.yaml"
DOCUMENTED = {
    "ray_serve_deployment_request_counter",
    "ray_serve_deployment_processing_latency_ms",
}  # ray_cluster_active_nodes is Ray's own name still


@pytest.fixture(scope="module")
def rules() -> list[dict[str, Any]]:
    resource = yaml.safe_load(FILE.read_text())
    assert (resource["apiVersion"], resource["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    return [rule for group in resource["spec"]["groups"] for rule in group["rules"]]


def test_prometheus_accepts_the_rules(tmp_path: Path) -> None:
    promtool = require_program("promtool", "prometheus")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(yaml.safe_load(FILE.read_text())["spec"]))
    checked = subprocess.run(
        [promtool, "check", "rules", tmp_path / "rules.yaml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr
    assert "SUCCESS" in checked.stdout


def test_the_documented_names_are_recorded(rules: list[dict[str, Any]]) -> None:
    assert {rule["record"] for rule in rules if "record" in rule} == DOCUMENTED


def test_every_alert_says_how_bad_it_is_and_what_happened(rules: list[dict[str, Any]]) -> None:
    alerts = [rule for rule in rules if "alert" in rule]
    assert alerts
    for rule in alerts:
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"]


def test_every_metric_of_ours_that_a_rule_reads_exists(rules: list[dict[str, Any]]) -> None:
    from serving.exposition import families
    from serving.holder import Holder
    from serving.prediction_log import PredictionLog
    from serving.telemetry import Telemetry

    found = families(Telemetry(), Holder(), PredictionLog("r", Path("/nowhere")))
    known = {f"ray_vigia_{family.name}{'_total' if family.kind == 'counter' else ''}" for family in found}
    known |= {f"ray_vigia_{family.name}_bucket_total" for family in found if family.kind == "histogram"}
    read = {name for rule in rules for name in re.findall(r"ray_vigia_\w+", rule["expr"])}
    assert read
    assert read <= known
