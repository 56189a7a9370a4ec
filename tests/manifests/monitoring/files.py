"""The rules and dashboards of base/monitoring, and the metrics of others that they may read."""

import json
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).parent
MONITORING = HERE.parents[2] / "manifests" / "base" / "monitoring"
RULES = sorted([*MONITORING.glob("rules-*.yaml"), MONITORING / "prometheus-rules.yaml"])
BOARDS = sorted(MONITORING.glob("dashboards/*.json"))


def spec(file: Path) -> dict[str, Any]:
    """What Prometheus calls a rule file."""
    return dict(yaml.safe_load(file.read_text())["spec"])


def rules(file: Path) -> list[dict[str, Any]]:
    return [rule for group in spec(file)["groups"] for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    return [rule for file in RULES for rule in rules(file) if "alert" in rule]


def recorded() -> set[str]:
    return {rule["record"] for file in RULES for rule in rules(file) if "record" in rule}


def of_others() -> set[str]:
    """Names that Ray exports, by a scrape of the service on a laptop, and those that the platform does, by a list."""
    listed = yaml.safe_load((HERE / "platform_names.yaml").read_text()).values()
    return {*(HERE / "ray_names.txt").read_text().split(), *(name for names in listed for name in names)}


def boards() -> dict[str, dict[str, Any]]:
    return {file.stem: json.loads(file.read_text()) for file in BOARDS}


def dropped_names() -> list[str]:
    """Regular expressions of the names that a monitor drops."""
    return [
        rule["regex"]
        for monitor in yaml.safe_load_all((MONITORING / "podmonitors-ray.yaml").read_text())
        for endpoint in monitor["spec"]["podMetricsEndpoints"]
        for rule in endpoint.get("metricRelabelings", ())
        if rule["action"] == "drop"
    ]
