"""A hold: a file beside the environment's that keeps promotions out. Kustomize does not know of it."""

from dataclasses import asdict, dataclass
from pathlib import PurePosixPath

import yaml

from features.errors import InputError
from flows.promotion.message import one_line, subject_line

_NAME = "hold.yaml"
_HEAD = "# No promotion while this file is here. `vigia hold ENV --release` removes it; kustomize does not read it.\n"


@dataclass(frozen=True)
class Hold:
    """Why, and since when (ISO 8601, by the clock of who asked for it)."""

    reason: str
    since: str

    def __str__(self) -> str:
        return f"since {self.since}: {self.reason}"


@dataclass(frozen=True)
class Standing:
    """A hold at the head; by: author of the commit that put it there."""

    hold: Hold
    by: str

    def __str__(self) -> str:
        return f"{self.hold} (by {self.by})"


def hold_file(file: str) -> str:
    """Where the hold of an environment stands, given the file that promotion edits."""
    return str(PurePosixPath(file).with_name(_NAME))


def write_hold(hold: Hold) -> str:
    """The text of the file."""
    return _HEAD + yaml.safe_dump(asdict(hold), sort_keys=False, allow_unicode=True)


def read_hold(text: str) -> Hold:
    """A hold as written, by whatever hand: the file alone holds, whatever is in it."""
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    values = found if isinstance(found, dict) else {}
    return Hold(one_line(str(values.get("reason") or "no reason given")), str(values.get("since") or "an unknown time"))


def hold_message(environment: str, hold: Hold) -> str:
    """The commit message of a hold."""
    return f"{subject_line('Hold', environment)}\n\n{hold.reason}\n"


def release_message(environment: str, hold: Hold, reason: str) -> str:
    """The commit message of its end."""
    why = f"{one_line(reason)}\n\n" if reason else ""
    return f"{subject_line('Release', environment)}\n\n{why}Held {hold}\n"


def required_reason(reason: str) -> str:
    """The reason on one line. Raises InputError without one."""
    if not reason.strip():
        raise InputError("--reason", "must say why", reason)
    return one_line(reason)
