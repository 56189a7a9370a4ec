"""What a bundle must be before anything in it is believed."""

from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from features.errors import InputError, UnreachableError
from features.storage import publish_folder
from serving.bundle import ATTRIBUTION, REFERENCE, beside, digest_of, load_bundle, open_bundle, pack
from serving.manifest import Budget, Manifest, PastRows, RobustScaling
from serving.scorer import score
from serving.verdict import Calibration
from training.export.model import make_model


def sum_of(width: int) -> bytes:
    """A graph whose score is the sum of the features."""
    ones = numpy_helper.from_array(np.ones((width, 1), np.float32), "ones")
    return make_model([helper.make_node("MatMul", ["features", "ones"], ["score"])], [ones], width)


MANIFEST = Manifest(
    format=1,
    family="isolation_forest",
    parameters={"n_estimators": 10, "bootstrap": False},
    features=["a", "b"],
    transform=RobustScaling([1.0, 2.0], [1.0, 0.5], 1e6),
    threshold=2.5,
    alpha=0.5,
    calibration=Calibration(3, [1.0, 2.0, 3.0], [3, 2, 1]),
    budget=Budget("row_rate", 0.5, 0.33, 3600.0, "the table has no time"),
    seed=7,
    simulated=True,
)


def with_values(**values: Any) -> dict[str, bytes]:
    """A bundle whose bundle.json has some values replaced."""
    files = pack(MANIFEST, sum_of(2))
    return files | {"bundle.json": msgspec.json.encode(msgspec.json.decode(files["bundle.json"]) | values)}


def test_a_packed_bundle_opens_and_scores() -> None:
    files = pack(MANIFEST, sum_of(2))
    bundle = open_bundle(files)
    assert bundle.manifest == MANIFEST
    assert bundle.digest == digest_of(files)
    assert score(bundle.scorer, np.array([[2.0, 3.0]])).tolist() == [3.0]


def test_packing_twice_gives_the_same_bytes() -> None:
    assert pack(MANIFEST, sum_of(2)) == pack(MANIFEST, sum_of(2))


@pytest.mark.parametrize(
    "other", [{"a": b"1", "b": b"3"}, {"a": b"1", "c": b"2"}, {"a": b"1"}, {"a": b"12", "b": b""}, {"a\x001": b"b2"}]
)
def test_the_digest_changes_with_content_and_name(other: dict[str, bytes]) -> None:
    files = {"a": b"1", "b": b"2"}
    assert digest_of(files) == digest_of({"b": b"2", "a": b"1"})
    assert digest_of(other) != digest_of(files)
    assert len(digest_of(files)) == 64


@pytest.mark.parametrize("name", ["model.pkl", "__init__.py"])
def test_any_other_file_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"bundle: must hold exactly .*{name}"):
        open_bundle(pack(MANIFEST, sum_of(2)) | {name: b"x"})


def test_reference_rows_belong_to_the_digest_but_are_not_read_to_serve() -> None:
    files = pack(MANIFEST, sum_of(2), beside={REFERENCE: b"no parquet"})
    assert beside(files) == {REFERENCE: b"no parquet"}
    assert open_bundle(files).digest == digest_of(files) != digest_of(pack(MANIFEST, sum_of(2)))


def test_trees_for_reasons_are_read_and_must_fit_the_graph() -> None:
    with pytest.raises(InputError, match=r"attribution\.npz: cannot be read"):
        open_bundle(pack(MANIFEST, sum_of(2), beside={ATTRIBUTION: b"no zip"}))
    assert open_bundle(pack(MANIFEST, sum_of(2))).forest is None


def test_a_missing_file_is_refused() -> None:
    files = pack(MANIFEST, sum_of(2))
    del files["model.onnx"]
    with pytest.raises(InputError, match="bundle: must hold exactly"):
        open_bundle(files)


def test_an_unknown_format_is_named_even_where_other_keys_are_unknown() -> None:
    with pytest.raises(InputError, match=r"bundle\.json format: must be 1, got 2"):
        open_bundle(with_values(format=2, invention=True))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"invention": 1}, "unknown field `invention`"),
        ({"alpha": 0}, r"\$\.alpha"),
        ({"threshold": None}, r"\$\.threshold"),
        ({"history": {"rows": 0, "reducers": ["mean"], "max_gap_s": 1}}, r"\$\.history\.rows"),
        ({"history": {"rows": 1, "reducers": ["median"], "max_gap_s": 1}}, r"\$\.history\.reducers"),
        ({"transform": {"kind": "robust", "centre": [0, 0], "scale": [1, 0], "limit": 1}}, r"\$\.transform\.scale"),
    ],
)
def test_a_manifest_that_breaks_a_rule_is_refused(values: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=f"bundle.json: .*{message}"):
        open_bundle(with_values(**values))


def test_a_manifest_that_is_not_json_is_refused() -> None:
    with pytest.raises(InputError, match=r"bundle\.json"):
        open_bundle(pack(MANIFEST, sum_of(2)) | {"bundle.json": b"{"})


def test_a_model_that_is_not_onnx_is_refused() -> None:
    with pytest.raises(InputError, match=r"model\.onnx: not a readable ONNX graph"):
        open_bundle(pack(MANIFEST, b"\x80\x04not a graph"))


@pytest.mark.parametrize("shape", [[None, None], [None, "d"], [None], [None, 2, 1]])
def test_a_graph_must_take_a_matrix_of_a_known_width(shape: list[Any]) -> None:
    model = onnx.load_from_string(sum_of(2))
    taken = helper.make_tensor_value_info("features", TensorProto.FLOAT, shape)
    model.graph.input[0].CopyFrom(taken)
    with pytest.raises(InputError, match=r"model\.onnx: (must take one matrix|not a readable)"):
        open_bundle(pack(MANIFEST, model.SerializeToString()))


@pytest.mark.parametrize("files", [pack(MANIFEST, sum_of(3)), with_values(features=["a"])])
def test_features_transform_and_graph_must_have_one_width(files: dict[str, bytes]) -> None:
    with pytest.raises(InputError, match="must have one width"):
        open_bundle(files)


def test_a_bundle_with_history_takes_the_width_of_the_expanded_features() -> None:
    expanded = RobustScaling([0.0] * 6, [1.0] * 6, 1e6)
    manifest = msgspec.structs.replace(MANIFEST, transform=expanded, history=PastRows(2, ["mean", "slope"], 900.0))
    bundle = open_bundle(pack(manifest, sum_of(6)))
    assert bundle.manifest == manifest
    # own values 3 and 0, means 2 and 0, slopes 1 and 0
    past = np.array([[[1.0, 0.0], [2.0, 0.0]]])
    assert score(bundle.scorer, np.array([[3.0, 0.0]]), past).tolist() == [6.0]
    with pytest.raises(InputError, match="must have one width"):
        open_bundle(pack(manifest, sum_of(2)))


def test_a_bundle_written_before_there_was_history_has_none() -> None:
    files = with_values()
    older = msgspec.json.decode(files["bundle.json"])
    del older["history"]
    assert open_bundle(files | {"bundle.json": msgspec.json.encode(older)}).manifest == MANIFEST


def test_a_published_bundle_loads_by_its_digest(tmp_path: Path) -> None:
    files = pack(MANIFEST, sum_of(2))
    publish_folder(files, tmp_path / "bundle")
    assert load_bundle(str(tmp_path / "bundle"), digest_of(files)).manifest == MANIFEST


@pytest.mark.parametrize("change", [{"bundle.json": b"no json"}, {"model.onnx": b"no graph"}, {"model.pkl": b"x"}])
def test_a_wrong_digest_is_refused_before_anything_is_parsed(tmp_path: Path, change: dict[str, bytes]) -> None:
    files = pack(MANIFEST, sum_of(2))
    publish_folder(files | change, tmp_path / "bundle")
    with pytest.raises(InputError, match=r"bundle\.digest: content of .* must have digest"):
        load_bundle(str(tmp_path / "bundle"), digest_of(files))


def test_an_absent_bundle_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        load_bundle(str(tmp_path / "absent"), "0" * 64)
