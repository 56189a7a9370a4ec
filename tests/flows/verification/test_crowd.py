"""Many promotions at once, each followed by its verification."""

import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import msgspec
import pytest

from features.errors import RolloutError, VigiaError
from features.storage import local_path
from flows.promotion.admission import GATE
from flows.promotion.judge import Rules
from flows.steps.promote import promote
from flows.steps.verify import verify
from serving.bundle import pack
from tests.flows.verification.conftest import MODEL, Place
from tests.flows.verification.quiet import Quiet
from tests.serving.service import store_files
from tests.serving.test_bundle import MANIFEST, sum_of

PATIENT = Rules(rounds=3, over_s=0.1, timeout_s=240.0)


def register(place: Place, count: int) -> list[str]:
    """That many versions which no gate objects to."""
    store, registry = local_path(place.refs[0].uri).parent, place.doors.registry
    versions = []
    for number in range(count):
        ref = store_files(store, pack(msgspec.structs.replace(MANIFEST, seed=100 + number), sum_of(2)))
        version = registry.register(MODEL, ref.uri, ref.digest, "").version
        registry.tag_version(MODEL, version, {GATE: "pass"})
        versions.append(version)
    return versions


def promote_and_verify(place: Place, version: str) -> str:
    """How it ended: verified, or stopped by a promotion that came first."""
    try:
        promote(place.doors.environment, place.doors.registry, MODEL, version)
        done = verify(place.doors, PATIENT, Quiet(), version)
    except RolloutError as error:
        return f"stopped: {error}"
    return f"verified {done.version}"


def crowd(place: Place, versions: list[str]) -> list[str]:
    """How each promotion ended, with a controller at work meanwhile."""
    over = threading.Event()

    def controller() -> None:
        while not over.is_set():
            with suppress(VigiaError):  # nothing is promoted yet
                place.apply()
            time.sleep(0.05)

    thread = threading.Thread(target=controller)
    thread.start()
    try:
        with ThreadPoolExecutor(len(versions)) as pool:
            return list(pool.map(lambda version: promote_and_verify(place, version), versions))
    finally:
        over.set()
        thread.join()


def git(place: Place, *arguments: str) -> list[str]:
    command = ["git", *arguments]
    repository = place.doors.environment.repository
    return subprocess.run(command, cwd=repository, capture_output=True, check=True, text=True).stdout.splitlines()


def hold(place: Place, count: int) -> list[str]:
    """Promote that many at once, and hold what came of it to what was promised; how each ended."""
    before = len(git(place, "rev-list", "main"))
    ended = crowd(place, register(place, count))
    commits = git(place, "rev-list", "--reverse", "main")
    champions = [move for move in place.doors.log.read() if move.alias == "champion-local"]
    assert place.alias("champion") == place.head["version"]
    assert champions[-1].version == place.alias("champion")
    order = [commits.index(move.commit) for move in champions]
    assert order == sorted(order)
    verified = {move.version for move in champions}
    assert all(end.startswith("stopped: ") or end.removeprefix("verified ") in verified for end in ended), ended
    assert any(end.startswith("verified") for end in ended), ended
    assert git(place, "rev-list", "--merges", "main") == []
    subjects = git(place, "log", "--format=%s", f"-{len(commits) - before}", "main")
    assert all(subject.startswith("Promote ") for subject in subjects)
    assert git(place, "fsck", "--strict", "--no-dangling") == []
    return ended


def test_five_promotions_at_once_leave_one_champion_and_an_alias_that_never_went_back(place: Place) -> None:
    assert len(hold(place, 5)) == 5


@pytest.mark.slow
def test_twenty_promotions_at_once_leave_one_champion_and_an_alias_that_never_went_back(place: Place) -> None:
    assert len(hold(place, 20)) == 20
