"""What an answer of /predict says beside the score: severity, reasons, implausible values; rows by feature name."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from serving.attribution import MAX_EXPLAINED
from serving.bundle import pack
from tests.serving.service import Service, publish, serve, store_files
from tests.serving.test_bundle import MANIFEST, sum_of

WILD = [50, -50, 50]


def test_the_documented_call_answers(store: Path) -> None:
    service = Service(serve(publish(store, features=tuple("abcdefghij"))))
    body = b'{"data": [[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0]]}'
    answer = service.call("POST", "/predict", body, content_type="application/json")
    assert answer.status == 200
    assert set(answer.json) == {"scores", "alerts", "p_values", "severity", "model"}


def test_severity_is_the_score_by_the_threshold(forest: Service) -> None:
    threshold = forest.call("GET", "/model").json["threshold"]
    answer = forest.predict({"data": [[5, 5, 5], WILD]}).json
    assert answer["severity"] == pytest.approx([score / threshold for score in answer["scores"]])
    assert [severity >= 1 for severity in answer["severity"]] == answer["alerts"] == [False, True]


def test_severity_is_null_where_the_threshold_is_not_above_zero(tmp_path: Path) -> None:
    files = pack(msgspec.structs.replace(MANIFEST, threshold=0.0), sum_of(2))
    answer = Service(serve(store_files(tmp_path, files))).predict({"data": [[2, 3]]})
    assert answer.json["severity"] == [None]


def test_rows_may_be_objects_by_feature_name(forest: Service) -> None:
    by_name = forest.predict({"data": [{"c": 3, "a": 1, "b": 2}, {"a": 4, "b": 5, "c": 6}]})
    assert by_name.json == forest.predict({"data": [[1, 2, 3], [4, 5, 6]]}).json


def test_history_may_be_objects_too(autoencoder: Service) -> None:
    row, named = [1, 2, 3], {"c": 3, "b": 2, "a": 1}
    by_name = autoencoder.predict({"data": [named], "history": [[named, named]]})
    assert by_name.json == autoencoder.predict({"data": [row], "history": [[row, row]]}).json


@pytest.mark.parametrize(
    ("row", "field", "words"),
    [
        ({"a": 1, "b": 2}, "data[1].c", "must have 3 values (a, b, c), got 2"),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, "data[1]", "no other values than a, b, c, got 'd'"),
        ({"a": 1, "b": "x", "c": 3}, "data[1].b", "Expected `float`, got `str`"),
        ({"a": 1, "b": None, "c": 3}, "data[1].b", "Expected `float`, got `null`"),
        ([1, 2, 3], "data[1]", "must be a dict as data[0] is"),
        (3, "data[1]", "Expected `object | array`, got `int`"),
    ],
)
def test_a_bad_object_is_refused_naming_row_and_column(forest: Service, row: Any, field: str, words: str) -> None:
    answer = forest.predict({"data": [{"a": 1, "b": 2, "c": 3}, row]})
    assert (answer.status, answer.json["field"]) == (422, field)
    assert words in answer.json["message"]


def test_an_unknown_field_is_refused_with_those_that_are_known(forest: Service) -> None:
    answer = forest.predict({"data": [[1, 2, 3]], "series": ["a"]})
    assert (answer.status, answer.json["field"]) == (422, "series")
    assert answer.json["message"].endswith("unknown field `series`; known are data, history, series_ids, regime")


@pytest.mark.parametrize("field", ["series_ids", "regime"])
def test_a_name_as_long_as_a_body_is_refused(forest: Service, field: str) -> None:
    assert forest.predict({"data": [[1, 2, 3]], field: ["é" * 1_000]}).status == 200
    answer = forest.predict({"data": [[1, 2, 3]] * 2, field: [None, "s" * 1_001]})
    assert (answer.status, answer.json["field"]) == (422, f"{field}[1]")
    assert "length <= 1000" in answer.json["message"]


def test_a_bad_value_is_refused_naming_row_and_column(forest: Service) -> None:
    answer = forest.predict({"data": [[1, 2, 3], [1, "x", 3]]}).json
    assert answer["field"] == "data[1][1]"
    assert answer["message"] == "data[1][1]: b: Expected `float`, got `str`"


def test_implausible_values_are_scored_and_flagged(forest: Service, plain: Service) -> None:
    rows = {"data": [[5, 5, 500], [-1, 11, 5], [0, 10, 5], [5, 1e300, 5]]}
    answer = forest.predict(rows).json
    assert answer["out_of_range"] == [[], ["a", "b"], [], ["b"]]
    assert answer["scores"] == plain.predict(rows).json["scores"]
    assert "out_of_range" not in plain.predict(rows).json


def reasons(service: Service, body: Any) -> Any:
    answer = service.predict(body, b"explain=true")
    assert answer.status == 200
    return answer.json["reasons"]


def test_with_explain_alert_rows_have_their_three_main_features(forest: Service) -> None:
    found = reasons(forest, {"data": [[5, 5, 5], [60, 5, -60], WILD]})
    assert found["method"] == "expected_path"
    assert sorted(row["row"] for row in found["rows"]) == [1, 2]
    tops = {row["row"]: row["top"] for row in found["rows"]}
    assert {(reason["feature"], reason["direction"]) for reason in tops[1][:2]} == {("a", "above"), ("c", "below")}
    for top in tops.values():
        shares = [reason["share"] for reason in top]
        assert shares == sorted(shares, reverse=True)
        assert 0 < sum(shares) <= 1 + 1e-9


def test_without_explain_there_are_no_reasons(forest: Service) -> None:
    for query in (b"", b"explain=false"):
        assert "reasons" not in forest.predict({"data": [WILD]}, query).json


@pytest.mark.parametrize("query", [b"explain=1", b"explain=", b"explain=true%ff"])
def test_explain_is_true_or_false(forest: Service, query: bytes) -> None:
    answer = forest.predict({"data": [WILD]}, query)
    assert (answer.status, answer.json["field"]) == (422, "explain")


def test_an_autoencoder_is_explained_by_what_its_graph_says_of_other_rows(autoencoder: Service) -> None:
    found = reasons(autoencoder, {"data": [[5, 5, 5]], "history": [[[5, 90, 5], [5, -80, 5]]]})
    assert found["method"] == "first_and_last"
    assert found["rows"][0]["top"][0]["feature"] == "b"


def test_the_number_of_rows_that_are_explained_is_bounded_and_the_worst_come_first(forest: Service) -> None:
    rows = np.random.default_rng(0).normal(5, 60, (400, 3)).tolist()
    answer = forest.predict({"data": rows}, b"explain=true").json
    found, alerts = answer["reasons"], sum(answer["alerts"])
    assert len(found["rows"]) == MAX_EXPLAINED < alerts
    assert found["left_out"] == alerts - MAX_EXPLAINED
    scores = [answer["scores"][row["row"]] for row in found["rows"]]
    assert scores == sorted(answer["scores"], reverse=True)[:MAX_EXPLAINED]


def test_a_long_body_is_worked_on_beside_the_loop_and_answers_the_same(forest: Service) -> None:
    rows = np.random.default_rng(0).normal(5, 2, (9_000, 3)).tolist()
    whole = forest.predict({"data": rows})
    assert len(str(rows)) > 24 * 1024
    assert whole.json["scores"][-3:] == forest.predict({"data": rows[-3:]}).json["scores"]


def test_a_row_at_rest_has_no_severity_and_no_reasons(forest: Service) -> None:
    answer = forest.predict({"data": [WILD, WILD], "regime": ["off", None]}, b"explain=true").json
    assert (answer["severity"][0], answer["alerts"]) == (None, [False, True])
    assert [row["row"] for row in answer["reasons"]["rows"]] == [1]
