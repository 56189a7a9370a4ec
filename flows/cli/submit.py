"""Arguments of `vigia submit`."""

import argparse
import glob
import importlib
import secrets
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from features.errors import InputError
from features.storage import local_path
from flows.cli.job_door import add_place, add_timeout, job_door, patience_of, whereabouts
from flows.jobs.request import JobRequest, job_name
from flows.outcome import Outcome, Progress
from flows.workspace import Workspace

_COMMANDS = ("train", "validate", "drift")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command, what it is given, where it runs and how long that is waited for."""
    parser.add_argument("job", choices=_COMMANDS, help="command that the job runs")
    parser.add_argument("given", nargs="*", metavar="ARGUMENT", help="arguments of that command, options too")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="setting of that command")
    parser.add_argument("--image", default="", help="image by digest (default: that of the RayCluster ray-cluster)")
    parser.add_argument("--templates", metavar="PLACE", help="file or overlay with the ConfigMap rayjob-templates "
                        "(default: the cluster's own)")  # fmt: skip
    parser.add_argument("--wait", action="store_true", help="follow it to its end, and exit with its outcome")
    add_place(parser)
    add_timeout(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Check what the job is given, open the door, submit."""
    given = (*arguments.given, *(part for setting in arguments.set for part in ("--set", setting)))
    checked = _check(arguments.job, given)
    place, door = job_door(arguments, workspace, arguments.templates)
    patience = patience_of(arguments, place) if arguments.wait else None
    if place.namespace is not None:
        _refuse_files_of_here(checked)
    from flows.steps.jobs import submit

    name = job_name(arguments.job, datetime.now(UTC), secrets.token_hex(2))
    request = JobRequest(arguments.job, name, place.name, given, arguments.image)
    return submit(door, request, whereabouts(arguments, place), progress, patience)


def _check(command: str, given: tuple[str, ...]) -> argparse.Namespace:
    """Refuse here what the command would refuse minutes later on the cluster; what it is given."""
    parser = argparse.ArgumentParser(prog=f"vigia {command}")
    importlib.import_module(f"flows.cli.{command}").add_arguments(parser)
    found, rest = parser.parse_known_args(given)
    if rest:
        raise InputError("submit", f"the rest must be arguments of vigia {command}", " ".join(rest))
    for setting in found.set:
        _check_setting(setting)
    return found


def _check_setting(setting: str) -> None:
    """Its form and its key; whether the value will do depends on the configuration that is there."""
    from flows.config.loading import UnknownKeyError, load_config, parse_setting
    from flows.config.train import TrainConfig

    parse_setting(setting)
    try:
        load_config(TrainConfig, None, [setting])
    except UnknownKeyError:
        raise
    except InputError:
        return


def _refuse_files_of_here(given: argparse.Namespace) -> None:
    settings = [value for key, _, value in (one.partition("=") for one in given.set) if key == "data.uri"]
    named = [getattr(given, name, None) for name in ("uri", "data", "config", "bundle")]
    for place in map(str, filter(None, (*named, *settings))):
        if urlsplit(place).scheme in ("", "file") and glob.glob(str(local_path(place)), recursive=True):
            rule = "is of this machine, which a job on a cluster does not see; put it into S3 and give s3://…"
            raise InputError("submit", rule, place)
