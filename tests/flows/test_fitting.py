"""The history that a bundle declares, from the configuration and the reference window."""

import numpy as np
import pytest

from features.errors import InputError
from features.rows import Rows
from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.steps.fitting import declared_history
from serving.manifest import PastRows

MINUTE = 60 * 1_000_000


def reference(minutes: list[int] | None) -> Rows:
    n = 4 if minutes is None else len(minutes)
    times = None if minutes is None else np.array(minutes, np.int64) * MINUTE
    return Rows(("a",), np.zeros((n, 1)), np.zeros(n, np.int64), ("s",), times, None)


def config(*settings: str) -> TrainConfig:
    return load_config(TrainConfig, None, settings)


def test_by_default_there_is_none() -> None:
    assert declared_history(reference(None), config()) is None


def test_the_longest_step_is_three_usual_ones_of_the_reference_window() -> None:
    found = declared_history(reference([0, 5, 10, 15, 60, 65]), config("history.rows=6"))
    assert found == PastRows(6, ["mean", "std"], 900.0)


def test_a_stated_longest_step_wins() -> None:
    settings = ("history.rows=2", "history.reducers=[slope]", "history.max_gap=7m")
    assert declared_history(reference([0, 5, 10]), config(*settings)) == PastRows(2, ["slope"], 420.0)


def test_a_history_without_time_is_refused() -> None:
    with pytest.raises(InputError, match=r"history\.rows: needs data\.timestamp.*got 6"):
        declared_history(reference(None), config("history.rows=6"))


def test_a_usual_step_that_nothing_shows_must_be_stated() -> None:
    with pytest.raises(InputError, match=r"history\.max_gap: must be stated"):
        declared_history(reference([0]), config("history.rows=6"))
    assert declared_history(reference([0]), config("history.rows=6", "history.max_gap=1h")) is not None
