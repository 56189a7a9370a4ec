"""What a step returns: the same value feeds the last screen, ``--summary`` and the tests."""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from features.errors import RefusedError
from flows.exit_codes import ExitCode


@dataclass(frozen=True)
class Outcome:
    """What was done. ``lines``: last screen, (heading, text) by line; ``next_command``: what to type after vigia."""

    lines: tuple[tuple[str, str], ...] = ()
    next_command: str = ""
    digest: str = ""
    version: str = ""
    run_id: str = ""
    figures: Mapping[str, Any] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
    exit_code: ExitCode = ExitCode.DONE


class RefusedRun(RefusedError):
    """A gate said no to what a complete run made; ``outcome`` is what was done and kept."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message)
        self.outcome = outcome


class Progress(Protocol):
    """Where a step tells what it is doing."""

    def stage(self, title: str) -> AbstractContextManager["Stage"]:
        """A stage with a beginning and an end; its duration is shown."""
        ...

    def say(self, text: str) -> None:
        """One line, now."""
        ...


class Stage(Protocol):
    """A running stage."""

    def update(self, text: str) -> None:
        """What it is at, for those who watch a terminal."""
        ...

    def result(self, text: str) -> None:
        """What came of it, shown when it ends."""
        ...
