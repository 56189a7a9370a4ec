"""Arguments that name a bundle, and the table beside it."""

import argparse
from typing import TYPE_CHECKING

from features.errors import InputError
from flows.config.train import TrainConfig

if TYPE_CHECKING:
    from flows.steps.bundles import Asked


def add_bundle(parser: argparse.ArgumentParser, default: str) -> None:
    """--bundle, --version, --alias, --model; ``default``: what is taken without them, in words."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--bundle",
        metavar="DIR_OR_URI",
        help=f"folder, file://, s3://, models:/name/version or models:/name@alias (default: {default})",
    )
    which.add_argument("--version", help="version of the model")
    which.add_argument("--alias", help="alias of the model's version")
    add_model(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """--model."""
    usual = TrainConfig().model
    parser.add_argument("--model", help=f"registered model (default: the configured one, {usual}, or the only one)")


def asked_bundle(arguments: argparse.Namespace, config: TrainConfig, aliases: tuple[str, ...]) -> "Asked":
    """What the arguments name; ``aliases`` without any."""
    from flows.steps.bundles import Asked  # imports what scores, and whoever submits a job has none of it

    chosen = (arguments.alias,) if arguments.alias else aliases
    stated = config.model if "model" in config.model_fields_set else None
    return Asked(arguments.model or stated, getattr(arguments, "bundle", None), arguments.version, chosen)


def add_data(parser: argparse.ArgumentParser, what: str) -> None:
    """A table, by place or by --data."""
    parser.add_argument("uri", nargs="?", metavar="URI", help=what)
    parser.add_argument("--data", metavar="URI", help="the same")


def asked_table(arguments: argparse.Namespace) -> str | None:
    """The table that was named, if one was. Raises InputError for two."""
    if arguments.uri is not None and arguments.data is not None:
        raise InputError("--data", "must not be given beside a table", arguments.uri)
    named: str | None = arguments.uri if arguments.data is None else arguments.data
    return named
