"""`vigia verify`: the registry says what every replica serves, and only then."""

import time
from typing import Any

from features.errors import DisagreementError, InputError, RetryError, UnverifiedError
from flows.adapters.git import read_head
from flows.adapters.registry import Registry
from flows.adapters.serve_api import ServeApi
from flows.environments import Environment
from flows.outcome import Outcome
from flows.steps.head import named_leaves


def verify(environment: Environment, registry: Registry, api: ServeApi, timeout_s: float) -> Outcome:
    """Move the champion alias to what git's head names, once every running replica serves exactly that.

    The only writer of that alias. Raises UnverifiedError when it cannot be established within the time-out,
    DisagreementError when the registry knows another digest for that version; nothing is changed then.
    """
    commit, text = read_head(environment.repository, environment.branch, environment.file)
    head = {key: value for (section, key), value in named_leaves(environment, text).items() if section == "bundle"}
    if not head.get("digest"):
        raise InputError("git", f"nothing is promoted to {environment.name} yet; run `vigia promote`")
    version = registry.by_version(head["model"], head["version"])
    if version.digest != head["digest"]:
        known = f"{version.digest} for version {version.version}"
        raise DisagreementError(f"git names digest {head['digest']}, the registry has {known}")
    replicas = _wait_for_fleet(api, head["digest"], timeout_s)
    if read_head(environment.repository, environment.branch, environment.file)[0] != commit:
        raise UnverifiedError(f"the head of {environment.branch} moved while it was verified; verify again")
    champion = registry.by_alias(version.name, environment.champion)
    if champion is None or champion.version != version.version:
        if champion is not None:
            registry.set_alias(version.name, environment.previous, champion.version)
        registry.set_alias(version.name, environment.champion, version.version)
    lines = (
        ("Verified", f"{len(replicas)} of {len(replicas)} replicas serve sha256:{version.digest[:12]}"),
        ("Alias", f"{environment.champion} is {version.name} version {version.version}"),
    )
    figures = {"commit": commit, "replicas": replicas}
    return Outcome(lines=lines, digest=version.digest, version=version.version, run_id=version.run_id, figures=figures)


def _wait_for_fleet(api: ServeApi, digest: str, timeout_s: float) -> list[dict[str, Any]]:
    """Every replica that Serve calls RUNNING, and no other, answers with the digest, three times in a row."""
    end, in_a_row, seen = time.monotonic() + timeout_s, 0, ""
    while True:
        try:
            fleet, running = api.fleet(), api.running_replicas()
            agree = {r.get("replica") for r in fleet} == running and all(r.get("served") == digest for r in fleet)
            in_a_row = in_a_row + 1 if agree and fleet else 0
            seen = "; ".join(f"{r.get('replica')}: {r.get('error') or r.get('served', '')[:12]}" for r in fleet)
        except RetryError as error:
            fleet, in_a_row, seen = [], 0, str(error)
        if in_a_row == 3:
            return fleet
        if time.monotonic() > end:
            raise UnverifiedError(f"not every replica serves {digest[:12]} after {timeout_s:g} s ({seen})")
        time.sleep(0.5)
