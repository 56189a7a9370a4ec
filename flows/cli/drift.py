"""Arguments of `vigia drift`."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from features.errors import InputError
from flows.cli.bundle import add_bundle, add_data, asked_bundle, asked_table
from flows.cli.configuration import add_settings, configured_for
from flows.cli.environment import add_environment, chosen
from flows.config.loading import load_config
from flows.config.model import microseconds, parse_duration
from flows.config.train import TrainConfig
from flows.outcome import Outcome, Progress
from flows.promotion.admission import CHALLENGER
from flows.workspace import Workspace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Table, span of time, bundle, environment, and the arguments of train for the roles of columns."""
    add_data(parser, "table with the new rows (default: data.uri)")
    parser.add_argument(
        "--from", dest="start", metavar="TIME", help="first time to compare, ISO 8601 (UTC without zone)"
    )
    parser.add_argument("--to", dest="stop", metavar="TIME", help="first time beyond it")
    told = "in place of both: so long a span, such as 7d, that ends with the table's newest row"
    parser.add_argument("--last", metavar="DURATION", help=told)
    add_bundle(parser, "the environment's champion, else the challenger")
    add_environment(parser)
    add_settings(parser)


def run(arguments: argparse.Namespace, workspace: Workspace, progress: Progress, ray: Path) -> Outcome:
    """Find the bundle, load the configuration, compare.

    Before the first model there is nothing to do, unless one was named: a schedule is not to fail every day until then.
    """
    from flows.steps.bundles import UnregisteredError, find_bundle
    from flows.steps.drift import drift
    from flows.steps.sampling import Span

    if arguments.last and (arguments.start or arguments.stop):
        raise InputError("--last", "stands in place of --from and --to; give one or the other", arguments.last)
    last = microseconds(parse_duration("--last", arguments.last)) if arguments.last is not None else None
    span = Span(_microseconds("--from", arguments.start), _microseconds("--to", arguments.stop), last)
    stated = load_config(TrainConfig, arguments.config, arguments.set)
    place = chosen(arguments, workspace)
    try:
        found = find_bundle(asked_bundle(arguments, stated, (place.champion, CHALLENGER)), place)
    except UnregisteredError:
        if arguments.alias or arguments.model:
            raise
        nothing = f"nothing to compare with yet: neither {place.champion} nor {CHALLENGER} points at a version"
        return Outcome((("Drift", nothing),), f"train --env {place.name}")
    config = configured_for(found.bundle.manifest.features, asked_table(arguments), arguments, progress)
    return drift(config, found, span, workspace, progress)


def _microseconds(field: str, text: str | None) -> int | None:
    """A time as microseconds since 1970 UTC."""
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputError(field, "must be a time, such as 2026-11-03 or 2026-11-03T12:00", text) from error
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1e6)
