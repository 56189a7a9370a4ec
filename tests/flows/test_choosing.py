"""What a search selects by, what it falls back to, and the sentence that says so. No Ray runs here."""

from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from evaluation.calibration import AlertBudget
from features.errors import InputError, NotEnoughDataError
from features.rows import Rows
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.steps.choosing import Basis, choose, conclude, find_basis, in_trial_order
from serving.manifest import RobustScaling
from training.detectors.registry import family
from training.objective import (
    ALERT_RATE,
    AVERAGE_PRECISION,
    EPISODE_RECALL,
    ONSETS,
    View,
    measure_selection,
    split_parameters,
)
from training.search import Searched
from training.trials import Goal, Limit, Trial

HOUR = 3600 * 1_000_000
BUDGET = AlertBudget()


class Silent:
    """Progress that nobody reads."""

    def stage(self, _title: str) -> AbstractContextManager["Silent"]:
        return nullcontext(self)

    def say(self, _text: str) -> None: ...

    def update(self, _text: str) -> None: ...

    def result(self, _text: str) -> None: ...


def config(*settings: str) -> TrainConfig:
    return load_config(TrainConfig, None, settings)


def window(episodes: int, *, time: bool = True, series: int = 20, hours: int = 240, labelled: bool = True) -> Rows:
    """Hourly rows of some series; the first of them hold one episode of three rows each."""
    n = series * hours
    code = np.repeat(np.arange(series), hours)
    labels = np.zeros(n, np.int8)
    for k in range(episodes):
        at = (k % series) * hours + 20 * (k // series)
        labels[at : at + 3] = 1
    times = np.tile(np.arange(hours) * HOUR, series)
    names = tuple(f"s{k:02d}" for k in range(series))
    return Rows(("a",), np.zeros((n, 1)), code, names, times if time else None, labels if labelled else None)


def basis(rows: Rows, *settings: str) -> Basis:
    return find_basis(rows, config(*settings).search, BUDGET)


def test_ten_labelled_episodes_rank_by_recall_at_the_onset_budget() -> None:
    assert basis(window(10)) == Basis(Goal(EPISODE_RECALL, AVERAGE_PRECISION), "episode recall at the onset budget")


def test_nine_select_nothing_though_they_hold_many_rows() -> None:
    found = basis(window(9))
    assert found.goal == Goal()
    assert found.lacking == "the selection window has 9 labelled episodes, fewer than search.min_labels = 10"
    assert basis(window(9), "search.min_labels=9").goal.figure == EPISODE_RECALL


def test_where_onsets_cannot_be_counted_the_words_name_the_row_rate() -> None:
    assert basis(window(12, series=6, hours=48)).words == "episode recall at 0.01 alerts a row"


def test_without_time_rows_of_both_labels_count() -> None:
    assert basis(window(4, time=False)) == Basis(Goal(AVERAGE_PRECISION), "average precision")
    lacking = "the selection window has 9 anomalous and 4791 normal labelled rows, fewer than search.min_labels = 10"
    assert basis(window(3, time=False)).lacking == f"{lacking} of one kind"
    rows = window(4, time=False)
    assert rows.labels is not None
    assert "0 normal" in basis(replace(rows, labels=np.where(rows.labels == 1, 1, -1).astype(np.int8))).lacking


def test_without_labels_there_is_nothing_to_select_by() -> None:
    for rows in (window(0, labelled=False), replace(window(0), labels=np.full(4800, -1, np.int8))):
        assert basis(rows).lacking == "the selection window has no labels to select by"


def test_limits_come_in_the_unit_of_the_budget() -> None:
    settings = ("search.max_alerts=0.2", "search.max_operations=1000", "search.max_bundle_bytes=5000")
    assert [(limit.figure, limit.highest) for limit in basis(window(10), *settings).goal.limits] == [
        (ONSETS, 0.2),
        ("operations_per_row", 1000.0),
        ("bundle_bytes", 5000.0),
    ]
    assert basis(window(40, time=False), *settings).goal.limits[0].figure == ALERT_RATE


def test_alerts_that_no_threshold_can_promise_are_refused() -> None:
    with pytest.raises(NotEnoughDataError, match=r"search\.max_alerts: needs a selection window with enough rows"):
        basis(window(1, time=False, series=1, hours=60), "search.max_alerts=0.2")


def choice(rows: Rows, *settings: str, per_series: bool = False) -> str:
    view = View(RobustScaling([0.0], [1.0], 1e6), rows.values, rows.values)
    views = {True: view, False: view} if per_series else {False: view}
    nowhere = Path("/nowhere")
    found = choose(views, rows, config(*settings), BUDGET, progress=Silent(), ray=nowhere, run=nowhere)
    assert found.trials == ()
    assert split_parameters(found.parameters) == (family(found.family).defaults, per_series)
    return f"{found.family}: {found.reason}"


def test_where_series_have_baselines_the_default_uses_them() -> None:
    assert choice(window(3), per_series=True).startswith("extended_forest: the default")


def test_too_few_labels_give_the_first_family_as_it_is_and_say_so() -> None:
    rows = window(0, labelled=False)
    assert choice(rows) == "extended_forest: the default, since the selection window has no labels to select by"
    assert choice(rows, "search.families=[autoencoder, isolation_forest]").startswith("autoencoder: the default")
    assert "3 labelled episodes" in choice(window(3))


def trials(*recalls: float, planned: int | None = None) -> Searched:
    names = ("isolation_forest", "autoencoder")
    found = [Trial(k, names[k % 2], {"k": k}, {EPISODE_RECALL: recall}) for k, recall in enumerate(recalls)]
    return Searched(tuple(found), planned or len(found))


RANKED = Basis(Goal(EPISODE_RECALL, AVERAGE_PRECISION), "episode recall at the onset budget")
UNRANKED = Basis(Goal(), lacking="the selection window has no labels to select by")
FAMILIES = ("isolation_forest", "autoencoder")


def test_the_reason_names_measure_window_and_trial_but_never_the_score() -> None:
    found = conclude(trials(0.1, 0.75, 0.3), RANKED, FAMILIES)
    wanted = "best of 3 trials by episode recall at the onset budget on the selection window (trial 1)"
    assert (found.family, found.parameters, found.reason) == ("autoencoder", {"k": 1}, wanted)
    assert found.ranked_by == "episode recall at the onset budget"


def test_a_search_cut_short_says_that_a_repeat_may_differ() -> None:
    found = conclude(trials(0.1, 0.75, planned=8), RANKED, FAMILIES)
    assert found.reason.endswith("; stopped by its time budget after 2 of 8 trials: a repeat may differ")
    assert found.planned == 8


def test_compared_defaults_have_no_winner_and_the_first_family_is_taken() -> None:
    found = conclude(trials(0.1, 0.9), UNRANKED, FAMILIES)
    assert found.family == "isolation_forest"
    assert found.reason.endswith("no labels to select by; 2 defaults are listed without a winner")
    assert found.ranked_by == ""
    assert len(found.trials) == 2


def test_a_default_beyond_the_limits_gives_way_to_the_next() -> None:
    first, second = trials(0.1, 0.9).trials
    excluded = replace(first, excluded="900 bundle bytes, above search.max_bundle_bytes = 100")
    found = conclude(Searched((excluded, second), 2), UNRANKED, FAMILIES)
    assert found.family == "autoencoder"
    assert found.reason.startswith("the first default that may be chosen, since")
    with pytest.raises(InputError, match="no default may be chosen; isolation_forest: 900 bundle bytes, above"):
        conclude(Searched((excluded, replace(second, error="boom")), 2), UNRANKED, FAMILIES)


def test_the_linear_autoencoder_is_trial_0_wherever_it_is_listed() -> None:
    assert in_trial_order(["isolation_forest", "autoencoder", "linear_autoencoder"]) == [
        "linear_autoencoder",
        "isolation_forest",
        "autoencoder",
    ]
    assert in_trial_order(["autoencoder", "isolation_forest"]) == ["autoencoder", "isolation_forest"]


def test_selection_figures_come_from_a_threshold_on_its_own_normal_rows() -> None:
    rows = window(10)
    scores = np.random.default_rng(1).normal(size=len(rows)).astype(np.float32)
    scores[np.flatnonzero(rows.anomalous)[::3][:7]] = 9.0  # seven of ten episodes stand out
    found = measure_selection(scores, rows, BUDGET, HOUR)
    assert 0.7 <= found[EPISODE_RECALL] <= 0.8
    assert 0.1 <= found[ONSETS] <= 0.14  # the budget, and the episodes on top
    assert set(measure_selection(scores, replace(rows, labels=None), BUDGET, HOUR)) == {ONSETS, ALERT_RATE}


def test_a_limit_that_every_trial_breaks_is_an_error_of_the_configuration() -> None:
    goal = Goal(EPISODE_RECALL, limits=(Limit("bundle_bytes", 1.0, "search.max_bundle_bytes"),))
    found = tuple(replace(trial, excluded="9 bundle bytes, above …") for trial in trials(0.1, 0.2).trials)
    with pytest.raises(InputError, match="no trial may be chosen; trial 0"):
        conclude(Searched(found, 2), Basis(goal, "episode recall"), FAMILIES)


def test_rows_rank_trials_where_the_configuration_says_so() -> None:
    assert basis(window(12), "search.metric=average_precision") == Basis(Goal(AVERAGE_PRECISION), "average precision")
