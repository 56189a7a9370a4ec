"""The aliases of an environment follow what was verified; nothing else moves them."""

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

from features.errors import DisagreementError, RefusedError
from flows.adapters.clone import cloned
from flows.adapters.git_history import commits_from
from flows.adapters.registry import ModelVersion
from flows.alias_log import AliasMove
from flows.environments import Environment
from flows.promotion.admission import GATE, rolled_back_tag
from flows.promotion.observation import Head, Look
from flows.steps.doors import Doors
from flows.steps.history import entries_in, read_history

_COMMIT = re.compile(r'"commit": "([0-9a-f]+)"')  # of evidence that the registry may have cut short


def crown(doors: Doors, head: Head, seen: Look, certain: Callable[[], None]) -> tuple[ModelVersion, bool]:
    """Point champion at the version and previous at the one before it, and tag the version with the evidence.

    certain: asked right before each move, as the registry may have taken its time; raises where it must not be made any
    more. Returns the version, and whether the champion is a new one. Each move is safe to repeat: previous goes first
    and champion last, so that whoever is stopped in between finds the old champion where it was. Raises
    DisagreementError when the registry knows another digest for that version, RefusedError when its gate refused it and
    nobody overrode that.
    """
    version = registered(doors, head)
    environment = doors.environment
    now = datetime.now(UTC).isoformat(timespec="seconds")
    champion = doors.registry.by_alias(version.name, environment.champion)
    moves = champion is None or champion.version != version.version
    left = rolled_back_tag(environment.name)
    again = bool(version.tags.get(left)) and (moves or not is_verified(environment, version))
    if moves:
        if champion is not None:
            _move(doors, environment.previous, champion, head.commit, now, certain)
        certain()
        doors.registry.tag_version(version.name, version.version, {f"champion_{environment.name}_since": now})
        _move(doors, environment.champion, version, head.commit, now, certain)
    if again:  # promoted again on purpose, and it serves
        doors.registry.tag_version(version.name, version.version, {left: ""})
    evidence = {"commit": head.commit, "replicas": sorted(seen.running), "answered": seen.answered}
    tags = {f"verified_{environment.name}": now, _evidence_tag(environment): json.dumps(evidence)}
    doors.registry.tag_version(version.name, version.version, tags)
    return version, moves


def is_verified(environment: Environment, version: ModelVersion) -> bool:
    """Whether a version was verified since git came to name its digest last.

    The alias alone does not say so: it stays where it was while git goes on to a version that nobody verifies, and back
    again. Raises UnreachableError when git does not answer.
    """
    told = _COMMIT.search(version.tags.get(_evidence_tag(environment), ""))
    if told is None:
        return False
    with cloned(environment.repository, environment.branch, whole=True) as clone:
        since = [entry.commit for entry in entries_in(clone, environment) if entry.digest == version.digest]
        return bool(since) and told[1] in commits_from(clone, since[-1])


def _evidence_tag(environment: Environment) -> str:
    return f"verified_{environment.name}_by"


def registered(doors: Doors, head: Head) -> ModelVersion:
    """The version that git names, as the registry has it. Raises DisagreementError or RefusedError, as ``crown``."""
    version = doors.registry.by_version(head.model, head.version)
    if version.digest != head.digest:
        known = f"{version.digest[:12]} for version {version.version}"
        raise DisagreementError(f"git names digest {head.digest[:12]}, the registry has {known}")
    if version.tags.get(GATE) == "refuse" and not _overridden(doors, head):
        raise RefusedError(f"the gate refused version {version.version}, and no commit says that this was overridden")
    return version


def _move(doors: Doors, alias: str, version: ModelVersion, commit: str, now: str, certain: Callable[[], None]) -> None:
    found = doors.registry.by_alias(version.name, alias)
    before = found.version if found else ""
    if before != version.version:
        name = doors.environment.name
        move = AliasMove(now, name, alias, version.name, before, version.version, version.digest, commit)
        certain()
        doors.log.append(move)
        doors.registry.set_alias(version.name, alias, version.version)


def _overridden(doors: Doors, head: Head) -> bool:
    """Whether a commit that promoted this digest says that somebody overrode the gate."""
    found = read_history(doors.environment)
    return any(entry.digest == head.digest and entry.gate.endswith("(overridden)") for entry in found)
