"""Grafana's dashboards: every query is one that Prometheus understands, of metrics that exist."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from scripts.ray_dashboards import texts
from tests.manifests.monitoring.expressions import expressions, metrics
from tests.manifests.monitoring.files import MONITORING, boards, dropped_names
from tests.system import require_program

BOARDS = [pytest.param(board, id=name) for name, board in boards().items()]
LARGEST = 240_000  # bytes; kubectl keeps a copy as text in an annotation, which holds 262,144


def test_there_is_one_for_the_service_one_for_the_model_and_one_for_drift() -> None:
    assert {name: board["uid"] for name, board in boards().items()} == {
        name: f"vigia-{name}" for name in ("service", "model", "drift")
    }


@pytest.mark.parametrize("board", BOARDS)
def test_prometheus_understands_every_query(board: dict[str, Any], tmp_path: Path) -> None:
    promtool = require_program("promtool", "prometheus")
    queries = [{"record": f"q{number}", "expr": query} for number, query in enumerate(expressions(board))]
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": queries}]}))
    checked = subprocess.run(
        [promtool, "check", "rules", tmp_path / "rules.yaml"], capture_output=True, text=True, check=False
    )
    assert checked.returncode == 0, checked.stderr


@pytest.mark.parametrize("board", BOARDS)
def test_every_metric_that_a_query_reads_exists(board: dict[str, Any], exported: frozenset[str]) -> None:
    for query in expressions(board):
        assert metrics(query), query
        assert metrics(query) <= exported, query


@pytest.mark.parametrize("board", BOARDS)
def test_a_panel_says_what_it_shows_and_in_which_unit(board: dict[str, Any]) -> None:
    for panel in board["panels"]:
        assert panel["title"], panel
        assert panel["description"], panel
        assert panel["fieldConfig"]["defaults"]["unit"], panel
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
    assert board["schemaVersion"] >= 41


@pytest.mark.parametrize("board", BOARDS)
def test_no_panel_lies_over_another_or_beyond_the_edge(board: dict[str, Any]) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {(place["x"] + x, place["y"] + y) for x in range(place["w"]) for y in range(place["h"])}
        assert not cells & taken, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_rays_own_dashboards_are_those_of_the_installed_ray() -> None:
    written = {file.stem: file.read_text() for file in (MONITORING / "dashboards" / "ray").glob("*.json")}
    assert written == texts(), "scripts/ray_dashboards.py writes them anew"


def test_what_rays_dashboards_read_is_not_thrown_away() -> None:
    read = set(re.findall(r"ray_\w+", "".join(texts().values())))
    assert read
    assert not [name for name in read for regex in dropped_names() if re.fullmatch(regex, name)]


def test_grafana_finds_each_by_its_label_and_kubectl_can_apply_it() -> None:
    kustomization = yaml.safe_load((MONITORING / "kustomization.yaml").read_text())
    files = [MONITORING / file for entry in kustomization["configMapGenerator"] for file in entry["files"]]
    assert set(files) == set(MONITORING.glob("dashboards/**/*.json"))
    assert kustomization["generatorOptions"]["labels"] == {"grafana_dashboard": "1"}
    assert all(len(json.dumps(file.read_text())) < LARGEST for file in files)
