"""Evidently's page and its figures."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.drift.report import Drift, report_drift


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Drift, Path]:
    rng = np.random.default_rng(1)
    page = tmp_path_factory.mktemp("drift") / "new" / "drift.html"
    reference, current = rng.normal(5, 2, (3_000, 3)), rng.normal(5, 2, (2_000, 3))
    current[:, 1] += 1.0
    current[:, 2] += 4.0
    return report_drift(reference, current, ("same", "moved", "far"), page=page, title="a < b"), page


def test_shifted_features_are_drifted_most_first(shifted: tuple[Drift, Path]) -> None:
    assert shifted[0].drifted == ("far", "moved")


def test_the_distance_is_in_standard_deviations_of_the_reference(shifted: tuple[Drift, Path]) -> None:
    drift, _ = shifted
    assert drift.distances["moved"] == pytest.approx(0.5, abs=0.1)
    assert drift.distances["far"] == pytest.approx(2.0, abs=0.2)
    assert drift.distances["same"] < drift.limit


def test_the_rows_that_were_compared_are_counted(shifted: tuple[Drift, Path]) -> None:
    assert (shifted[0].reference_rows, shifted[0].current_rows) == (3_000, 2_000)


def test_the_page_works_offline(shifted: tuple[Drift, Path]) -> None:
    text = shifted[1].read_text(encoding="utf-8")
    assert "moved" in text
    assert '<script src="http' not in text
    assert '<link href="http' not in text


def test_a_feature_at_the_limit_is_drifted() -> None:
    assert Drift("wasserstein", 0.1, 100, 100, {"below": 0.0999, "at": 0.1}).drifted == ("at",)


def test_the_page_carries_its_title_escaped(shifted: tuple[Drift, Path]) -> None:
    assert ">a &lt; b</p>" in shifted[1].read_text()
