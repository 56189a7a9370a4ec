"""What git says reaches the service, and is verified."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import yaml

from features.errors import InputError
from flows.adapters.git import commit_change, read_head
from flows.adapters.serve_api import ServeApi
from flows.steps.reconcile import reconcile, watch
from serving.failure import Kind
from tests.flows.verification.conftest import QUICK, Place
from tests.flows.verification.test_verify import damage

OTHER = {"name": "another", "route_prefix": "/other", "import_path": "other:app", "deployments": [{"name": "Other"}]}


def add_an_application_before_ours(place: Place) -> None:
    """As a team would whose service shares the cluster."""
    where = place.doors.environment
    _, text = read_head(where.repository, where.branch, where.file)
    begin = text.index("      - name: anomaly-detector")
    entry = "".join(f"      {line}\n" for line in yaml.safe_dump([OTHER], sort_keys=False).splitlines())
    commit_change(where.repository, where.branch, where.file, text, text[:begin] + entry + text[begin:], "Share it")


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_head_that_serve_does_not_have_is_applied_once_and_verified(place: Place) -> None:
    place.promote(1)
    first = reconcile(place.doors, QUICK, place.progress)
    again = reconcile(place.doors, QUICK, place.progress)
    assert (first.figures["changed"], again.figures["changed"], place.fleet.puts) == (True, False, 1)
    assert place.alias("champion") == "1"


def test_nothing_promoted_is_nothing_to_apply(place: Place) -> None:
    with pytest.raises(InputError, match="nothing is promoted to local yet"):
        reconcile(place.doors, QUICK, place.progress)
    assert place.fleet.puts == 0


def test_what_is_taken_back_while_it_is_applied_is_nothing_to_verify(place: Place) -> None:
    environment, api = place.doors.environment, place.doors.api
    before = read_head(environment.repository, environment.branch, environment.file)[1]
    place.promote(1)

    class Late(ServeApi):
        def put(self, config: dict[str, Any]) -> None:
            super().put(config)
            now = read_head(environment.repository, environment.branch, environment.file)[1]
            commit_change(environment.repository, environment.branch, environment.file, now, before, "Take it back")

    late = Late(api.dashboard, api.token, api.url, api.timeout_s)
    done = reconcile(replace(place.doors, api=late), QUICK, place.progress)
    assert done.lines[0] == ("Reconciled", "what git named applied")
    assert done.lines[1] == ("Verified", "nothing is promoted to local yet")


def test_an_application_without_a_name_is_served_beside_ours(place: Place) -> None:
    place.promote(1)
    environment = place.doors.environment
    text = read_head(environment.repository, environment.branch, environment.file)[1]
    new = text.rstrip("\n") + "\n      - import_path: another:app\n        deployments: []\n"
    commit_change(environment.repository, environment.branch, environment.file, text, new, "Add another")
    assert (place.apply(), place.apply()) == (True, False)


def test_our_application_is_found_by_its_name_among_several(place: Place) -> None:
    add_an_application_before_ours(place)
    place.promote(1)
    assert reconcile(place.doors, QUICK, place.progress).version == "1"
    assert list(place.fleet.applications) == ["another", "anomaly-detector"]
    assert not place.apply()


def test_an_application_that_git_no_longer_names_is_taken_away(place: Place) -> None:
    place.roll_out(1)
    place.fleet.applications["stray"] = OTHER
    assert place.apply()
    assert list(place.fleet.applications) == ["anomaly-detector"]


def test_a_watch_follows_every_head_and_survives_what_goes_wrong(place: Place) -> None:
    over = threading.Event()
    thread = threading.Thread(target=watch, args=(place.doors, QUICK, place.progress, lambda: not over.is_set()))
    thread.start()
    try:
        until(lambda: any("nothing is promoted" in text for text in place.progress.said))
        place.promote(1)
        until(lambda: place.alias("champion") == "1")
        place.promote(2)
        damage(place, 2)
        place.fleet.replicas[0].fails = {place.refs[1].digest: Kind.DIGEST}
        until(lambda: place.head["version"] == "1")
        until(lambda: any("RolloutError: version 2 is bad" in text for text in place.progress.said))
        place.promote(3)
        until(lambda: place.alias("champion") == "3")
    finally:
        over.set()
        thread.join()
    assert place.alias("previous") == "1"
