"""`vigia promote`: a challenger reaches the service through git and only through git."""

from dataclasses import replace

from features.errors import InputError
from flows.adapters.git import cloned, commit_change, read_head
from flows.adapters.registry import Registry
from flows.environments import Environment
from flows.outcome import Outcome
from flows.promotion.edit import Target, promote_text
from flows.promotion.message import promotion_message
from flows.steps.head import coordinates, named_leaves
from flows.steps.overlay import refuse_bad_overlay
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
    _, text = read_head(environment.repository, environment.branch, environment.file)
    bundle = coordinates(chosen)
    edit = promote_text(text, bundle, Target(environment.file))
    follow = f"reconcile --env {environment.name}"
    done = Outcome(digest=chosen.digest, version=chosen.version, run_id=chosen.run_id, next_command=follow)
    if not edit.changes:
        return replace(done, lines=(("Promoted", f"version {chosen.version} is already there; nothing to do"),))
    with cloned(environment.repository, environment.branch) as clone:
        refuse_bad_overlay(clone, environment.file, edit.text)
    old = {key: value for (section, key), value in named_leaves(environment, text).items() if section == "bundle"}
    message = promotion_message(environment.name, bundle, old, chosen.run_id)
    commit = commit_change(environment.repository, environment.branch, environment.file, text, edit.text, message)
    lines = (("Promoted", f"{model} version {chosen.version} to {environment.name}: commit {commit[:12]}"),)
    changes = {change.path: [change.old, change.new] for change in edit.changes}
    return replace(done, lines=lines, figures={"commit": commit, "changes": changes})
