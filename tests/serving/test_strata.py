"""A bundle with baselines: each row is judged from the baseline of its series and by the threshold of its stratum."""

from dataclasses import replace
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import helper, numpy_helper

from features.errors import InputError
from features.history import NO_HISTORY, Scorable, scorable
from features.rows import Rows
from serving.baselines import BaselineTable, locate, make_baselines
from serving.bundle import Bundle, open_bundle, pack
from serving.loading import Served
from serving.manifest import Budget, Manifest, RobustScaling, Strata, StratumThreshold
from serving.messages import PredictAnswer
from serving.predict import encode_json, judge_rows
from serving.requests import read_json
from serving.scorer import prepare, score, score_rows
from serving.settings import BundleRef
from serving.verdict import Calibration, Judge, judge
from training.export.model import make_model

BUDGET = Budget("row_rate", 0.5, 0.33, 3600.0, "the table has no time")
CALIBRATION = Calibration(3, [1.0, 2.0, 3.0], [3, 2, 1])
TABLE = BaselineTable(
    series=("mature", "young", ""),
    regimes=("", "", ""),
    rows=np.array([300, 5, 305]),
    stratum=np.array([0, 1, 2], np.int8),
    centre=np.array([[10.0, 0.0], [20.0, 0.0], [15.0, 0.0]]),
    scale=np.array([[1.0, 1.0], [2.0, 2.0], [5.0, 5.0]], np.float32),
)


def make_bundle() -> Bundle:
    ones = numpy_helper.from_array(np.ones((2, 1), np.float32), "ones")
    graph = make_model([helper.make_node("MatMul", ["features", "ones"], ["score"])], [ones], 2)
    manifest = Manifest(
        format=1,
        family="isolation_forest",
        parameters={},
        features=["a", "b"],
        transform=RobustScaling([0.0, 0.0], [1.0, 1.0], 1e6),
        threshold=2.0,
        alpha=0.5,
        calibration=CALIBRATION,
        budget=BUDGET,
        seed=7,
        simulated=False,
        baselines=Strata(
            young=StratumThreshold(3.0, 0.25, CALIBRATION, BUDGET),
            unseen=StratumThreshold(4.0, 0.25, CALIBRATION, BUDGET),
        ),
    )
    return open_bundle(pack(manifest, graph, TABLE))


def ask(**values: Any) -> Any:
    served = Served(BundleRef("u", "d", "m", "1"), make_bundle(), 0.0)
    judged = judge_rows(read_json(msgspec.json.encode(values), served.bundle.manifest), served)
    return msgspec.json.decode(encode_json(judged, served, explained=False), type=PredictAnswer)


def test_a_row_is_scored_from_the_baseline_of_its_series() -> None:
    answer = ask(data=[[12, 0]] * 3, series_ids=["mature", "young", "new"])
    assert answer.scores == pytest.approx([2.0, -4.0, -0.6])
    assert answer.baselines == ["mature", "young", "unseen"]


def test_the_threshold_is_that_of_the_stratum() -> None:
    answer = ask(data=[[12.5, 0], [25, 0], [27, 0], [35, 0]], series_ids=["mature", "young", "young", None])
    assert answer.scores == pytest.approx([2.5, 2.5, 3.5, 4.0])
    assert answer.alerts == [True, False, True, True]


def test_without_series_the_fleets_row_and_threshold_apply() -> None:
    answer = ask(data=[[35, 0]])
    assert (answer.scores, answer.baselines) == ([4.0], ["unseen"])


def test_a_machine_at_rest_is_not_scored() -> None:
    answer = ask(data=[[99, 0], [99, 0]], regime=["off", "low"])
    assert answer.scores[0] is None
    assert answer.p_values[0] is None
    assert answer.alerts == [False, True]


@pytest.mark.parametrize("field", ["series_ids", "regime"])
def test_one_name_a_row_is_needed(field: str) -> None:
    with pytest.raises(InputError, match=f"{field}: must have one entry for each of 2 rows, got 1"):
        ask(data=[[1, 1], [2, 2]], **{field: ["x"]})


def test_a_table_is_scored_as_its_rows_are_one_by_one() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(15, 5, (60, 2))
    rows = Rows(("a", "b"), values, np.repeat([0, 1, 2], 20), ("mature", "new", "young"), None, None)
    bundle = make_bundle()
    assert bundle.scorer.baselines is not None
    whole = score_rows(bundle.scorer, scorable(rows, NO_HISTORY))
    for k, name in enumerate(("mature", "new", "young")):
        at = bundle.scorer.baselines.find([name] * 20)
        np.testing.assert_array_equal(
            whole[20 * k : 20 * k + 20], score(bundle.scorer, values[20 * k : 20 * k + 20], None, at)
        )


def test_what_a_detector_is_fitted_on_is_what_its_transform_sees() -> None:
    rows = Rows(("a", "b"), np.array([[12.0, 1.0], [26.0, 2.0]]), np.array([0, 1]), ("mature", "young"), None, None)
    bundle = make_bundle()
    known: Scorable = scorable(rows, NO_HISTORY)
    np.testing.assert_allclose(prepare(known, bundle.scorer.baselines), [[2.0, 1.0], [3.0, 1.0]])
    np.testing.assert_array_equal(prepare(known, None), rows.values)


def test_a_state_that_the_table_does_not_know_takes_the_fleets_row() -> None:
    named = BaselineTable(
        ("a", "", ""), ("low", "low", ""), *(np.zeros(3, int), np.zeros(3, np.int8)), np.eye(3), np.ones((3, 3), "f4")
    )
    bundle = make_bundle()
    assert bundle.scorer.baselines is not None
    baselines = make_baselines(named)
    rows = Rows(
        ("x",), np.zeros((3, 1)), np.zeros(3, int), ("a",), None, None, None, (), np.array([0, 1, -1]), ("high", "low")
    )
    assert locate(baselines, rows).tolist() == [2, 0, 2]


def test_declared_baselines_must_be_there_and_no_others() -> None:
    bundle = make_bundle()
    manifest, graph = bundle.manifest, pack(bundle.manifest, b"")["model.onnx"]
    with pytest.raises(InputError, match="must hold exactly"):
        open_bundle(pack(manifest, graph))
    plain = msgspec.structs.replace(manifest, baselines=None)
    with pytest.raises(InputError, match="must hold exactly"):
        open_bundle(pack(plain, graph, TABLE))


def test_verdicts_without_strata_use_the_one_threshold() -> None:
    found = judge(Judge((2.0,), (CALIBRATION,)), np.array([1.0, 2.0, 5.0], np.float32))
    assert found.alerts.tolist() == [False, True, True]
    assert found.p_values.tolist() == [1.0, 0.75, 0.25]
    assert replace(found).strata.tolist() == [0, 0, 0]


@pytest.mark.parametrize("huge", [float("inf"), 1e30])
def test_infinite_and_huge_values_count_as_the_limit_of_the_transform(huge: float) -> None:
    scorer = replace(make_bundle().scorer, baselines=None)
    assert score(scorer, np.array([[huge, 0.0], [-huge, 0.0]])).tolist() == [1e6, -1e6]


def test_a_missing_value_is_never_scored() -> None:
    values = np.array([[1.0, 0.0], [np.nan, 0.0]])
    with pytest.raises(InputError, match="values: must not hold NaN, got 'row 1'"):
        score(make_bundle().scorer, values)
