"""`vigia promote --wait`: watch what `vigia verify` writes, and what git says meanwhile. It only watches."""

import time

from features.errors import RolloutError, UnreachableError, UnverifiedError, VigiaError
from flows.adapters.git import read_head
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.outcome import Stage
from flows.promotion.ray_service import unsettled
from flows.steps.crowning import is_verified
from flows.steps.doors import Cluster
from flows.steps.head import named_bundle

_PAUSE_S = 2.0


def wait_for_champion(
    environment: Environment,
    registry: Registry,
    model: str,
    digest: str,
    timeout_s: float,
    stage: Stage,
    cluster: Cluster | None = None,
) -> None:
    """Return when the environment's champion is the version of that digest, verified since git named it last;
    meanwhile tell what the cluster does.

    Raises RolloutError when git names another digest by now, UnverifiedError after ``timeout_s``. A platform that
    does not answer for a moment is asked again.
    """
    end, seen = time.monotonic() + timeout_s, "nothing is champion yet"
    while True:
        try:
            champion = registry.by_alias(model, environment.champion)
            if champion is not None:
                if champion.digest == digest and is_verified(environment, champion):
                    return
                earlier = ", by an earlier verification" if champion.digest == digest else ""
                seen = f"the champion is version {champion.version}{earlier}"
            _refuse_other_head(environment, digest)
        except UnreachableError as error:
            seen = str(error)
        told = seen + _cluster_says(cluster, digest)
        stage.update(told)
        if time.monotonic() > end:
            how = f"`vigia verify --env {environment.name}` moves the alias {environment.champion}"
            raise UnverifiedError(f"pushed, but not verified within {timeout_s:g} s ({told}); {how}")
        time.sleep(min(_PAUSE_S, timeout_s / 10))


def _cluster_says(cluster: Cluster | None, digest: str) -> str:
    """What the cluster has still to do, for people; one that cannot be asked only says so."""
    try:
        left = unsettled(cluster().view(), digest) if cluster else ""
    except VigiaError as error:
        left = str(error)
    return f"; {left}" if left else ""


def _refuse_other_head(environment: Environment, digest: str) -> None:
    commit, text = read_head(environment.repository, environment.branch, environment.file)
    named = named_bundle(environment, text)
    if named.get("digest") != digest:
        theirs = f"version {named.get('version')}, sha256:{named.get('digest', '')[:12]}"
        raise RolloutError(f"superseded or reverted: {environment.branch} names {theirs} since {commit[:12]}")
