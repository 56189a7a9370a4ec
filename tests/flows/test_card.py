"""The card of a real training: what it says is what the run measured, and it is kept wherever the run is."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from evaluation.pages.card.files import read_json
from evaluation.pages.card.model import Card
from evaluation.pages.card.render import render_card
from features.fleet.simulator import Fleet, simulate_fleet
from flows.adapters.registry import Registry
from flows.cli.main import main
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.steps.card import read_kinds
from flows.workspace import Workspace


@pytest.fixture(scope="module")
def card(trained: tuple[Workspace, dict[str, object]]) -> Card:
    return read_json(folder(trained) / "card.json")


def folder(trained: tuple[Workspace, dict[str, object]]) -> Path:
    paths = trained[1]["paths"]
    assert isinstance(paths, dict)
    assert Path(paths["card"]) == Path(paths["run"]) / "card.html"
    return Path(paths["run"])


def test_the_page_is_made_of_the_json_beside_it(trained: tuple[Workspace, dict[str, object]], card: Card) -> None:
    assert (folder(trained) / "card.html").read_text(encoding="utf-8") == render_card(card)


def test_it_says_what_the_summary_and_the_gate_say(trained: tuple[Workspace, dict[str, object]], card: Card) -> None:
    figures = trained[1]["figures"]
    assert isinstance(figures, dict)
    gate = json.loads((folder(trained) / "gate.json").read_text())
    assert card.identity.digest == trained[1]["digest"]
    assert card.thresholds[0].value == figures["threshold"]
    assert card.decision.outcome == gate["outcome"]
    assert [reason.sentence for reason in card.decision.reasons] == [reason["sentence"] for reason in gate["reasons"]]
    assert card.data.quarantined == figures["quarantined"]


def test_counts_of_the_same_rows_agree(card: Card) -> None:
    rows = {window.name: window.rows for window in card.data.windows}
    counted = card.scores.normal, card.scores.anomalous, card.scores.unknown
    assert sum(map(sum, counted)) == card.test_rows == rows["test"]
    assert card.episodes is not None
    assert sum(kind.episodes for kind in card.kinds) == card.episodes.labelled
    assert sum(kind.detected for kind in card.kinds) == card.episodes.detected
    assert sum(one.events for one in card.by_series.top) + card.by_series.rest_events == card.by_series.events
    assert len(card.by_series.top) + card.by_series.rest_series + card.by_series.silent == card.by_series.series


def test_alert_rows_are_those_in_the_bins_from_the_threshold_on(card: Card) -> None:
    """All series are old enough here for one threshold to judge nearly every row."""
    at = card.scores.edges.index(card.thresholds[0].value)
    above = sum(sum(kind[at:]) for kind in (card.scores.normal, card.scores.anomalous, card.scores.unknown))
    rate = card.figure("alert_rate")
    assert rate is not None
    assert rate.value == pytest.approx(above / card.test_rows, abs=0.01)


def test_timelines_show_both_outcomes_and_reasons_of_every_alert(card: Card) -> None:
    shown = Counter(timeline.outcome for timeline in card.timelines)
    assert card.episodes is not None
    assert shown["detected"] == min(6, card.episodes.detected)
    for timeline in card.timelines:
        assert bool(timeline.drivers) == (timeline.outcome != "missed")
        assert (timeline.delay_h is not None) == (timeline.outcome != "missed")
        assert len(timeline.scores) <= 120
        for k in timeline.alerts:
            score = timeline.scores[k]
            assert score is not None
            assert score >= timeline.threshold * 0.99


def test_the_run_in_mlflow_holds_both_files(trained: tuple[Workspace, dict[str, object]]) -> None:
    workspace, summary = trained
    registry = Registry(workspace.registry_uri, workspace.artifacts)
    for name in ("card.html", "card.json"):
        assert registry.read(str(summary["run_id"]), name) == (folder(trained) / name).read_bytes()


def test_two_versions_are_compared_by_number_and_by_run(
    trained: tuple[Workspace, dict[str, object]], capfd: pytest.CaptureFixture[str]
) -> None:
    workspace, summary = trained
    name = folder(trained).name
    assert main(["compare", str(summary["version"]), name, "--workspace", str(workspace.root)]) == 0
    said = capfd.readouterr().out
    assert "judged on the same test window" in " ".join(said.split())
    page = next((workspace.root / "runs").glob("*-compare-*/compare.html"))
    assert name in page.read_text(encoding="utf-8")


def test_kinds_are_read_for_the_rows_asked_for_whatever_their_order(tmp_path: Path) -> None:
    config = load_config(TrainConfig, None, ['data.uri="fleet://?sensors=8&days=4&seed=3"'])
    table = pa.Table.from_batches(simulate_fleet(Fleet(8, 4, 3)))
    at = np.array([len(table) - 1, 0, *np.flatnonzero(table["fault"].is_valid().to_numpy())[:50][::-1]])
    found = read_kinds(config, at, tmp_path)
    assert found is not None
    assert found.tolist() == [table["fault"][int(k)].as_py() for k in at]
    assert any(found)
    without = config.model_copy(update={"data": config.data.model_copy(update={"kind": None})})
    assert read_kinds(without, at, tmp_path) is None


def test_another_card_is_another_page(card: Card) -> None:
    assert render_card(card) != render_card(replace(card, test_rows=card.test_rows + 1))
