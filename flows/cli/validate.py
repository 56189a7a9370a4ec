"""Arguments of `vigia validate`."""

import argparse
from dataclasses import replace
from pathlib import Path

from flows.cli.configuration import add_table, configured, repeated
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Those of train."""
    add_table(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Settle the configuration before anything heavy is imported, then validate."""
    config = configured(arguments, progress)
    from flows.steps.validate import validate_table

    done = validate_table(config, workspace, progress)
    return (
        replace(done, next_command=f"{done.next_command} {repeated(arguments)}".strip()) if done.next_command else done
    )
