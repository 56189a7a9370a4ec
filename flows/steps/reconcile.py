"""`vigia reconcile`: what Argo CD and KubeRay do on a cluster. Ray Serve gets what git says, and it is verified."""

import time
from collections.abc import Callable, Mapping
from typing import Any

from features.errors import InputError, VigiaError
from flows.adapters.git import head_commit, read_head
from flows.adapters.serve_api import ServeApi
from flows.environments import Environment
from flows.outcome import Outcome, Progress
from flows.promotion.edit import serve_config
from flows.promotion.judge import Rules
from flows.steps.doors import Doors
from flows.steps.head import named_bundle, target
from flows.steps.verify import verify

_LOOK_AGAIN_S = 0.5
_AGAIN_S = 15.0
_LOGGING, _UNNAMED = "logging_config", "default"  # the name that Serve gives an application without one


def reconcile(doors: Doors, rules: Rules, progress: Progress) -> Outcome:
    """Apply the head once and verify it. Raises what ``verify`` raises."""
    place, api = doors.environment, doors.api

    def apply() -> bool:
        return apply_head(place, api)

    with progress.stage("Reconciling") as stage:
        changed = apply()
        stage.result("applied" if changed else "was applied already")
    done = verify(doors, rules, progress, apply=apply)
    named = f"commit {done.figures['commit'][:12]}" if done.digest else "what git named"  # nothing is promoted any more
    what = f"{named} {'applied' if changed else 'was applied already'}"
    figures = {**done.figures, "changed": changed}
    return Outcome((("Reconciled", what), *done.lines), "", done.digest, done.version, done.run_id, figures)


def watch(doors: Doors, rules: Rules, progress: Progress, goes_on: Callable[[], bool]) -> Outcome:
    """Reconcile whenever the head moves, and again every 15 s while it is not verified or Serve was given another one.

    Whatever goes wrong is told once and tried again; it ends when ``goes_on()`` says so.
    """
    place, count, tried, verified, again, told = doors.environment, 0, "", "", 0.0, ""
    while goes_on():
        try:
            commit = head_commit(place.repository, place.branch)
            if commit != tried or time.monotonic() > again:
                tried, again = commit, time.monotonic() + _AGAIN_S
                if commit != verified or apply_head(place, doors.api):
                    for heading, text in reconcile(doors, rules, progress).lines:
                        progress.say(f"{heading}: {text}")
                    verified, count, told = commit, count + 1, ""
        except VigiaError as error:
            if str(error) != told:
                told = str(error)
                progress.say(f"{type(error).__name__}: {told}")
        time.sleep(_LOOK_AGAIN_S)
    return Outcome(lines=(("Watched", f"{place.name}, {count} times reconciled"),), figures={"reconciled": count})


def apply_head(environment: Environment, api: ServeApi) -> bool:
    """Put the head's ``serveConfigV2`` when Ray Serve has another one; whether it was put.

    Raises InputError where nothing is promoted, and when the file cannot be read.
    """
    _, text = read_head(environment.repository, environment.branch, environment.file)
    if not named_bundle(environment, text).get("digest"):
        raise InputError(
            "git", f"nothing is promoted to {environment.name} yet; run `vigia promote --env {environment.name}`"
        )
    wanted = serve_config(text, target(environment))
    changed = _differs(wanted, api.applications())
    if changed:
        api.put(wanted)
    return changed


def _differs(wanted: Mapping[str, Any], found: Mapping[str, Any]) -> bool:
    """Whether Serve has other applications than these, or other configurations of them.

    Serve writes the configuration's own logging into each application that has none, which is no difference.
    """
    named = {application.get("name", _UNNAMED): application for application in wanted["applications"]}
    return found.keys() != named.keys() or any(
        _without_added(found[name].get("deployed_app_config") or {}, application) != application
        for name, application in named.items()
    )


def _without_added(applied: Mapping[str, Any], application: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in applied.items() if key != _LOGGING or key in application}
