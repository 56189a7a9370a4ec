"""The rules that a cluster's Prometheus reads; a laptop's reads prometheus-rules.yaml of them."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.manifests.monitoring.expressions import metrics
from tests.manifests.monitoring.files import HERE, RULES, alerts, of_others, rules, spec
from tests.system import require_program

RUNBOOKS = HERE.parents[2] / "docs" / "runbooks"
ADDRESS = re.compile(r"https://github\.com/[\w./-]+/blob/main/docs/runbooks/(\w+)\.md")
DOCUMENTED = {
    "ray_serve_deployment_request_counter",
    "ray_serve_deployment_processing_latency_ms",
}  # ray_cluster_active_nodes is Ray's own name still
ALERTS = [pytest.param(rule, id=rule["alert"]) for rule in alerts()]


def unit_tests(file: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((HERE / "rules" / file.name).read_text()))


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_prometheus_reads_the_rules_and_they_fire_when_they_should_and_only_then(file: Path, tmp_path: Path) -> None:
    promtool = require_program("promtool", "prometheus")
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec(file)))
    (tmp_path / "tests.yaml").write_text(yaml.safe_dump(unit_tests(file) | {"rule_files": ["rules.yaml"]}))
    for command in (["check", "rules", "rules.yaml"], ["test", "rules", "tests.yaml"]):
        ran = subprocess.run([promtool, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_alert_has_a_test_in_which_it_fires_and_one_in_which_it_does_not(file: Path) -> None:
    asked = [question for test in unit_tests(file)["tests"] for question in test["promql_expr_test"]]
    for name in (rule["alert"] for rule in rules(file) if "alert" in rule):
        results = [bool(question["exp_samples"]) for question in asked if name in question["expr"]]
        assert {True, False} <= set(results), name


def test_the_documented_names_are_recorded_where_a_laptop_finds_them() -> None:
    (laptop,) = [file for file in RULES if file.name == "prometheus-rules.yaml"]
    assert {rule["record"] for rule in rules(laptop) if "record" in rule} == DOCUMENTED
    assert "ray_cluster_active_nodes" in of_others()


@pytest.mark.parametrize("rule", ALERTS)
def test_an_alert_says_how_bad_it_is_what_happened_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("warning", "critical")
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    address = ADDRESS.fullmatch(rule["annotations"]["runbook_url"])
    assert address
    assert address[1] == rule["alert"]


@pytest.mark.parametrize("rule", ALERTS)
def test_a_runbook_has_symptom_cause_commands_and_when_to_call_someone(rule: dict[str, Any]) -> None:
    text = (RUNBOOKS / f"{rule['alert']}.md").read_text()
    assert text.startswith(f"# {rule['alert']}\n")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == ["Symptom", "Causes", "Commands", "Escalate"]
    assert f"[{rule['alert']}]({rule['alert']}.md)" in (RUNBOOKS / "README.md").read_text()


def test_no_runbook_is_left_of_an_alert_that_is_gone() -> None:
    assert {file.stem for file in RUNBOOKS.glob("*.md")} - {"README"} == {rule["alert"] for rule in alerts()}


def test_no_alert_is_there_twice() -> None:
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_every_metric_that_a_rule_reads_exists(file: Path, exported: frozenset[str]) -> None:
    read = set().union(*(metrics(rule["expr"]) for rule in rules(file)))
    assert read
    assert read <= exported


@pytest.mark.parametrize("file", RULES, ids=lambda file: file.stem)
def test_the_charts_prometheus_selects_the_rules_by_its_release(file: Path) -> None:
    assert yaml.safe_load(file.read_text())["metadata"]["labels"]["release"] == "prometheus-operator"
