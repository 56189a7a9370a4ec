"""The drift page and its figures."""

from pathlib import Path

import numpy as np
import pytest

from evaluation.drift.report import MIN_ROWS, Drift, report_drift
from features.errors import NotEnoughDataError


@pytest.fixture(scope="module")
def shifted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Drift, Path]:
    rng = np.random.default_rng(1)
    page = tmp_path_factory.mktemp("drift") / "new" / "drift.html"
    reference, current = rng.normal(5, 2, (3_000, 3)), rng.normal(5, 2, (2_000, 3))
    current[:, 1] += 1.0
    current[:, 2] += 4.0
    return report_drift(
        reference, current, ("same", "moved", "far"), max_rows=2_500, seed=0, page=page, title="a < b"
    ), page


def test_shifted_features_are_drifted_most_first(shifted: tuple[Drift, Path]) -> None:
    assert shifted[0].drifted == ("far", "moved")


def test_the_distance_is_in_standard_deviations_of_the_reference(shifted: tuple[Drift, Path]) -> None:
    drift, _ = shifted
    assert drift.distances["moved"] == pytest.approx(0.5, abs=0.1)
    assert drift.distances["far"] == pytest.approx(2.0, abs=0.2)
    assert drift.distances["same"] < drift.limit


def test_large_windows_are_sampled(shifted: tuple[Drift, Path]) -> None:
    assert (shifted[0].reference_rows, shifted[0].current_rows) == (2_500, 2_000)


def test_the_page_works_offline(shifted: tuple[Drift, Path]) -> None:
    text = shifted[1].read_text(encoding="utf-8")
    assert "moved" in text
    assert '<script src="http' not in text
    assert '<link href="http' not in text


@pytest.mark.parametrize(("reference", "current", "named"), [(99, 100, "reference"), (100, 99, "current")])
def test_too_few_rows_are_refused_and_the_window_is_named(
    reference: int, current: int, named: str, tmp_path: Path
) -> None:
    assert MIN_ROWS == 100
    with pytest.raises(NotEnoughDataError, match=f"drift {named} window: needs at least 100 rows, got 99"):
        report_drift(
            np.zeros((reference, 1)),
            np.zeros((current, 1)),
            ("x",),
            max_rows=500,
            seed=0,
            page=tmp_path / "page",
            title="",
        )
    assert not (tmp_path / "page").exists()


def test_a_feature_at_the_limit_is_drifted() -> None:
    assert Drift("wasserstein", 0.1, 100, 100, {"below": 0.0999, "at": 0.1}).drifted == ("at",)


def test_the_page_carries_its_title_escaped(shifted: tuple[Drift, Path]) -> None:
    assert ">a &lt; b</p>" in shifted[1].read_text()
