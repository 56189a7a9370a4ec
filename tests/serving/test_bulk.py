"""Many rows at once: Arrow IPC streams and little-endian float32, in and out."""

import io
import tracemalloc
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from serving.holder import Holder
from serving.loading import Served
from serving.settings import BundleRef
from tests.serving.service import Answer, Service
from tests.serving.test_strata import make_bundle

ARROW, FLOATS = "application/vnd.apache.arrow.stream", "application/octet-stream"
ROWS = np.random.default_rng(0).normal(5, 4, (50, 3)).astype("<f4")


def stream(table: pa.Table, **options: Any) -> bytes:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(**options)) as writer:
        writer.write_table(table, max_chunksize=20)
    return sink.getvalue()


def table(rows: np.ndarray = ROWS, **more: Any) -> pa.Table:
    return pa.table({name: rows[:, number] for number, name in enumerate("abc")} | more)


def ask(service: Service, body: bytes, kind: str, accept: str = "*/*") -> Answer:
    return service.predict(body, content_type=kind, accept=accept)


@pytest.fixture
def baselined() -> Service:
    """The bundle with baselines of test_strata; features a and b."""
    holder, bundle = Holder(), make_bundle()
    holder.served = Served(BundleRef("u", bundle.digest, "m", "1"), bundle, 0.0)
    return Service(holder)


def test_arrow_rows_score_as_json_rows_do_whatever_the_order_of_columns(forest: Service) -> None:
    expected = forest.predict({"data": ROWS.tolist()}).json
    assert ask(forest, stream(table().select(["c", "a", "b"])), ARROW).json == expected
    assert ask(forest, stream(table().select(["c", "a", "b"])), f"{ARROW}; charset=x").json == expected


def test_float32_rows_score_as_json_rows_do(forest: Service) -> None:
    assert ask(forest, ROWS.tobytes(), FLOATS).json == forest.predict({"data": ROWS.tolist()}).json


def test_the_answer_is_arrow_where_accept_asks(forest: Service) -> None:
    expected = forest.predict({"data": ROWS.tolist()}).json
    answer = ask(forest, stream(table()), ARROW, accept=ARROW)
    assert answer.headers["content-type"] == ARROW
    found = pa.ipc.open_stream(answer.body).read_all()
    assert found.column_names == ["score", "alert", "p_value", "severity", "out_of_range"]
    for column, name in (("score", "scores"), ("alert", "alerts"), ("p_value", "p_values"), ("severity", "severity")):
        assert found[column].to_pylist() == expected[name]
    assert found["out_of_range"].to_pylist() == expected["out_of_range"]
    assert found.schema.metadata[b"digest"].decode() == expected["model"]["digest"] == answer.headers["x-model-digest"]


def test_the_answer_is_the_scores_as_float32_where_accept_asks(forest: Service) -> None:
    answer = ask(forest, ROWS.tobytes(), FLOATS, accept=f"text/html, {FLOATS};q=0.9, */*")
    assert answer.headers["content-type"] == FLOATS
    expected = forest.predict({"data": ROWS.tolist()}).json
    assert np.frombuffer(answer.body, "<f4").tolist() == expected["scores"]
    assert answer.headers["x-model-digest"] == expected["model"]["digest"]


def test_series_and_regime_are_columns_of_text(baselined: Service) -> None:
    names = ["mature", "young", None, "new"]
    rows = pa.table({"a": [12.5] * 4, "b": [0] * 4, "series": names, "regime": ["x", None, "off", "y"]})
    body = {"data": [[12.5, 0]] * 4, "series_ids": names, "regime": ["x", None, "off", "y"]}
    expected = baselined.predict(body).json
    for given in (rows, rows.set_column(2, "series", rows["series"].dictionary_encode())):
        answer = ask(baselined, stream(given), ARROW, accept=ARROW)
        found = pa.ipc.open_stream(answer.body).read_all()
        assert found["score"].to_pylist() == expected["scores"]
        assert found["baseline"].to_pylist() == expected["baselines"] == ["mature", "young", "unseen", "unseen"]
    assert np.isnan(np.frombuffer(ask(baselined, stream(rows), ARROW, accept=FLOATS).body, "<f4")[2])


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (table().drop_columns(["b"]), "must have the columns a, b, c"),
        (table(d=ROWS[:, 0]), "no other column, got 'd'"),
        (pa.table([ROWS[:, 0]] * 4, names=["a", "b", "c", "a"]), "must have each of"),
        (table(series=ROWS[:, 0]), "data.series: must be a column of text, got 'float'"),
        (table().set_column(1, "b", pa.array(["x"] * 50)), "data.b: must be a column of numbers"),
        (table().set_column(1, "b", pa.nulls(50, pa.float64())), "data[0].b: b must not be null"),
        (table().set_column(1, "b", pa.nulls(50)), "data.b: must be a column of numbers"),
        (table(np.where(np.arange(150).reshape(50, 3) == 7, np.nan, ROWS)), "data[2][1]: b must be finite"),
        (table()[:0], "must have 1 to 10,000 rows"),
        (table(np.ones((10_001, 3), "f4")), "must have 1 to 10,000 rows"),
        (pa.table({name: pa.nulls(10**6) for name in "abc"}), "must have 1 to 10,000 rows"),
        (table(series=["s"] * 7 + ["s" * 1_001] * 43), "data[7].series: must have at most 1,000 characters, got 1001"),
    ],
)
def test_a_stream_that_does_not_fit_is_refused_naming_the_column(forest: Service, given: pa.Table, words: str) -> None:
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, given.schema) as writer:
        writer.write_table(given)
    answer = ask(forest, sink.getvalue(), ARROW)
    assert answer.status == 422
    assert words in answer.json["message"]


def test_rows_that_share_a_long_text_do_not_take_its_memory_each(forest: Service) -> None:
    shared = pa.DictionaryArray.from_arrays(np.zeros(10_000, np.int32), ["s" * 100_000])
    body = stream(table(np.ones((10_000, 3), "f4"), series=shared))
    tracemalloc.start()
    try:
        answer = ask(forest, body, ARROW)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (answer.status, answer.json["field"]) == (422, "data[0].series")
    assert most < 20e6  # and not the 1 GB of 10,000 copies


@pytest.mark.parametrize("codec", ["lz4", "zstd"])
def test_a_compressed_stream_is_refused_before_it_is_unpacked(forest: Service, codec: str) -> None:
    answer = ask(forest, stream(table(np.ones((5_000, 3), "f4")), compression=codec), ARROW)
    assert (answer.status, answer.json["message"]) == (422, "data: must not be compressed")


@pytest.mark.parametrize("body", [b"", b"\xff\xff\xff\xff", b"PAR1", b'{"data": [[1, 2, 3]]}', stream(table())[:300]])
def test_what_is_no_stream_is_refused(forest: Service, body: bytes) -> None:
    answer = ask(forest, body, ARROW)
    assert answer.status == 422
    assert "Arrow IPC stream" in answer.json["message"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "rows of 3 float32, 12 bytes each, got '0 bytes'"),
        (ROWS.tobytes()[:-1], "12 bytes each"),
        (np.array([[1, np.nan, 3]], "<f4").tobytes(), "data[0][1]: b must be finite"),
        (np.ones((10_001, 3), "<f4").tobytes(), "must have 1 to 10,000 rows"),
    ],
)
def test_float32_that_does_not_fit_is_refused(forest: Service, body: bytes, words: str) -> None:
    answer = ask(forest, body, FLOATS)
    assert answer.status == 422
    assert words in answer.json["message"]


@pytest.mark.parametrize(("kind", "body"), [(ARROW, stream(table())), (FLOATS, ROWS.tobytes())])
def test_a_model_with_history_takes_json_only_and_says_what_it_needs(
    autoencoder: Service, kind: str, body: bytes
) -> None:
    answer = ask(autoencoder, body, kind)
    assert (answer.status, answer.json["field"]) == (422, "history")


def test_reasons_are_not_given_in_binary(forest: Service) -> None:
    answer = forest.predict(ROWS.tobytes(), b"explain=true", content_type=FLOATS, accept=FLOATS)
    assert (answer.status, answer.json["field"]) == (422, "explain")
    assert forest.predict(ROWS.tobytes(), b"explain=true", content_type=FLOATS).json["reasons"]


@pytest.mark.parametrize("headers", [{"content_type": "text/csv"}, {"content_encoding": "gzip"}])
def test_another_content_type_or_encoding_is_415(forest: Service, headers: dict[str, str]) -> None:
    answer = forest.predict(b"a,b,c", **headers)
    assert (answer.status, answer.json["code"]) == (415, 415)
    assert answer.json["field"] in ("content-type", "content-encoding")
