"""Arguments of `vigia jobs`."""

import argparse
from pathlib import Path

from features.errors import InputError
from flows.cli.job_door import add_place, add_timeout, job_door, patience_of, whereabouts
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and with which job."""
    told = "list: the newest first; logs: what one has said; stop: end one (on a cluster its RayJob and log go with it)"
    parser.add_argument("action", choices=("list", "logs", "stop"), help=told)
    parser.add_argument("name", nargs="?", help="job, for logs and stop")
    parser.add_argument("--follow", action="store_true", help="logs to the job's end; then exit with its outcome")
    add_place(parser)
    add_timeout(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Open the door and do it."""
    if (arguments.action == "list") == bool(arguments.name):
        raise InputError("job", "must be named for logs and stop, and for them alone", arguments.name)
    place, door = job_door(arguments, workspace)
    from flows.steps import jobs

    if arguments.action == "list":
        return jobs.list_jobs(door, progress)
    if arguments.action == "stop":
        return jobs.stop(door, arguments.name, progress)
    if arguments.follow:
        where, patience = whereabouts(arguments, place), patience_of(arguments, place)
        return jobs.return_to(door, arguments.name, where, progress, patience)
    return jobs.show_log(door, arguments.name, progress)
