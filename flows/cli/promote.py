"""Arguments of `vigia promote`."""

import argparse
from pathlib import Path

from features.errors import InputError
from flows.cli.bundle import add_model
from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The environment, which version, how, and what somebody takes upon themselves."""
    add_environment(parser)
    add_model(parser)
    parser.add_argument("--version", help="model version to promote (default: the challenger)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--push", action="store_true", help="commit to the environment's branch (the default)")
    how.add_argument("--pull-request", action="store_true", help="open a pull request, or update the one that is open")
    parser.add_argument("--dry-run", action="store_true", help="show message, diff and objections; commit nothing")
    parser.add_argument("--force", action="store_true", help="override the gate or a rollback; needs --reason")
    parser.add_argument("--schema-change", action="store_true", help="those who ask change their requests too")
    told = "nobody can say whether the cluster is being upgraded, and it goes on all the same"
    parser.add_argument("--unseen-cluster", action="store_true", help=told)
    parser.add_argument("--reason", default="", help="why; written into the commit")
    parser.add_argument("--wait", action="store_true", help="wait until `vigia verify` has made it champion")
    parser.add_argument("--timeout", type=float, default=600.0, help="seconds to wait (600)")


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Wire the doors to the step. Raises InputError for --force without a reason, or a wait for a pull request."""
    if arguments.force and not arguments.reason.strip():
        raise InputError("--force", "needs --reason: what is overridden is written into the commit")
    if arguments.wait and arguments.pull_request:
        raise InputError("--wait", "must not be given with --pull-request: nobody knows when it will be merged")
    from flows.adapters.registry import registry_of
    from flows.cli.cluster import cluster_of
    from flows.promotion.admission import Overrides
    from flows.steps.promote import preview, promote
    from flows.steps.usual_model import usual_model
    from flows.steps.waiting import wait_for_champion

    place = chosen(arguments, workspace, git=True)
    registry = registry_of(place)
    cluster = (lambda: cluster_of(place)) if place.controller == "argocd" else None
    overrides = Overrides(arguments.force, arguments.schema_change, arguments.reason, arguments.unseen_cluster)
    model = arguments.model or usual_model(registry)
    asked = (model, arguments.version, overrides)
    if arguments.dry_run:
        return preview(place, registry, *asked, cluster)
    if arguments.pull_request:
        from flows.cli.forge import pull_requests
        from flows.steps.pull_request import propose_promotion

        with pull_requests(place) as forge:
            return propose_promotion(place, registry, forge, *asked, cluster)
    done = promote(place, registry, *asked, cluster)
    if arguments.wait:
        with progress.stage("Waiting for the verification") as stage:
            wait_for_champion(place, registry, model, done.digest, arguments.timeout, stage, cluster)
    return done
