"""`vigia reconcile`: the local Ray Serve gets what git says."""

from features.errors import InputError
from flows.adapters.git import read_head
from flows.adapters.serve_api import ServeApi
from flows.environments import Environment
from flows.outcome import Outcome
from flows.promotion.edit import Target, serve_config
from flows.steps.head import named_leaves


def reconcile(environment: Environment, api: ServeApi) -> Outcome:
    """Apply the head's ``serveConfigV2`` to Ray Serve when it differs from what was applied last."""
    commit, text = read_head(environment.repository, environment.branch, environment.file)
    digest = named_leaves(environment, text).get(("bundle", "digest"), "")
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
