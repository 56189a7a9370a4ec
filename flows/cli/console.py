"""What people see: Rich on a terminal, plain lines in a log, nothing but errors with --quiet."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.status import Status
from rich.text import Text

from flows.exit_codes import ExitCode
from flows.outcome import Outcome


class _Stage:
    def __init__(self, title: str, status: Status | None) -> None:
        self._title, self._status, self.found = title, status, ""

    def update(self, text: str) -> None:
        if self._status:
            self._status.update(Text(f"{self._title}: {text}"))

    def result(self, text: str) -> None:
        self.found = text


class _Console(Console):
    def on_broken_pipe(self) -> None:
        """Whoever read along has gone, as `head` goes: end as after Ctrl-C, without a word."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains while it ends
        raise SystemExit(ExitCode.INTERRUPTED)


class Screen:
    """Implements flows.outcome.Progress."""

    def __init__(self, quiet: bool) -> None:
        self._quiet = quiet
        self._console = _Console(highlight=False, soft_wrap=True)
        self.spans: list[tuple[str, float]] = []
        """Stages that have ended, by title, with their seconds."""

    @contextmanager
    def stage(self, title: str) -> Iterator[_Stage]:
        """Shows the title while it runs, then one line with what came of it and the seconds it took."""
        started = time.monotonic()
        live = self._console.status(title) if self._console.is_terminal and not self._quiet else None
        stage = _Stage(title, live)
        if live:
            live.start()
        try:
            yield stage
        finally:
            if live:
                live.stop()
        self.spans.append((title, time.monotonic() - started))
        text = f"{title}: {stage.found}" if stage.found else title
        self.say(f"{text} ({self.spans[-1][1]:.1f} s)", style="dim")

    def say(self, text: str, style: str = "") -> None:
        """One line."""
        if not self._quiet:
            self._console.print(Text(text, style=style))

    def show(self, outcome: Outcome, command: str, where: str = "") -> None:
        """The last screen: what was learned, the pages, one command to copy (with ``where`` at its end)."""
        if self._quiet:
            return
        self._console.print()
        pages = [(name.capitalize(), path) for name, path in outcome.paths.items()]
        for heading, text in (*outcome.lines, *pages):
            self._console.print(Text.assemble((f"{heading:<11}", "bold"), text))
        if outcome.next_command:
            words = f"{command} {outcome.next_command} {where}".rstrip()
            self._console.print(Text.assemble(("\nNext: ", "bold"), (words, "green")))

    def fail(self, text: str) -> None:
        """One error, on stderr even when quiet."""
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text.assemble(("error: ", "bold red"), text))
