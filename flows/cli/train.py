"""Arguments of `vigia train`."""

import argparse
from pathlib import Path

from features.errors import InputError
from flows.cli.configuration import add_table, configured
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A table, --config and --set; or a run to finish."""
    add_table(parser)
    told = "finish a run that was cut off: its name, or without one the latest of this workspace"
    parser.add_argument("--resume", nargs="?", const="latest", metavar="RUN", help=told)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Settle the configuration before anything heavy is imported, then train, or finish a run with its own."""
    if arguments.resume is not None:
        if arguments.uri or arguments.config or arguments.set:
            rule = "takes table and configuration from the run: a table, --config or --set would be ignored"
            raise InputError("--resume", rule)
        from flows.steps.train import resume

        return resume(arguments.resume, workspace, progress, ray)
    config = configured(arguments, progress)
    from flows.steps.train import train

    return train(config, workspace, progress, ray)
