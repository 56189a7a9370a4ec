"""Arguments that state a configuration, and the configuration that they state."""

import argparse
import shlex
from collections.abc import Sequence
from pathlib import Path

from flows.config.loading import load_config
from flows.config.train import TrainConfig
from flows.outcome import Progress

_SHOWN = 100  # lines of a guessed configuration on the screen
# A table for a bundle may hold a single row, whatever a training asks of its own; --set wins over this.
SCORING = ("validation.min_rows=1", "validation.min_days=0", "validation.constant_features=allow")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """--config and --set."""
    parser.add_argument("--config", type=Path, help="YAML file (default: the simulated fleet)")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="e.g. data.label=null")


def add_table(parser: argparse.ArgumentParser) -> None:
    """A table, --config and --set."""
    parser.add_argument("uri", nargs="?", metavar="URI", help="table; its columns' roles are guessed without --config, "
                        "else it replaces data.uri")  # fmt: skip
    add_settings(parser)


def configured(arguments: argparse.Namespace, progress: Progress) -> TrainConfig:
    """The configuration of a table, file and settings; says what it guessed. Raises InputError."""
    if arguments.uri is None or arguments.config is not None:
        return load_config(TrainConfig, arguments.config, arguments.set, arguments.uri)
    from flows.steps.configure import configure, told

    with progress.stage("Guessing the roles of the columns"):
        done = configure(arguments.uri, arguments.set)
    for line in (*told(done), "", "The configuration, as `vigia config init` would write it:", ""):
        progress.say(line)
    lines = done.text.splitlines()
    for line in lines[:_SHOWN]:
        progress.say(f"  {line}" if line else line)
    if len(lines) > _SHOWN:
        said = f"`vigia config init {shlex.quote(arguments.uri)}` writes them all"
        progress.say(f"  … {len(lines) - _SHOWN} more lines: {said}")
    progress.say("")
    return done.config


def configured_for(
    features: Sequence[str],
    uri: str | None,
    arguments: argparse.Namespace,
    progress: Progress,
    asked: Sequence[str] = SCORING,
) -> TrainConfig:
    """The configuration of a table for a bundle, whose features are known; says which other roles it guessed.

    asked: settings of the command, before those of --set. Nothing is guessed with --config or without a table.
    Raises InputError.
    """
    settings = [*asked, *arguments.set]
    if uri is None or arguments.config is not None:
        return load_config(TrainConfig, arguments.config, settings, uri)
    from flows.steps.configure import configure_roles, told

    done = configure_roles(uri, settings, features)
    for line in told(done) if done.guess else ():
        progress.say(line)
    return done.config


def repeated(arguments: argparse.Namespace) -> str:
    """The same arguments for another command."""
    config = ["--config", str(arguments.config)] if arguments.config else []
    settings = [part for setting in arguments.set for part in ("--set", setting)]
    return shlex.join([*([arguments.uri] if arguments.uri else []), *config, *settings])
