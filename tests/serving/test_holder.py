"""A replica waits for its first bundle, and never lets go of a good one for a bad one."""

import logging
import pickle
import re
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
from onnx import helper, numpy_helper

from features.errors import InputError, UnreachableError
from features.storage import read_folder
from serving.bundle import pack
from serving.describe import state_of
from serving.holder import Holder
from serving.settings import BundleRef
from tests.serving.service import Service, publish, serve, store_files
from tests.serving.test_bundle import MANIFEST, sum_of
from training.export.model import make_model

ABSENT = "0" * 64


@pytest.fixture
def holder(tmp_path: Path) -> Holder:
    return serve(publish(tmp_path))


def config(bundle: BundleRef, previous: BundleRef | None = None) -> dict[str, Any]:
    """``user_config`` as a manifest has it."""
    return {"bundle": msgspec.to_builtins(bundle), "previous": msgspec.to_builtins(previous or BundleRef())}


def absent(store: Path, version: str = "2") -> BundleRef:
    return BundleRef((store / "absent").as_uri(), ABSENT, "m", version)


def wait_for(condition: Any) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_first_bundle_that_cannot_be_loaded_raises_so_that_serve_never_routes_there(tmp_path: Path) -> None:
    holder = Holder()
    with pytest.raises(UnreachableError, match="absent"):
        holder.configure(config(absent(tmp_path)))
    assert (holder.served, holder.failures) == (None, 1)


def test_a_first_bundle_is_waited_for_while_its_store_is_away_for_a_moment(tmp_path: Path) -> None:
    ref = publish(tmp_path)
    hidden = (tmp_path / ref.digest).rename(tmp_path / "hidden")
    holder = Holder()
    threading.Timer(0.2, lambda: hidden.rename(tmp_path / ref.digest)).start()
    holder.configure(config(ref))
    assert holder.served is not None
    assert (holder.served.ref, holder.error, holder.failures) == (ref, "", 0)


def test_the_previous_bundle_steps_in_for_a_first_one_that_is_broken(tmp_path: Path) -> None:
    good, holder = publish(tmp_path), Holder()
    holder.configure(config(absent(tmp_path), good))
    assert holder.served is not None
    assert holder.served.bundle.digest == good.digest
    assert holder.desired.digest == ABSENT
    assert "absent" in holder.error


def test_with_the_previous_one_broken_too_the_first_reason_is_raised(tmp_path: Path) -> None:
    http = BundleRef("https://elsewhere.example/b", ABSENT)
    with pytest.raises(InputError, match="https: is no scheme"):
        Holder().configure(config(http, absent(tmp_path)))


def test_a_later_bundle_that_is_broken_leaves_the_last_good_one_serving(holder: Holder, tmp_path: Path) -> None:
    good, second = holder.desired, publish(tmp_path, seed=2)
    (tmp_path / second.digest / "extra.pkl").write_bytes(b"")
    holder.configure(config(second))
    wait_for(lambda: bool(holder.error))
    assert holder.served is not None
    assert holder.served.ref == good
    assert Service(holder).predict({"data": [[5, 5, 5]]}).status == 200


def test_a_later_reconfigure_returns_in_under_50_ms_and_the_bundle_is_swapped_in(
    holder: Holder, tmp_path: Path
) -> None:
    second = publish(tmp_path, seed=2)
    started = time.perf_counter()
    holder.configure(config(second, holder.desired))
    assert time.perf_counter() - started < 0.05
    wait_for(lambda: holder.served is not None and holder.served.ref == second)
    assert Service(holder).predict({"data": [[5, 5, 5]]}).json["model"]["digest"] == second.digest
    assert holder.error == ""


def test_another_version_of_the_digest_that_is_served_loads_nothing(holder: Holder) -> None:
    assert holder.served is not None
    before = holder.served
    holder.configure(config(BundleRef("file:///gone", before.bundle.digest, "m", "9")))
    wait_for(lambda: holder.served.ref.version == "9")
    assert holder.served.bundle is before.bundle


def test_going_back_before_a_bundle_is_loaded_keeps_the_one_that_is_served(holder: Holder, tmp_path: Path) -> None:
    first = holder.desired
    for wish in (publish(tmp_path, seed=2), absent(tmp_path), first):
        holder.configure(config(wish))
    wait_for(lambda: not holder.loading)
    assert holder.served is not None
    assert (holder.served.ref, holder.error) == (first, "")


def test_a_failure_is_counted_and_logged_once_a_wish_with_its_reason(
    holder: Holder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR, "vigia.serving"):
        for number in (1, 2):
            holder.configure(config(absent(tmp_path, str(number))))
            wait_for(lambda number=number: holder.failures == number)
    assert len(caplog.records) == 2
    assert all("absent" in r.getMessage() and holder.desired.digest in r.getMessage() for r in caplog.records)


@pytest.mark.parametrize(
    ("broken", "named"),
    [
        ({"bundle": {"uri": 3}}, r"user_config\.bundle\.uri: expected `str`"),
        ({"bundle": [1]}, r"user_config\.bundle: expected `object"),
        ({"bundel": {}}, r"user_config: object contains unknown field `bundel`"),
        ({"log": {"url": "x"}}, r"user_config\.log: object contains unknown field `url`"),
        ({"limits": {"rows": 0}}, r"user_config\.limits\.rows: expected `int` >= 1"),
        ({"log": {"keep_days": 999_999_999}}, r"user_config\.log\.keep_days: expected `int` <= 36500"),
        ({"log": {"sample": 2}}, r"user_config\.log\.sample: expected `float` <= 1.0"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused_first_and_noted_later(
    holder: Holder, broken: Any, named: str
) -> None:
    with pytest.raises(InputError, match=named):
        Holder().configure(broken)
    settings = holder.settings
    holder.configure(broken)
    assert (holder.desired.digest, holder.failures, holder.settings) == ("", 1, settings)
    assert re.search(named, holder.error)
    assert Service(holder).predict({"data": [[5, 5, 5]]}).status == 200


def test_a_configuration_that_makes_no_sense_is_named_though_a_store_was_away_before_it(
    holder: Holder, tmp_path: Path
) -> None:
    holder.configure(config(absent(tmp_path)))
    wait_for(lambda: holder.failures == 1)
    holder.configure({"bundel": {}})
    wait_for(lambda: not holder.loading)
    assert "unknown field `bundel`" in holder.error
    assert holder.failures == 2


def test_whatever_is_wrong_with_a_first_bundle_the_previous_one_steps_in(tmp_path: Path) -> None:
    good = publish(tmp_path)
    files = read_folder(good.uri)
    trees = bytearray(files["attribution.npz"])
    trees[len(trees) // 2 : len(trees) // 2 + 9] = bytes(9)  # inside the compressed arrays
    holder = Holder()
    holder.configure(config(store_files(tmp_path, {**files, "attribution.npz": bytes(trees)}), good))
    assert holder.served is not None
    assert (holder.served.bundle.digest, state_of(holder)["error_kind"]) == (good.digest, "corrupt")


def test_a_store_that_is_away_is_asked_again_until_it_is_back(
    holder: Holder, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    second = publish(tmp_path, seed=2)
    hidden = (tmp_path / second.digest).rename(tmp_path / "hidden")
    with caplog.at_level(logging.ERROR, "vigia.serving"):
        holder.configure(config(second))
        wait_for(lambda: holder.failures == 1)
        time.sleep(1.2)  # two more tries
    assert (holder.failures, len(caplog.records)) == (1, 1)
    hidden.rename(tmp_path / second.digest)
    wait_for(lambda: holder.served is not None and holder.served.ref == second)
    assert holder.error == ""


def test_a_new_wish_does_not_wait_for_the_pause_of_an_old_one(holder: Holder, tmp_path: Path) -> None:
    holder.configure(config(absent(tmp_path)))
    wait_for(lambda: holder.failures == 1)
    time.sleep(1.6)  # the pause is now 2 s
    second = publish(tmp_path, seed=2)
    started = time.monotonic()
    holder.configure(config(second))
    wait_for(lambda: holder.served is not None and holder.served.ref == second)
    assert time.monotonic() - started < 1


def test_after_a_start_on_the_previous_bundle_the_desired_one_is_still_wished_for(tmp_path: Path) -> None:
    good, second, holder = publish(tmp_path), publish(tmp_path, seed=2), Holder()
    hidden = (tmp_path / second.digest).rename(tmp_path / "hidden")
    holder.configure(config(second, good))
    assert holder.served is not None
    assert holder.served.ref == good
    hidden.rename(tmp_path / second.digest)
    wait_for(lambda: holder.served is not None and holder.served.ref == second)


def test_limits_change_without_a_new_bundle(holder: Holder) -> None:
    assert Service(holder).predict({"data": [[5, 5, 5]] * 3}).status == 200
    holder.configure({**config(holder.desired), "limits": {"rows": 2, "body_bytes": 1024}})
    answer = Service(holder).predict({"data": [[5, 5, 5]] * 3})
    assert (answer.status, answer.json["field"]) == (422, "data")
    assert "1 to 2 rows" in answer.json["message"]
    answer = Service(holder).predict({"data": [[5, 5, 5]] * 100})
    assert (answer.status, answer.json["message"]) == (413, "the body may have 1,024 bytes")
    assert Service(holder).call("GET", "/model").json["max_rows"] == 2


@pytest.mark.parametrize("half", [BundleRef("file:///b"), BundleRef(digest=ABSENT), BundleRef(version="3")])
def test_half_a_wish_names_the_field(half: BundleRef) -> None:
    with pytest.raises(InputError, match=r"user_config\.bundle: must name a uri and a digest"):
        Holder().configure(config(half))


@pytest.mark.parametrize("empty", [{}, {"bundle": {}, "previous": {}}])
def test_before_the_first_promotion_a_replica_lives_and_is_not_ready(empty: dict[str, Any]) -> None:
    holder = Holder()
    holder.configure(empty)
    service = Service(holder)
    statuses = {path: service.call("GET", path).status for path in ("/health", "/ready", "/model", "/metrics")}
    assert statuses == {"/health": 200, "/ready": 503, "/model": 503, "/metrics": 200}
    assert service.predict({"data": [[1, 2, 3]]}).json["message"] == "no bundle is loaded yet"
    state = state_of(holder)
    assert (state["desired"], state["served"], state["error"]) == ("", "", "")


def test_the_first_promotion_is_loaded_before_reconfigure_returns(tmp_path: Path) -> None:
    holder, ref = Holder(), publish(tmp_path)
    holder.configure({})
    with pytest.raises(InputError):
        holder.configure(config(BundleRef(ref.uri, ABSENT)))
    holder.configure(config(ref))
    assert holder.served is not None
    assert holder.served.bundle.digest == ref.digest


@pytest.mark.parametrize("uri", ["models:/m/1", "http://h/b", "https://h/b", "runs:/1/b", "dbfs:/b", "MODELS:/m/1"])
def test_a_scheme_that_no_replica_loads_from_is_refused_by_name(uri: str) -> None:
    with pytest.raises(InputError, match=rf"user_config\.bundle\.uri: {uri.partition(':')[0]}: is no scheme"):
        Holder().configure(config(BundleRef(uri, ABSENT)))


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "hook.py", "weights.pt"])
def test_an_unknown_file_type_is_refused_by_name(tmp_path: Path, name: str) -> None:
    ref = store_files(tmp_path, pack(MANIFEST, sum_of(2)) | {name: b"x"})
    with pytest.raises(InputError, match=name):
        Holder().configure(config(ref))


def test_an_unknown_format_is_refused_by_name(tmp_path: Path) -> None:
    ref = store_files(tmp_path, pack(msgspec.structs.replace(MANIFEST, format=7), sum_of(2)))
    with pytest.raises(InputError, match=r"format: must be 1, got 7"):
        Holder().configure(config(ref))


@pytest.fixture
def unpickled() -> Iterator[list[str]]:
    """What pickle looked up by name."""
    found: list[str] = []
    on = True

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if on and event == "pickle.find_class":
            found.append(str(arguments))

    sys.addaudithook(hook)
    yield found
    on = False


class Danger:
    def __reduce__(self) -> Any:
        return print, ("unpickled",)


@pytest.mark.parametrize("name", ["bundle.json", "model.onnx", "baselines.parquet", "model.pkl"])
def test_nothing_is_unpickled(tmp_path: Path, unpickled: list[str], name: str) -> None:
    ref = store_files(tmp_path, pack(MANIFEST, sum_of(2)) | {name: pickle.dumps(Danger())})
    with pytest.raises(InputError):
        Holder().configure(config(ref))
    assert unpickled == []
    pickle.loads(pickle.dumps(Danger()))
    assert unpickled  # the check would notice


def test_a_bundle_that_cannot_score_a_row_is_refused_before_the_swap(holder: Holder, tmp_path: Path) -> None:
    nothing = numpy_helper.from_array(np.full((2, 1), np.nan, np.float32), "nothing")
    graph = make_model([helper.make_node("MatMul", ["features", "nothing"], ["score"])], [nothing], 2)
    holder.configure(config(store_files(tmp_path, pack(MANIFEST, graph))))
    wait_for(lambda: bool(holder.error))
    assert "must give a finite score" in holder.error
    assert Service(holder).predict({"data": [[5, 5, 5]]}).status == 200
