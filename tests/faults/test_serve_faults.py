"""A real service whose next bundle is broken: the good one serves on, everywhere, and the fleet says what is wrong."""

import os
import pickle
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from features.errors import UnreachableError
from features.storage import read_folder
from flows.adapters.serve_api import ServeApi
from serving.settings import BundleRef
from tests.load import processes
from tests.load.ray_service import RayService, Setup, running
from tests.load.store import Store, store
from tests.load.swap import bundles_in, swap_under_load
from tests.serving.service import store_files

_ROW = {"data": [[5.0, 5.0, 5.0]]}
Fault = Callable[["Scene"], BundleRef]
States = list[dict[str, Any]]


@dataclass(frozen=True)
class Scene:
    """A service of one replica that serves ``bundles[0]``; all of them are good and lie in the store."""

    service: RayService
    place: Store
    bundles: list[BundleRef]
    folder: Path

    @property
    def good(self) -> BundleRef:
        """What is served at first."""
        return self.bundles[0]

    def wants(self, wanted: BundleRef, **deployment: Any) -> None:
        """Promote: the good one steps down to previous."""
        self.service.apply(Setup(wanted, self.good, deployment=deployment))

    def expect(self, desired: BundleRef, served: BundleRef, error: str = "", replicas: int = 1) -> States:
        """Wait until this many replicas say so, with ``error`` in their reason (none without)."""

        def says(state: dict[str, Any]) -> bool:
            pair = (state.get("desired"), state.get("served"))
            return pair == (desired.digest, served.digest) and bool(error) == bool(state["error"])

        states = self.service.wait(lambda found: len(found) == replicas and all(map(says, found)))
        assert all(error in state["error"] and state["node"] for state in states), states
        answers = [self.service.api.predict(_ROW) for _ in range(10 * replicas)]
        assert {answer["model"]["digest"] for answer in answers} == {served.digest}
        return states


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    folder = tmp_path_factory.mktemp("scene")
    with store() as place:
        bundles = bundles_in(place, folder / "good", 3)
        with running(Setup(bundles[0]), place.environment) as service:
            yield Scene(service, place, bundles, folder)


@pytest.fixture(autouse=True)
def _good_again(scene: Scene) -> Iterator[None]:
    scene.place.behave()
    scene.wants(scene.good, num_replicas=1)
    scene.expect(scene.good, scene.good)
    yield
    scene.place.behave()


def _files(scene: Scene) -> dict[str, bytes]:
    return read_folder(f"s3://{scene.place.bucket}/{scene.bundles[1].digest}", endpoint=scene.place.endpoint)


def _stored(scene: Scene, **changed: bytes) -> BundleRef:
    """A bundle under its right digest, with some files changed or added."""
    return store_files(scene.folder, _files(scene) | {name.replace("_", "."): text for name, text in changed.items()})


def _other_digest(scene: Scene) -> BundleRef:
    return msgspec.structs.replace(scene.bundles[1], digest="0" * 64)


def _truncated(scene: Scene) -> BundleRef:
    files, whole = _files(scene), scene.bundles[1]
    cut = store_files(scene.folder, files | {"model.onnx": files["model.onnx"][:-100]})
    return msgspec.structs.replace(cut, digest=whole.digest)


def _corrupt_graph(scene: Scene) -> BundleRef:
    return _stored(scene, model_onnx=b"\x08\x0a" + os.urandom(500))


def _format_of_tomorrow(scene: Scene) -> BundleRef:
    manifest = msgspec.json.decode(_files(scene)["bundle.json"]) | {"format": 99}
    return _stored(scene, bundle_json=msgspec.json.encode(manifest))


class _Bomb:
    """Leaves a file where it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> Any:
        return Path.touch, (self.mark,)


def _planted_pickle(scene: Scene) -> BundleRef:
    return _stored(scene, model_pkl=pickle.dumps(_Bomb(scene.folder / "exploded")))


FAULTS: dict[str, tuple[Fault, str]] = {
    "another digest": (_other_digest, "must have digest 000000"),
    "a truncated graph": (_truncated, "must have digest"),
    "a corrupt graph": (_corrupt_graph, "model.onnx: not a readable ONNX graph"),
    "an unknown format": (_format_of_tomorrow, "format: must be 1, got 99"),
    "a planted pickle": (_planted_pickle, "model.pkl"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_the_good_bundle_serves_on_and_the_reason_is_told(scene: Scene, fault: str) -> None:
    make, reason = FAULTS[fault]
    broken = make(scene)
    scene.wants(broken)
    scene.expect(broken, scene.good, reason)
    assert not (scene.folder / "exploded").exists()


def test_a_store_that_is_gone_is_told_and_asked_again_until_it_is_back(scene: Scene) -> None:
    scene.place.behave(away=True)
    scene.wants(scene.bundles[1])
    scene.expect(scene.bundles[1], scene.good, "the store must answer")
    scene.place.behave()
    scene.expect(scene.bundles[1], scene.bundles[1])


def test_two_changes_from_a_store_that_takes_2_s_lose_no_request(scene: Scene) -> None:
    scene.place.behave(delay_s=2)
    found = swap_under_load(scene.service, [scene.good, scene.bundles[2], scene.good], per_s=300, quiet_s=1)
    assert [change.digest for change in found.changes] == [scene.bundles[2].digest, scene.good.digest]
    assert found.changes[0].served - found.changes[0].asked > 2  # the way back is short: the node kept that bundle
    assert len(found.answers) > 600
    assert found.failed == []
    assert found.wrong() == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_new_and_reborn_replicas_serve_the_good_bundle_while_the_desired_one_is_broken(
    scene: Scene, fault: str
) -> None:
    make, reason = FAULTS[fault]
    broken = make(scene)
    scene.wants(broken)
    first = {state["replica"] for state in scene.expect(broken, scene.good, reason)}
    scene.wants(broken, num_replicas=3)
    three = {state["replica"] for state in scene.expect(broken, scene.good, reason, replicas=3)}
    assert first < three
    victim = processes.replicas(scene.service.mark)[0]
    os.kill(victim, signal.SIGKILL)

    def reborn(states: States) -> bool:
        found = {state.get("replica") for state in states}  # the dead one is shown without a name until it is gone
        return len(found) == 3 and None not in found and found != three

    after = {state["replica"] for state in scene.service.wait(reborn)}
    assert len(after & three) == 2
    scene.expect(broken, scene.good, reason, replicas=3)


def _in_a_row(api: ServeApi, count: int, within_s: float) -> set[str]:
    """Digests in that many answers, none of which failed in between."""
    end, found = time.monotonic() + within_s, list[str]()
    while len(found) < count:
        assert time.monotonic() < end
        try:
            found.append(api.predict(_ROW)["model"]["digest"])
        except UnreachableError:
            found.clear()
    return set(found)


@pytest.mark.slow
def test_a_replica_that_hangs_is_told_of_by_another_and_does_not_keep_requests_for_long(scene: Scene) -> None:
    scene.wants(scene.good, num_replicas=2)
    scene.expect(scene.good, scene.good, replicas=2)
    hung = processes.replicas(scene.service.mark)[0]
    os.kill(hung, signal.SIGSTOP)
    try:
        hasty = replace(scene.service, api=replace(scene.service.api, timeout_s=4.0))  # HAProxy asks the hung one too
        states = hasty.wait(lambda found: any("no answer" in state["error"] for state in found))
        assert [state.get("served") for state in states] == [scene.good.digest, None]
        assert _in_a_row(hasty.api, 20, within_s=30) == {scene.good.digest}  # HAProxy has found out
    finally:
        os.kill(hung, signal.SIGCONT)
    scene.expect(scene.good, scene.good, replicas=2)
