"""The values of the charts: what is documented, sizes for one node, and no password that everybody knows."""

from typing import Any

import pytest
import yaml

from tests.scripts.conftest import ROOT

VALUES = {file.stem: yaml.safe_load(file.read_text()) for file in (ROOT / "scripts/values").iterdir()}
CALLS = (ROOT / "tests/scripts/golden/config-cluster.txt").read_text()


def found(values: Any, path: str) -> Any:
    """The value at a dotted path."""
    for step in path.split("."):
        values = values[step]
    return values


def test_every_release_has_its_values_and_every_file_is_used() -> None:
    assert {name for name in VALUES if f"--install {name} " in CALLS and f"scripts/values/{name}.yaml" in CALLS} == set(
        VALUES
    )
    assert CALLS.count("helm upgrade --install ") == len(VALUES)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("prometheus.prometheusSpec.serviceMonitorSelectorNilUsesHelmValues", False),
        ("prometheus.prometheusSpec.podMonitorSelectorNilUsesHelmValues", False),
        ("prometheus.prometheusSpec.ruleSelectorNilUsesHelmValues", False),
        ("grafana.enabled", True),
        ("grafana.sidecar.dashboards.searchNamespace", "ALL"),
        ("alertmanager.enabled", True),
    ],
)
def test_the_monitoring_stack_is_as_documented(path: str, value: object) -> None:
    assert found(VALUES["prometheus-operator"], path) == value


def test_alerts_go_to_a_receiver_whose_address_is_in_a_secret_that_the_script_makes() -> None:
    stack = VALUES["prometheus-operator"]
    config = found(stack, "alertmanager.config")
    [receiver] = [one for one in config["receivers"] if one["name"] == config["route"]["receiver"]]
    [mounted] = found(stack, "alertmanager.alertmanagerSpec.secrets")
    assert receiver["webhook_configs"][0]["url_file"] == f"/etc/alertmanager/secrets/{mounted}/url"
    assert f'"name":"{mounted}","namespace":"monitoring"' in CALLS
    assert {route["receiver"] for route in config["route"]["routes"]} <= {one["name"] for one in config["receivers"]}


def test_grafana_takes_its_password_from_a_secret_that_the_script_makes() -> None:
    admin = found(VALUES["prometheus-operator"], "grafana.admin")
    keys = ",".join(f'"{admin[key]}":"…"' for key in ("passwordKey", "userKey"))
    assert f'"name":"{admin["existingSecret"]}","namespace":"monitoring"}},"type":"Opaque","data":{{{keys}}}' in CALLS


def requests(values: Any) -> list[dict[str, str]]:
    """Every `resources.requests` at any depth."""
    if not isinstance(values, dict):
        return []
    own = [values["resources"]["requests"]] if "resources" in values else []
    return own + [one for part in values.values() for one in requests(part)]


@pytest.mark.parametrize("name", sorted(set(VALUES) - {"istio-base"}))
def test_a_release_states_what_it_asks_for(name: str) -> None:
    assert requests(VALUES[name])
    assert all({"cpu", "memory"} == set(one) for one in requests(VALUES[name]))


def test_the_gateway_is_labelled_as_the_manifests_select_it() -> None:
    """The chart's label is the release's name without `istio-`."""
    assert "--install istio-ingress gateway " in CALLS
    gateway = yaml.safe_load((ROOT / "manifests/base/istio/gateway.yaml").read_text())
    assert gateway["spec"]["selector"] == {"istio": "ingress"}
