"""Argo CD's health of Ray's objects, by what KubeRay writes into their status."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from lupa.lua51 import LuaError

from tests.manifests.argocd.lua import health
from tests.manifests.checking.schemas import MISSING, read_schema_file

HEALTH = Path(__file__).parents[3] / "manifests" / "argocd" / "health"
KINDS = ("rayservice", "rayjob", "raycluster")
NEWER = {"RollbackInProgress", "Suspended", "Suspending", "ValidationFailed", "InitializingTimeout"}  # than 1.5.1
TIMES = {"NOW": datetime.now(UTC), "LONG_AGO": datetime.now(UTC) - timedelta(hours=2)}


def cases(kind: str) -> list[dict[str, Any]]:
    text = (Path(__file__).parent / "statuses" / f"{kind}.yaml").read_text()
    for name, time in TIMES.items():
        text = text.replace(name, f'"{time:%Y-%m-%dT%H:%M:%SZ}"')
    return list(yaml.safe_load(text))


CASES = [pytest.param(kind, case, id=f"{kind}: {case['case']}") for kind in KINDS for case in cases(kind)]


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_health_is(kind: str, case: dict[str, Any]) -> None:
    resource = {
        "metadata": {"name": "anomaly-detector", "generation": case.get("generation", 3)},
        "spec": case.get("spec", {}),
        "status": case["status"],
    }
    found = health(HEALTH / f"{kind}.lua", resource)
    assert (found.status, case["says"] in found.message) == (case["health"], True), found


@pytest.mark.parametrize("kind", KINDS)
def test_an_object_without_status_is_on_its_way(kind: str) -> None:
    assert health(HEALTH / f"{kind}.lua", {"metadata": {"generation": 1}, "spec": {}}).status == "Progressing"


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_the_statuses_are_ones_that_kuberay_can_write(kind: str, case: dict[str, Any]) -> None:
    schema = read_schema_file(f"ray.io/{kind}_v1.json")
    if schema is None:
        pytest.skip(MISSING)
    status = {"$defs": schema.get("$defs", {}), **schema["properties"]["status"]}
    assert not [fault.message for fault in Draft202012Validator(status).iter_errors(case["status"])]


@pytest.mark.parametrize("version", ["1.5.1", "1.7.0"])
def test_each_version_of_kuberay_is_told_apart_by_what_it_can_say(version: str) -> None:
    of = [case for case in cases("rayservice") if version in case["versions"]]
    said = {
        word for case in of for one in case["status"].get("conditions", ()) for word in (one["type"], one["reason"])
    }
    assert said & NEWER == (set() if version == "1.5.1" else NEWER)
    assert {case["health"] for case in of} >= {"Healthy", "Progressing", "Degraded"}


@pytest.mark.parametrize(
    ("spec", "status"),
    [
        pytest.param({"suspend": True}, {}, id="switched off"),
        pytest.param({}, {}, id="never run"),
        pytest.param(
            {},
            {"lastScheduleTime": "2026-11-23T05:00:00Z", "lastSuccessfulTime": "2026-11-23T04:55:00Z"},
            id="last run failed",
        ),
    ],
)
def test_no_run_of_a_schedule_holds_up_a_sync(spec: dict[str, Any], status: dict[str, Any]) -> None:
    assert health(HEALTH / "cronjob.lua", {"spec": spec, "status": status}).status == "Healthy"


def test_argo_cd_is_given_every_check() -> None:
    files = yaml.safe_load((HEALTH / "kustomization.yaml").read_text())["configMapGenerator"][0]["files"]
    assert {file.partition("=")[2] for file in files} == {path.name for path in HEALTH.glob("*.lua")}


def test_the_lua_of_the_tests_has_what_argo_cd_gives_and_no_more(tmp_path: Path) -> None:
    script = tmp_path / "probe.lua"
    script.write_text('local os = require("os"); return { status = type(os.date("!%Y")), message = os.time() }')
    assert health(script, {}).status == "string"
    for forbidden in ('("a"):upper()', "string.format('a')", "os.time()", "io.read()", "math.floor(1)"):
        script.write_text(f"return {{ status = {forbidden} }}")
        with pytest.raises(LuaError):
            health(script, {})
