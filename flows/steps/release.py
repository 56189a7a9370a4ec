"""`vigia promote`, `reconcile` and `verify`: a challenger reaches the service through git and only through git."""

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from features.errors import DisagreementError, InputError, RetryError, UnverifiedError
from flows.adapters.git import check_out, commit_change, read_head
from flows.adapters.kustomize import build_overlay
from flows.adapters.registry import ModelVersion, Registry
from flows.adapters.serve_api import ServeApi
from flows.environments import Environment
from flows.outcome import Outcome
from flows.promotion.edit import Leaves, Target, promote_text, read_leaves, refuse_broken_promise, serve_config
from flows.promotion.message import promotion_message
from flows.steps.train import CHALLENGER
from serving.bundle import load_bundle


def promote(environment: Environment, registry: Registry, model: str, version: str | None) -> Outcome:
    """Commit a version's URI and digest to the environment's file. Running twice commits nothing.

    Raises InputError when there is no such version, when its published content is not what was registered, or when the
    file cannot be edited safely or the overlay built from it would not serve that version; nothing is committed then.
    """
    chosen = registry.by_version(model, version) if version else registry.by_alias(model, CHALLENGER)
    if chosen is None:
        raise InputError("model", "has no challenger; run `vigia train` first", model)
    load_bundle(chosen.uri, chosen.digest)  # what is promoted exists, loads, and is what was registered
    head, text = read_head(environment.repository, environment.branch, environment.file)
    bundle = coordinates(chosen)
    edit = promote_text(text, bundle, Target(environment.file))
    follow = f"reconcile --env {environment.name}"
    done = Outcome(digest=chosen.digest, version=chosen.version, run_id=chosen.run_id, next_command=follow)
    if not edit.changes:
        return replace(done, lines=(("Promoted", f"version {chosen.version} is already there; nothing to do"),))
    refuse_bad_overlay(environment, head, edit.text)
    old = {key: value for (section, key), value in _leaves(environment, text).items() if section == "bundle"}
    message = promotion_message(environment.name, bundle, old, chosen.run_id)
    commit = commit_change(environment.repository, environment.branch, environment.file, text, edit.text, message)
    lines = (("Promoted", f"{model} version {chosen.version} to {environment.name}: commit {commit[:12]}"),)
    changes = {change.path: [change.old, change.new] for change in edit.changes}
    return replace(done, lines=lines, figures={"commit": commit, "changes": changes})


def refuse_bad_overlay(environment: Environment, commit: str, text: str) -> None:
    """Raise InputError unless the overlay, built with the new text, promises the same; no overlay, no question."""
    with tempfile.TemporaryDirectory() as folder:
        check_out(environment.repository, commit, Path(folder))
        file = Path(folder) / environment.file
        file.write_bytes(text.encode())
        built = build_overlay(file.parent)
    if built is not None:
        refuse_broken_promise(built, _leaves(environment, text), Target(f"{Path(environment.file).parent} (built)"))


def _leaves(environment: Environment, text: str) -> Leaves:
    return read_leaves(text, Target(environment.file))


def coordinates(version: ModelVersion) -> dict[str, str]:
    """What a manifest says of a version."""
    return {"uri": version.uri, "digest": version.digest, "model": version.name, "version": version.version}


def reconcile(environment: Environment, api: ServeApi) -> Outcome:
    """Apply the head's ``serveConfigV2`` to Ray Serve when it differs from what was applied last."""
    commit, text = read_head(environment.repository, environment.branch, environment.file)
    digest = _leaves(environment, text).get(("bundle", "digest"), "")
    if not digest:
        raise InputError("git", f"nothing is promoted to {environment.name} yet; run `vigia promote`")
    wanted = serve_config(text, Target(environment.file))
    changed = api.application().get("deployed_app_config") != wanted["applications"][0]
    if changed:
        api.put(wanted)
        api.wait_until_running()
    what = f"commit {commit[:12]} applied" if changed else f"commit {commit[:12]} was applied already"
    follow = f"verify --env {environment.name}"
    return Outcome(lines=(("Reconciled", what),), digest=digest, figures={"changed": changed}, next_command=follow)


def verify(environment: Environment, registry: Registry, api: ServeApi, timeout_s: float) -> Outcome:
    """Move the champion alias to what git's head names, once every running replica serves exactly that.

    The only writer of that alias. Raises UnverifiedError when it cannot be established within the time-out,
    DisagreementError when the registry knows another digest for that version; nothing is changed then.
    """
    commit, text = read_head(environment.repository, environment.branch, environment.file)
    head = {key: value for (section, key), value in _leaves(environment, text).items() if section == "bundle"}
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
