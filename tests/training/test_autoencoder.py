"""Autoencoders, linear and not: residuals by hand, contamination, early stops, errors by feature, parity with torch."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from evaluation.calibration import AlertBudget, calibrate
from features.rows import Rows
from serving.graph import Graph
from training.detectors import autoencoder, linear_autoencoder
from training.detectors.registry import family
from training.epochs import Training
from training.space import Choice, StopTrial

BOTH = ("linear_autoencoder", "autoencoder")


def plane(n: int = 4_000, seed: int = 0, noise: float = 0.1) -> NDArray[np.float32]:
    """Rows near a plane of two directions among six features, unit variance or so."""
    rng = np.random.default_rng(seed)
    directions = np.linalg.qr(np.random.default_rng(99).normal(size=(6, 2)))[0]
    return (rng.normal(size=(n, 2)) * [2, 1.5] @ directions.T + rng.normal(0, noise, (n, 6))).astype(np.float32)


def outliers(n: int, seed: int = 1) -> NDArray[np.float32]:
    """One far cluster, off the plane, as a fault that lasts makes it."""
    return (np.array([6, -6, 6, 6, -6, 6]) + np.random.default_rng(seed).normal(0, 0.3, (n, 6))).astype(np.float32)


def linear(values: NDArray[np.float32], **parameters: float) -> Graph:
    return Graph(linear_autoencoder.fit(values, {**linear_autoencoder.DEFAULTS, **parameters}, 0))


def mlp_parameters(**parameters: float) -> Mapping[str, float]:
    return {**autoencoder.DEFAULTS, "width": 16, "bottleneck": 2, "epochs": 6, **parameters}


def mlp(values: NDArray[np.float32], seed: int = 0, **parameters: float) -> Graph:
    return Graph(autoencoder.fit(values, mlp_parameters(**parameters), seed))


def losses(values: NDArray[np.float32], **parameters: float) -> list[float]:
    heard: list[tuple[int, float]] = []
    autoencoder.fit(values, mlp_parameters(**parameters), 0, report=lambda *said: heard.append(said))
    assert [step for step, _ in heard] == list(range(1, len(heard) + 1))
    return [loss for _, loss in heard]


def threshold_of(graph: Graph, values: NDArray[np.float32]) -> float:
    """Calibrated for alerts on 1 % of the rows."""
    rows = Rows(tuple("abcdef"), values.astype(np.float64), np.zeros(len(values), np.int64), ("s",), None, None)
    return calibrate(graph.score(values), rows, AlertBudget(row_rate=0.01, by_rows=True), 0).threshold


def test_the_linear_score_is_the_mean_squared_residual_by_hand() -> None:
    values = plane()
    centred = values.astype(np.float64) - values.mean(axis=0, dtype=np.float64)
    components = np.linalg.svd(centred, full_matrices=False)[2][:2]
    residual = centred - centred @ components.T @ components
    graph = linear(values, trim=0.0)
    np.testing.assert_allclose(graph.score(values), (residual**2).mean(axis=1), rtol=1e-4, atol=1e-7)
    np.testing.assert_allclose(graph.errors(values), residual**2, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize(("explained", "components"), [(0.01, 1), (0.5, 1), (0.7, 2), (0.98, 2), (1.0, 5)])
def test_the_fewest_components_that_explain_the_share_are_taken(explained: float, components: int) -> None:
    values = plane()
    variances = np.linalg.svd(values - values.mean(axis=0))[1] ** 2 / len(values)
    left = variances[components:].sum() / 6
    assert linear(values, explained=explained, trim=0.0).score(values).mean() == pytest.approx(left, rel=1e-3)


def test_a_row_of_the_subspace_scores_almost_nothing_however_far_out() -> None:
    graph = linear(plane(noise=0.01))
    inside, outside = plane(500, seed=5, noise=0) * 50, plane(500, seed=5, noise=0) + np.float32(1)
    assert graph.score(inside).max() < 0.1 * graph.score(outside).min()


def test_ten_percent_of_outliers_barely_move_the_linear_form() -> None:
    clean, asked = plane(), np.vstack([plane(1_000, seed=3), outliers(100, seed=4)])
    spoilt = np.vstack([clean, outliers(400)])
    before, after = linear(clean).score(asked), linear(spoilt).score(asked)
    np.testing.assert_allclose(after, before, rtol=0.2, atol=0.002)
    assert linear(spoilt, trim=0.0).score(outliers(100, seed=4)).mean() < 0.1 * after[1_000:].mean()


def test_the_linear_form_does_not_depend_on_the_order_of_rows_or_the_seed() -> None:
    values, parameters = plane(), linear_autoencoder.DEFAULTS
    assert linear_autoencoder.fit(values, parameters, 1) == linear_autoencoder.fit(values, parameters, 2)
    shuffled = Graph(linear_autoencoder.fit(np.random.default_rng(0).permutation(values), parameters, 1))
    np.testing.assert_allclose(shuffled.score(values), linear(values).score(values), rtol=1e-4, atol=1e-6)


def test_training_ends_when_the_held_out_loss_has_not_improved() -> None:
    heard = losses(plane(1_000), epochs=500, patience=3, learning_rate=0.01)
    assert 6 < len(heard) < 200
    best = int(np.argmin(heard))
    assert len(heard) - 1 - best <= 3 + sum(loss > 0.999 * heard[best] for loss in heard[:best])


def test_training_ends_after_its_epochs_at_the_latest() -> None:
    assert len(losses(plane(1_000), epochs=4, patience=6)) == 4


def test_the_best_epoch_counts() -> None:
    values = plane(1_000)
    training = Training(values, mlp_parameters(), 0)
    training.conclude_epoch(training.run_epoch(training.network))
    first = training.export()
    training.run_epoch(training.network)
    training.conclude_epoch(float("inf"))
    assert training.export() == first


def test_a_report_may_stop_the_trial() -> None:
    def stop(step: int, _loss: float) -> None:
        if step == 2:
            raise StopTrial

    with pytest.raises(StopTrial):
        autoencoder.fit(plane(500), mlp_parameters(), 0, report=stop)


def test_the_forest_and_the_linear_form_report_nothing() -> None:
    heard: list[int] = []
    for name in ("isolation_forest", "linear_autoencoder", "extended_forest"):
        family(name).fit(plane(300), family(name).defaults, 0, report=lambda step, _loss: heard.append(step))
    assert heard == []


def test_a_fit_goes_on_from_its_state_as_if_it_had_not_stopped() -> None:
    values = plane(1_000)
    halted = Training(values, mlp_parameters(dropout=0.2), 5)
    for _ in range(2):
        halted.conclude_epoch(halted.run_epoch(halted.network))
    resumed = Training(values, mlp_parameters(dropout=0.2), 5)
    resumed.state = halted.state
    while not resumed.done:
        resumed.conclude_epoch(resumed.run_epoch(resumed.network))
    assert resumed.export() == autoencoder.fit(values, mlp_parameters(dropout=0.2), 5)


@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_graph_has_as_many_layers_as_the_depth_says(depth: int) -> None:
    content = autoencoder.fit(plane(300), mlp_parameters(depth=depth, epochs=1), 0)
    assert content.count(b"Gemm") == 2 * (depth + 1)
    assert content.count(b"Relu") == 2 * depth


def test_dropout_is_for_training_only() -> None:
    values = plane(1_000)
    content = autoencoder.fit(values, mlp_parameters(dropout=0.3), 0)
    assert b"Dropout" not in content
    np.testing.assert_array_equal(Graph(content).score(values), Graph(content).score(values))
    assert content != autoencoder.fit(values, mlp_parameters(dropout=0.0), 0)


def test_held_out_losses_compare_trials_that_leave_out_different_shares() -> None:
    few, many = (losses(plane(1_000), trim=trim, epochs=1, learning_rate=1e-6) for trim in (0.0, 0.3))
    assert few == pytest.approx(many, rel=1e-3)


@pytest.mark.parametrize("name", BOTH)
def test_the_defaults_lie_in_the_search_space(name: str) -> None:
    asked = family(name)
    assert asked.defaults.keys() == asked.space.keys()
    for key, span in asked.space.items():
        assert not isinstance(span, Choice)
        assert span.low <= asked.defaults[key] <= span.high


def test_leaving_the_worst_rows_out_helps_against_contamination() -> None:
    asked = np.vstack([plane(1_000, seed=3), outliers(100, seed=4)])
    labels = np.r_[np.zeros(1_000), np.ones(100)]
    spoilt = np.vstack([plane(1_000), outliers(100)])

    def ranked(trim: float) -> float:
        """Mean over seeds of AUROC: one seed may be lucky."""
        fits = [mlp(spoilt, seed, trim=trim, epochs=20, patience=6).score(asked) for seed in range(3)]
        return float(np.mean([roc_auc_score(labels, scores) for scores in fits]))

    assert ranked(0.2) > 0.99
    assert ranked(0.0) < 0.95


@pytest.mark.parametrize("name", BOTH)
def test_the_score_is_the_mean_of_the_errors_of_features(name: str) -> None:
    graph = Graph(family(name).fit(plane(500), family(name).defaults, 0))
    asked = np.vstack([plane(70_001, seed=2), np.full((1, 6), 1e6, np.float32)])  # more than a chunk
    errors = graph.errors(asked)
    assert errors is not None
    assert errors.shape == asked.shape
    assert errors.dtype == np.float32
    np.testing.assert_allclose(errors.mean(axis=1), graph.score(asked), rtol=1e-5)


@pytest.mark.parametrize("name", BOTH)
def test_a_row_has_the_same_errors_in_any_batch(name: str) -> None:
    graph, values = Graph(family(name).fit(plane(500), family(name).defaults, 0)), plane(300, seed=2)
    whole = graph.errors(values)
    for size in (1, 7, 33):
        parts = [graph.errors(values[start : start + size]) for start in range(0, 300, size)]
        np.testing.assert_array_equal(np.concatenate([part for part in parts if part is not None]), whole)


def test_a_wrong_feature_has_the_greatest_error() -> None:
    values = plane(200, seed=2)
    values[:, 3] += 8
    for name in BOTH:
        errors = Graph(family(name).fit(plane(), family(name).defaults, 0)).errors(values)
        assert errors is not None
        assert (errors.argmax(axis=1) == 3).mean() > 0.95


def test_no_rows_have_no_errors_and_a_forest_has_none_at_all() -> None:
    errors = linear(plane(300)).errors(np.empty((0, 6), np.float32))
    assert errors is not None
    assert errors.shape == (0, 6)
    forest = family("isolation_forest")
    assert Graph(forest.fit(plane(300), forest.defaults, 0)).errors(plane(10)) is None


@pytest.mark.parametrize("name", BOTH)
def test_alerts_at_a_calibrated_threshold_are_the_same_in_any_batch(name: str) -> None:
    graph = Graph(family(name).fit(plane(2_000), family(name).defaults, 0))
    values = np.vstack([plane(9_900, seed=2), outliers(100)])
    scores = graph.score(values)
    threshold = threshold_of(graph, values)
    alerts = scores >= threshold
    assert 90 <= alerts.sum() <= 100
    for size in (1, 7, 1_000, 10_000):
        parts = [graph.score(values[start : start + size]) for start in range(0, len(values), size)]
        np.testing.assert_array_equal(np.concatenate(parts) >= threshold, alerts)


def assert_parity_with_torch(rows: int, depth: int) -> None:
    """Within rtol 1e-5 and, in units of the median score, atol 1e-6; no alert differs at the calibrated threshold."""
    training = Training(plane(2_000), mlp_parameters(depth=depth, epochs=3), 0)
    while not training.done:
        training.conclude_epoch(training.run_epoch(training.network))
    asked = plane(rows, seed=7) * np.random.default_rng(1).choice([0.3, 1, 5], (rows, 1)).astype(np.float32)
    asked[0], asked[1] = 1e6, -1e6
    training.network.load_state_dict(training.state["best"])
    with torch.no_grad():
        rebuilt = training.network.eval()(torch.from_numpy(asked)).numpy()
    slow = ((rebuilt - asked) ** 2).mean(axis=1)
    found = Graph(training.export()).score(asked)
    np.testing.assert_allclose(found, slow, rtol=1e-5, atol=1e-6 * float(np.median(slow)))
    # Of another window: the row that sets a threshold lies one float below it.
    threshold = threshold_of(Graph(training.export()), plane(5_000, seed=8) * 3)
    assert 0 < (found >= threshold).sum() < rows
    np.testing.assert_array_equal(found >= threshold, slow >= threshold)


@pytest.mark.parametrize("depth", [1, 3])
def test_the_graph_scores_as_torch_does(depth: int) -> None:
    assert_parity_with_torch(5_000, depth)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_the_graph_scores_many_rows_as_torch_does(depth: int) -> None:
    assert_parity_with_torch(100_000, depth)
