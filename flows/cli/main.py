"""The command line: parse, wire, call, and say once what happened. Only this package reads the environment."""

import argparse
import difflib
import errno
import importlib
import json
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError, VigiaError
from flows.cli.place import WORKSPACE, same_place
from flows.exit_codes import ExitCode, exit_code

_EPILOG = """exit codes: 0 done or nothing to do; 1 bug; 2 input or configuration; 3 refused by a gate;
4 try again later; 5 rollout bad and reverted, or superseded; 6 truths disagree; 10 watch; 11 retrain;
130 interrupted"""

_QUIET_LIBRARIES = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "DO_NOT_TRACK": "true",
    "GX_ANALYTICS_ENABLED": "false",
    "ORT_DISABLE_TELEMETRY": "1",
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_AUTH_MODE": "token",
}

_SESSION = "vr-"
"""Prefix of a command's folder for Ray, short since its sockets lie there; a killed one leaves it to the next."""
_FULL = (errno.ENOSPC, errno.EDQUOT)

_DEFAULTS = {
    "AWS_EC2_METADATA_DISABLED": "true",  # nobody asked to look for a cloud
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "4",  # gives a server up after half a minute; by itself it takes four
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "30",
}


@dataclass(frozen=True)
class Command:
    """One command: its module defines ``add_arguments(parser)`` and ``run(context)``, and is imported when used."""

    name: str
    help: str
    module: str


COMMANDS = (
    Command("train", "train, judge and register a bundle as challenger", "flows.cli.train"),
    Command("validate", "judge a table: quarantine, page, verdict", "flows.cli.validate"),
    Command("submit", "run train, validate or drift as a job on a Ray cluster", "flows.cli.submit"),
    Command("jobs", "jobs on a Ray cluster: list, logs, stop", "flows.cli.jobs"),
    Command("score", "score a table with a bundle, into Parquet", "flows.cli.score"),
    Command("drift", "new rows against a bundle's reference: page, figures, verdict", "flows.cli.drift"),
    Command("baselines", "baselines of new or changed series, without training", "flows.cli.baselines"),
    Command("serve", "serve the promoted model on this machine until Ctrl-C", "flows.cli.serve"),
    Command("promote", "commit a version to an environment's manifest in git", "flows.cli.promote"),
    Command("publish", "copy a bundle to the store of another environment", "flows.cli.publish"),
    Command("hold", "keep promotions out of an environment, or let them in again", "flows.cli.hold"),
    Command("history", "what an environment served when, from git", "flows.cli.history"),
    Command("reconcile", "apply what git says to the local Ray Serve", "flows.cli.reconcile"),
    Command("verify", "ask every replica, then move the champion alias", "flows.cli.verify"),
    Command("rollback", "go back to an earlier version, through git", "flows.cli.rollback"),
    Command("status", "what registry, git, controller and replicas say, side by side", "flows.cli.status"),
    Command("demo", "the whole loop on this machine", "flows.cli.demo"),
    Command("play", "break a machine, see alerts, promote a new model while rows come in", "flows.cli.play"),
    Command("compare", "two versions beside each other, on one page", "flows.cli.compare"),
    Command("open", "the newest page of a kind, or MLflow's own, in the browser", "flows.cli.open"),
    Command(
        "doctor",
        "everything a person would check of an environment, with the fix beside each failure",
        "flows.cli.doctor",
    ),
    Command("config", "show or describe the configuration", "flows.cli.config"),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(
        prog="vigia",
        description="Train, judge, promote and serve anomaly detectors.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    choices = parser.add_subparsers(dest="command", metavar="command")
    if given:
        _insist_on_a_command(parser, given[0])
    for command in COMMANDS:
        sub = choices.add_parser(command.name, help=command.help, description=command.help)
        if command.name in given:  # the others stay unimported, so that --help is instant
            importlib.import_module(command.module).add_arguments(sub)
            told = f"folder that holds everything local ({WORKSPACE})"
            sub.add_argument("--workspace", default=WORKSPACE, help=told)
            sub.add_argument("--quiet", action="store_true", help="nothing but errors")
            sub.add_argument("--summary", metavar="FILE", help="write digest, version, figures, paths as JSON")
            told = "end with the line `vigia-result: {…}`, as a job does; exit with 0 for a verdict too"
            sub.add_argument("--result-line", action="store_true", help=told)
    arguments, rest = parser.parse_known_args(given)
    # `config init --force my.csv`: argparse takes the table for left out once an option stands before it.
    if len(rest) == 1 and not rest[0].startswith("-") and getattr(arguments, "uri", "") is None:
        arguments.uri = rest.pop()
    if hasattr(arguments, "given"):  # for the command that a job runs, which knows its own
        arguments.given, rest = [*arguments.given, *(one for one in rest if one != "--")], []
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    if not arguments.command:
        parser.print_help()
        return ExitCode.DONE
    return _run(next(c for c in COMMANDS if c.name == arguments.command), arguments)


def _run(command: Command, arguments: argparse.Namespace) -> ExitCode:
    from flows.adapters.scratch import scratch_folder
    from flows.cli.console import Screen
    from flows.outcome import Outcome, RefusedRun
    from flows.workspace import Workspace

    screen = Screen(arguments.quiet)
    outcome, message, code, ray_folder = Outcome(), "", ExitCode.DONE, Path()
    try:
        workspace = Workspace(Path(arguments.workspace).absolute())
        workspace.prepare()
        with (
            scratch_folder(_SESSION, _short(tempfile.gettempdir())) as ray_folder,
            _settings(str(workspace.scratch), str(workspace.token)),
        ):
            outcome = importlib.import_module(command.module).run(arguments, workspace, screen, ray_folder)
        code = outcome.exit_code
        screen.show(outcome, _invocation(), same_place(arguments))
    except RefusedRun as error:
        outcome, code, message = error.outcome, exit_code(error), str(error)
        screen.show(outcome, _invocation(), same_place(arguments))
        screen.fail(message)
    except (VigiaError, KeyboardInterrupt) as error:
        code, message = exit_code(error), str(error) or "interrupted"
        screen.fail(message)
    except Exception as error:
        code, message = unforeseen(error)
        if code == ExitCode.BUG:
            traceback.print_exc()
        screen.fail(message + " (a bug; the traceback is above)" * (code == ExitCode.BUG))
    spans = [{"stage": title, "seconds": round(seconds, 3)} for title, seconds in screen.spans]
    told = {"command": command.name, "exit_code": int(code), "error": message, "spans": spans}
    return _report(arguments, _summary(told | {"ray_session": str(ray_folder)}, outcome), code, screen.fail)


def _insist_on_a_command(parser: argparse.ArgumentParser, word: str) -> None:
    """End with 2 where the first word is neither a command nor asks for help."""
    names = [command.name for command in COMMANDS]
    if word in (*names, "-h", "--help"):
        return
    if word.startswith("-"):
        parser.error(f"{word} must stand behind a command: vigia COMMAND {word}; vigia --help lists them")
    close = difflib.get_close_matches(word, names, 1)
    parser.error(f"{word!r} is no command; " + (f"did you mean {close[0]}?" if close else "vigia --help lists them"))


def unforeseen(error: BaseException) -> tuple[ExitCode, str]:
    """What an exception that is none of ours means: a full disk, whoever met it, or a bug."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _FULL:
            where = f" ({cause.filename})" if cause.filename else ""
            return ExitCode.INPUT, f"--workspace, --out: no room left to write{where}: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return ExitCode.BUG, f"{type(error).__name__}: {error}"


@contextmanager
def _settings(scratch: str, token: str) -> Iterator[None]:
    """What libraries read from the environment of their process; afterwards it is as it was."""
    environment, folder = dict(os.environ), tempfile.tempdir
    os.environ.update({**_DEFAULTS, **environment, **_QUIET_LIBRARIES})
    os.environ.update(RAY_AUTH_TOKEN_PATH=token, MPLCONFIGDIR=scratch)
    tempfile.tempdir = scratch
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = folder


def _summary(told: Mapping[str, object], outcome: object) -> dict[str, object]:
    return {**told, **{name: getattr(outcome, name) for name in ("digest", "version", "run_id", "figures", "paths")}}


def _report(
    arguments: argparse.Namespace, summary: Mapping[str, object], code: ExitCode, fail: Callable[[str], None]
) -> ExitCode:
    """Say what was done to whoever asked for it in writing. The code to exit with."""
    if arguments.summary:
        from features.storage import write_text

        try:
            write_text(Path(arguments.summary).absolute(), json.dumps(summary, indent=2) + "\n")
        except OSError as error:
            rule = f"must be a file that can be written ({error.strerror})"
            fail(str(InputError("--summary", rule, arguments.summary)))
            code = code or ExitCode.INPUT
    if not arguments.result_line:
        return code
    from flows.result_line import job_code, result_line

    sys.stderr.flush()
    print(result_line(summary), flush=True)
    return job_code(code)


def _short(temporary: str) -> str:
    """Where Ray's session lies; its socket paths may have 107 bytes, so a long $TMPDIR gives way."""
    return temporary if len(temporary) <= 12 else "/tmp"


def _invocation() -> str:
    """How this program was called, for a command to copy."""
    called = Path(sys.argv[0])
    return sys.argv[0] if called.name == "vigia" else "python -m flows"
