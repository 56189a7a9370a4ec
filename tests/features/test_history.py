"""The past of a row: never across a gap or a series, never the future, the same bits in any batch."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

import features.history
from features.errors import InputError
from features.history import NO_HISTORY, REDUCERS, History, expand, expanded_names, scorable
from features.rows import Rows

MINUTE = 60 * 1_000_000
ALL = History(3, REDUCERS, 15 * MINUTE)


def rows_of(steps: list[tuple[int, int]], values: NDArray[np.float64]) -> Rows:
    """Rows in canonical order from (series, minutes since the row before) pairs."""
    series = np.array([code for code, _ in steps], np.int64)
    order = np.argsort(series, kind="stable")
    times = np.cumsum([minutes for _, minutes in steps])[order] * MINUTE
    names = tuple(f"s{code}" for code in range(5))
    return Rows(("a", "b"), values, series[order], names, times.astype(np.int64), None)


@st.composite
def tables(draw: st.DrawFn) -> Rows:
    steps = draw(st.lists(st.tuples(st.integers(0, 2), st.sampled_from([1, 5, 30])), min_size=0, max_size=40))
    finite = st.floats(-1e6, 1e6, allow_subnormal=False)
    return rows_of(steps, draw(arrays(np.float64, (len(steps), 2), elements=finite)))


histories = st.builds(
    History,
    rows=st.integers(0, 5),
    reducers=st.permutations(REDUCERS).flatmap(lambda all: st.sampled_from([tuple(all[:n]) for n in (1, 2, 4)])),
    max_gap_us=st.sampled_from([5 * MINUTE, 40 * MINUTE]),
)


def naive(rows: Rows, history: History) -> dict[int, list[float]]:
    """Position -> expanded features, by what the words say: one row, one feature, one number at a time."""
    assert rows.times is not None
    found, run = {}, 0
    for i in range(len(rows)):
        linked = i > 0 and rows.series[i] == rows.series[i - 1]
        run = run + 1 if linked and rows.times[i] - rows.times[i - 1] <= history.max_gap_us else 0
        if run < history.rows:
            continue
        past = rows.values[i - history.rows : i]
        expanded = list(rows.values[i])
        for reducer in history.reducers if history.rows else ():
            if reducer == "lags":
                expanded += [float(value) for row in past[::-1] for value in row]
                continue
            for k in range(rows.values.shape[1]):
                line = [*past[:, k], rows.values[i, k]]
                if reducer == "mean":
                    expanded.append(float(np.mean(line)))
                elif reducer == "std":
                    expanded.append(float(np.std(line)))
                else:
                    expanded.append(float(np.polyfit(np.arange(len(line)), line, 1)[0]))
        found[i] = expanded
    return found


@given(tables(), histories)
def test_expanded_features_are_what_the_words_say(rows: Rows, history: History) -> None:
    ready, expected = scorable(rows, history), naive(rows, history)
    assert ready.at.tolist() == list(expected)
    found = ready.expanded()
    assert found.shape == (len(expected), history.width(2))
    np.testing.assert_allclose(found, np.array(list(expected.values())).reshape(found.shape), rtol=1e-7, atol=1e-6)
    assert len(expanded_names(history, rows.features)) == history.width(2)


@given(tables(), histories)
def test_a_row_has_the_same_bits_alone_and_among_others(rows: Rows, history: History) -> None:
    ready = scorable(rows, history)
    together = ready.expanded()
    for k in range(len(ready)):
        assert ready.take(np.array([k])).expanded().tobytes() == together[k].tobytes()


@given(tables(), histories, st.integers(0, 400), st.integers(0, 9))
def test_what_comes_later_never_changes_an_earlier_row(rows: Rows, history: History, until: int, seed: int) -> None:
    assert rows.times is not None
    later = np.flatnonzero(rows.times > until * MINUTE)
    values = rows.values.copy()
    values[later] = np.random.default_rng(seed).permutation(rows.values[later])
    changed = Rows(rows.features, values, rows.series, rows.series_names, rows.times, None)
    before, after = scorable(rows, history), scorable(changed, history)
    earlier = rows.times[before.at] <= until * MINUTE
    assert before.take(earlier).expanded().tobytes() == after.take(earlier).expanded().tobytes()


def test_work_in_small_blocks_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ready = scorable(rows_of([(0, 5)] * 50, np.random.default_rng(0).normal(size=(50, 2))), ALL)
    whole = ready.expanded()
    monkeypatch.setattr(features.history, "_BLOCK_VALUES", 3 * 2 * 7)
    assert [len(values) for values, _ in ready.blocks()] == [7] * 6 + [5]
    assert ready.expanded().tobytes() == whole.tobytes()


def test_names_say_what_was_made_of_a_feature() -> None:
    assert expanded_names(History(2, ("lags", "mean"), MINUTE), ("rms", "peak")) == (
        "rms", "peak", "rms[-1]", "peak[-1]", "rms[-2]", "peak[-2]", "mean(rms)", "mean(peak)",
    )  # fmt: skip
    assert expanded_names(NO_HISTORY, ("rms",)) == ("rms",)


def test_the_past_is_in_the_units_of_the_feature_and_the_slope_per_row() -> None:
    past = np.array([[[1.0], [3.0], [5.0]]])
    found = expand(ALL, np.array([[7.0]]), past)[0]
    assert found.tolist() == pytest.approx([7, 5, 3, 1, 4, np.sqrt(5), 2])


def test_a_constant_past_has_no_spread_whatever_its_value() -> None:
    constant = np.full((1, 3, 1), 0.1)
    found = expand(ALL, constant[:, 0], constant)[0]
    assert found.tolist() == [0.1, 0.1, 0.1, 0.1, 0.1, 0.0, 0.0]


@pytest.mark.filterwarnings("error")
def test_the_wildest_finite_values_give_finite_features() -> None:
    wild = 1.7e308 * np.array([[[1.0], [-1.0], [1.0]]])
    assert np.isfinite(expand(ALL, -wild[:, 0], wild)).all()


def test_rows_without_time_have_no_history() -> None:
    timeless = Rows(("a",), np.zeros((5, 1)), np.zeros(5, np.int64), ("all",), None, None)
    assert len(scorable(timeless, NO_HISTORY)) == 5
    with pytest.raises(InputError, match=r"data\.timestamp: must name the column of times"):
        scorable(timeless, ALL)


@pytest.mark.parametrize("past", [None, np.zeros((1, 2, 2)), np.zeros((2, 3, 2)), np.zeros((1, 3, 1))])
def test_a_past_of_another_shape_is_refused(past: NDArray[np.float64] | None) -> None:
    with pytest.raises(InputError, match=r"history: must have shape \(1, 3, 2\)"):
        expand(ALL, np.zeros((1, 2)), past)


def test_a_past_is_refused_where_there_is_no_history() -> None:
    with pytest.raises(InputError, match=r"history: must have shape \(1, 0, 2\)"):
        expand(NO_HISTORY, np.zeros((1, 2)), np.zeros((1, 3, 2)))
