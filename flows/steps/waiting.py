"""`vigia promote --wait`: watch what `vigia verify` writes, and what git says meanwhile. It only watches."""

import time

from features.errors import RolloutError, UnreachableError, UnverifiedError
from flows.adapters.git import read_head
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.outcome import Stage
from flows.steps.head import named_bundle

_PAUSE_S = 2.0


def wait_for_champion(
    environment: Environment, registry: Registry, model: str, digest: str, timeout_s: float, stage: Stage
) -> None:
    """Return when the environment's champion is the version of that digest.

    Raises RolloutError when git names another digest by now, UnverifiedError after ``timeout_s``. A platform that
    does not answer for a moment is asked again.
    """
    end, seen = time.monotonic() + timeout_s, "nothing is champion yet"
    while True:
        try:
            champion = registry.by_alias(model, environment.champion)
            if champion is not None:
                if champion.digest == digest:
                    return
                seen = f"the champion is version {champion.version}"
            _refuse_other_head(environment, digest)
        except UnreachableError as error:
            seen = str(error)
        stage.update(seen)
        if time.monotonic() > end:
            how = f"`vigia verify --env {environment.name}` moves the alias {environment.champion}"
            raise UnverifiedError(f"pushed, but not verified within {timeout_s:g} s ({seen}); {how}")
        time.sleep(min(_PAUSE_S, timeout_s / 10))


def _refuse_other_head(environment: Environment, digest: str) -> None:
    commit, text = read_head(environment.repository, environment.branch, environment.file)
    named = named_bundle(environment, text)
    if named.get("digest") != digest:
        theirs = f"version {named.get('version')}, sha256:{named.get('digest', '')[:12]}"
        raise RolloutError(f"superseded or reverted: {environment.branch} names {theirs} since {commit[:12]}")
