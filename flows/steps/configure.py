"""From the URI of an unknown table to a configuration: guess on its first rows, suggest, render, write."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pyarrow as pa

from features.blocks import coalesce
from features.errors import InputError
from features.guess.columns import readable
from features.guess.roles import Guess, guess_roles
from features.schema import resolve
from features.sources.opening import Access, open_source
from features.storage import write_text
from flows.config.data import Data
from flows.config.loading import changed, from_text, load_config, parse_setting
from flows.config.rendering import render, tree_of
from flows.config.suggest import suggest
from flows.config.suggestion import Setting, Suggestion
from flows.config.train import TrainConfig
from flows.outcome import Outcome

SAMPLE_ROWS = 250_000
_NAMED = 30  # features on the screen; the configuration has all
_ROLES = ("timestamp", "timestamp_format", "series", "group", "label", "regime")
_ENDINGS = r"(\.(csv|tsv|parquet|pq))?(\.gz)?$"


@dataclass(frozen=True)
class Configured:
    """A configuration, its commented text, and the guess behind it: None where the columns are known."""

    config: TrainConfig
    text: str
    guess: Guess | None = None
    whole: bool = True


def configure(uri: str, settings: Sequence[str] = ()) -> Configured:
    """Guess what ``settings`` (``key.subkey=value``) leave open; the configuration is what its text loads back to.

    The simulated fleet and raw records have known columns: nothing is guessed. Raises InputError.
    """
    data = load_config(TrainConfig, None, settings, uri).data
    about = [Setting("model", "", model_name(data.uri)), Setting("data", "uri", data.uri)]
    if data.uri.startswith("fleet://") or data.record:
        about[0] = replace(about[0], value=TrainConfig().model)
        return _rendered(Suggestion(tuple(about), ()), settings, ("The columns are known; nothing was guessed.",))
    guess, sample = _guess(data, {parse_setting(setting)[0] for setting in settings})
    whole = guess.rows < SAMPLE_ROWS
    found = suggest(guess, sample, whole=whole)
    heading = (
        f"Roles guessed from {_rows(guess, whole)}.",
        "What is not here has its default: `vigia config show` prints them, `vigia config schema` their rules.",
    )
    done = _rendered(replace(found, settings=(*about, *found.settings)), settings, heading)
    return replace(done, guess=guess, whole=whole)


def configure_roles(uri: str, settings: Sequence[str], features: Sequence[str]) -> Configured:
    """Guess the roles beside known features alone; everything else has its default. Raises InputError.

    The text of what comes out is empty.
    """
    settings = [*settings, f"data.features={json.dumps(list(features))}"]
    data = load_config(TrainConfig, None, settings, uri).data
    if data.uri.startswith("fleet://") or data.record:
        return Configured(load_config(TrainConfig, None, settings, uri), "")
    given = {parse_setting(setting)[0] for setting in settings}
    guess, _ = _guess(data, given)
    roles = {name: None if name == "timestamp_format" else getattr(guess, name).column for name in _ROLES}
    roles["timestamp_format"] = guess.timestamp_format
    open_roles = [name for name in _ROLES if not any(key.startswith(f"data.{name}") for key in given)]
    guessed = [f"data.{name}={json.dumps(roles[name])}" for name in open_roles]
    whole = guess.rows < SAMPLE_ROWS
    return Configured(load_config(TrainConfig, None, [*guessed, *settings], uri), "", guess, whole)


def write_configuration(uri: str, settings: Sequence[str], out: Path | None, force: bool) -> tuple[Configured, Outcome]:
    """Write the configuration of a table; an existing file only by ``force``. Raises InputError."""
    file = out or Path(f"{model_name(uri)}.yaml")
    if file.is_dir() or (file.exists() and not force):
        raise InputError("--out", "must not exist yet (--force replaces a file)", str(file))
    done = configure(uri, settings)
    try:
        write_text(file, done.text)
    except OSError as error:
        raise InputError("--out", f"must be a file that can be written ({error.strerror})", str(file)) from error
    command = f"train --config {shlex.quote(str(file))}"
    written = ("Written", "the configuration, its reasons as comments; correct there what is guessed wrong")
    return done, Outcome(lines=(written,), next_command=command, paths={"file": str(file)})


def told(done: Configured) -> list[str]:
    """The guess in lines for people."""
    if done.guess is None:
        return ["The columns of this table are known; nothing was guessed."]
    guess = done.guess
    lines = [f"Roles guessed from {_rows(guess, done.whole)}:"]
    for name in ("timestamp", "series", "group", "regime", "label"):
        role = getattr(guess, name)
        lines.append(f"  {name:<10} {'none' if role.column is None else repr(role.column)}: {role.reason}")
    more = f" and {len(guess.features) - _NAMED} more" if len(guess.features) > _NAMED else ""
    lines.append(f"  features   {len(guess.features)}: {', '.join(map(repr, guess.features[:_NAMED]))}{more}")
    lines += [f"  left out   {name!r}: {why}" for name, why in guess.left_out.items()]
    return lines


def model_name(uri: str) -> str:
    """The name of a table's file, folder or relation, as a registered model may be called."""
    path, _, query = uri.partition("?") if "://" in uri else (uri, "", "")
    relation = re.search(r"(?:^|&)table=([^&]+)", query)
    parts = [relation[1]] if relation else [part for part in path.split("/") if part and not set(part) & set("*?[")]
    name = re.sub(_ENDINGS, "", parts[-1] if parts else "", flags=re.IGNORECASE)
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:63] or "table"


def _guess(data: Data, given: set[str]) -> tuple[Guess, pa.RecordBatch]:
    source = open_source(data.uri, Access(separator=data.separator, endpoint=data.endpoint, region=data.region))
    schema, names = source.schema, readable(source.schema)
    sample = next(coalesce(source.blocks(names), SAMPLE_ROWS), None) if names else None
    if sample is None:
        sample = pa.record_batch([pa.nulls(0, schema.field(name).type) for name in names], names=names)
    sample = sample.slice(0, SAMPLE_ROWS)
    settled = {
        role for role in _ROLES if any(key == f"data.{role}" or key.startswith(f"data.{role}.") for key in given)
    }
    regime = data.regime if data.regime is None or isinstance(data.regime, str) else data.regime.column
    known = {role: regime if role == "regime" else getattr(data, role) for role in settled}
    features = data.features if "data.features" in given and data.features != "*" else ()
    guess = guess_roles(schema, sample, known, features)
    roles = {name: getattr(guess.schema, name) for name in _ROLES}
    bound = resolve(schema, features=data.features if "data.features" in given else guess.features, **roles)
    left_out = {name: why for name, why in guess.left_out.items() if name not in bound.features}
    return replace(guess, features=bound.features, left_out=left_out), sample


def _rendered(suggestion: Suggestion, settings: Sequence[str], heading: Sequence[str]) -> Configured:
    given = {parse_setting(setting)[0] for setting in settings}
    kept = [s for s in suggestion.settings if not any(key.startswith(f"{s.section}.{s.key}.") for key in given)]
    text = render(changed(tree_of(kept), settings), suggestion, heading)
    return Configured(from_text(TrainConfig, text), text)


def _rows(guess: Guess, whole: bool) -> str:
    return f"all {guess.rows:,} rows" if whole else f"the first {guess.rows:,} rows (later ones may differ)"
