"""Arguments of `vigia train`."""

import argparse
from pathlib import Path

from features.errors import InputError
from flows.cli.configuration import add_table, configured
from flows.cli.environment import add_environment, chosen
from flows.outcome import Outcome, Progress
from flows.runs import read_state, unfinished
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A table, --config and --set, an environment; or a run to finish."""
    add_table(parser)
    add_environment(parser)
    told = "finish a run that was cut off: its name, or without one the latest of this workspace"
    parser.add_argument("--resume", nargs="?", const="latest", metavar="RUN", help=told)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Settle the configuration before anything heavy is imported, then train, or finish a run with its own."""
    if arguments.resume is not None:
        if arguments.uri or arguments.config or arguments.set or arguments.env:
            rule = "takes table, configuration and environment from the run: a table, --config, --set or --env would be"
            raise InputError("--resume", f"{rule} ignored")
        folder = unfinished(workspace.root / "runs", arguments.resume)
        place = chosen(arguments, workspace, read_state(folder).environment)
        from flows.steps.train import resume

        return resume(folder, place, workspace, progress, ray)
    config, place = configured(arguments, progress), chosen(arguments, workspace)
    from flows.steps.train import train

    return train(config, place, workspace, progress, ray)
