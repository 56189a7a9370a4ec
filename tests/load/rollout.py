"""Promotions under load: commits that `vigia reconcile --watch` follows, while requests come by the clock."""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from flows.adapters.git import commit_change, read_head
from flows.adapters.registry import registry_of
from flows.adapters.serve_api import ServeApi
from flows.alias_log import AliasLog
from flows.environments import Environment, environment
from flows.lease import FileLease
from flows.promotion.edit import promote_text
from flows.promotion.judge import Rules
from flows.steps.doors import Doors
from flows.steps.head import target
from flows.steps.reconcile import reconcile, watch
from flows.workspace import Workspace
from serving.settings import BundleRef
from tests.flows.verification.quiet import Quiet
from tests.load.ray_service import RayService
from tests.load.steady import steady
from tests.load.swap import Change, Swaps
from tests.serving.service import publish

_ROW = b'{"data": [[5.0, 5.0, 5.0]]}'
_RULES = Rules(over_s=1.0)
_AT_MOST_S = 600.0


@dataclass(frozen=True)
class TimedApi(ServeApi):
    """Notes when each configuration was PUT (time.monotonic)."""

    puts: list[float] = field(default_factory=list)

    def put(self, config: dict[str, Any]) -> None:
        self.puts.append(time.monotonic())
        super().put(config)


@dataclass(frozen=True)
class Rollouts:
    """swaps: changes from the commit's push on, and the answers meanwhile; applied: when each was PUT."""

    swaps: Swaps
    applied: tuple[float, ...]
    champion: str

    def after_commit_s(self) -> list[float]:
        """From the push of each commit until every replica served it."""
        return [change.served - change.asked for change in self.swaps.changes]

    def after_seen_s(self) -> list[float]:
        """From the moment reconcile had seen each commit and PUT it until every replica served it."""
        return [change.served - put for change, put in zip(self.swaps.changes, self.applied, strict=True)]


def registered(place: Environment, workspace: Workspace, count: int) -> list[BundleRef]:
    """Versions 1 to count of a model of three features."""
    registry, refs = registry_of(place), []
    for seed in range(count):
        ref = publish(workspace.bundles / "sha256", seed)
        with registry.run("rollout", f"run-{seed}", {}) as run_id:
            version = registry.register("m", ref.uri, ref.digest, run_id)
        refs.append(BundleRef(ref.uri, ref.digest, "m", version.version))
    return refs


def prepare(folder: Path, count: int, replicas: int) -> tuple[Environment, Workspace, list[BundleRef]]:
    """A workspace with a repository whose file asks for so many replicas, and versions 1 to count."""
    workspace = Workspace(folder / "workspace")
    workspace.prepare()
    place = environment("local", workspace)
    _, text = read_head(place.repository, place.branch, place.file)
    assert text.count("num_replicas: 1") == 1
    new = text.replace("num_replicas: 1", f"num_replicas: {replicas}")
    commit_change(place.repository, place.branch, place.file, text, new, "Scale")
    return place, workspace, registered(place, workspace, count)


def roll_out_under_load(
    service: RayService,
    place: Environment,
    workspace: Workspace,
    refs: Sequence[BundleRef],
    *,
    per_s: float,
    quiet_s: float,
) -> Rollouts:
    """Promote the first version, and then each of the others under load; each when the one before is champion."""
    api = TimedApi(service.api.dashboard, service.api.token, service.api.url)
    lease, log = FileLease(workspace.leases / "verify-local"), AliasLog(workspace.alias_log)
    doors = Doors(place, registry_of(place), api, lease, log)
    _commit(place, refs[0])
    reconcile(doors, _RULES, Quiet())
    count = len(service.api.fleet())
    api.puts.clear()
    over, changes = threading.Event(), list[Change]()

    def promote_all() -> None:
        try:
            time.sleep(quiet_s)
            for ref in refs[1:]:
                _commit(place, ref)
                asked = time.monotonic()
                service.wait(lambda states, b=ref: _all_serve(states, b, count))  # type: ignore[misc]
                changes.append(Change(ref.digest, asked, time.monotonic()))
                _until_champion(doors, ref.version)
        finally:
            over.set()

    follower = threading.Thread(target=watch, args=(doors, _RULES, Quiet(), lambda: not over.is_set()))
    promoter = threading.Thread(target=promote_all)
    follower.start()
    promoter.start()
    answers = steady(f"{api.url}/predict", lambda _: _ROW, per_s=per_s, until=over.is_set, at_most_s=_AT_MOST_S)
    promoter.join()
    follower.join()
    champion = doors.registry.by_alias("m", place.champion)
    return Rollouts(
        Swaps(refs[0].digest, tuple(changes), tuple(answers)), tuple(api.puts), champion.version if champion else ""
    )


def _all_serve(states: list[dict[str, Any]], ref: BundleRef, count: int) -> bool:
    return len(states) == count and all(state.get("served") == ref.digest for state in states)


def _commit(place: Environment, ref: BundleRef) -> None:
    _, text = read_head(place.repository, place.branch, place.file)
    new = promote_text(text, msgspec.to_builtins(ref), target(place)).text
    commit_change(place.repository, place.branch, place.file, text, new, f"Promote {ref.version}")


def _until_champion(doors: Doors, version: str) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        found = doors.registry.by_alias("m", doors.environment.champion)
        if found and found.version == version:
            return
        time.sleep(0.2)
    raise TimeoutError(f"version {version} did not become champion within 60 s")
