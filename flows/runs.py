"""The folder of a training run: held by one process at a time, with all that another needs to finish the run."""

import fcntl
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from features.errors import InputError, RetryError
from features.rows import Rows
from features.storage import write_text

CONFIG = "config.yaml"
_STATE = "state.json"
_LATEST = "latest"


@dataclass(frozen=True)
class State:
    """How far a run got. environment: whose registry it is for; rows: fingerprint of its rows."""

    environment: str = "local"
    rows: str = ""
    finished: bool = False


@contextmanager
def holding(folder: Path) -> Iterator[None]:
    """Keep other processes out of a run, until this one ends in whatever way. Raises RetryError when one is in it."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise RetryError(f"run {folder.name}: another process is at work on it") from error
        yield


@contextmanager
def resumable(folder: Path) -> Iterator[None]:
    """What breaks off a run that can be finished says how: a platform that is away, or Ctrl-C."""
    try:
        yield
    except (RetryError, KeyboardInterrupt) as error:
        if not read_state(folder).rows:
            raise
        said = f"{error}; when that is over" if str(error) else "interrupted"
        raise type(error)(f"{said}, vigia train --resume {folder.name} finishes the run") from error


def unfinished(runs: Path, asked: str) -> Path:
    """The run of that name, or with "latest" the last one that has not finished and that nobody is at work on.

    Raises InputError where there is none, or where it has finished.
    """
    found = [folder for folder in sorted(runs.glob("*-train-*")) if (folder / CONFIG).is_file()]
    if asked != _LATEST:
        named = next((folder for folder in found if folder.name == asked), None)
        if named is None:
            known = ", ".join(folder.name for folder in found if not read_state(folder).finished) or "none"
            raise InputError("--resume", f"must name a training run in {runs} (unfinished: {known})", asked)
        if read_state(named).finished:
            raise InputError("--resume", "must name a run that has not finished", asked)
        return named
    for folder in reversed(found):
        if not read_state(folder).finished and _free(folder):
            return folder
    raise InputError("--resume", f"there is no unfinished training run in {runs}")


def begin(folder: Path, config: str, environment: str) -> None:
    """Note what another process needs to finish the run: its configuration, and the environment it is for."""
    _write_state(folder, State(environment))
    write_text(folder / CONFIG, config)


def settle(folder: Path, rows: Rows) -> str:
    """Note what a run works on, and return its fingerprint. Raises InputError when the run began with other rows."""
    state, now = read_state(folder), fingerprint(rows)
    if state.rows not in ("", now):
        raise InputError("--resume", f"run {folder.name} began with other rows than its table now gives; train anew")
    _write_state(folder, replace(state, rows=now))
    return now


def finish(folder: Path) -> None:
    """Note that nothing is left to do."""
    _write_state(folder, replace(read_state(folder), finished=True))


def read_state(folder: Path) -> State:
    """The state of a run; the initial one where it has noted nothing yet."""
    try:
        return State(**json.loads((folder / _STATE).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return State()


def fingerprint(rows: Rows) -> str:
    """SHA-256 of everything in the rows that a model can depend on, as 64 hexadecimal digits."""
    total = hashlib.sha256(repr((rows.features, rows.series_names, rows.group_names, rows.regime_names)).encode())
    for part in (rows.values, rows.series, rows.times, rows.labels, rows.groups, rows.regimes):
        total.update(b"none" if part is None else part.tobytes())
    return total.hexdigest()


def _write_state(folder: Path, state: State) -> None:
    write_text(folder / _STATE, json.dumps(asdict(state), indent=2) + "\n")


def _free(folder: Path) -> bool:
    try:
        with holding(folder):
            return True
    except RetryError:
        return False
