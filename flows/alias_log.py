"""The log of alias moves: one JSON object a line, only ever appended to."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

from features.errors import UnreachableError


@dataclass(frozen=True)
class AliasMove:
    """An alias pointed somewhere else. at: UTC, ISO 8601; before: version it pointed at, or empty; commit: git's."""

    at: str
    environment: str
    alias: str
    model: str
    before: str
    version: str
    digest: str
    commit: str


@dataclass(frozen=True)
class AliasLog:
    """A file of moves. A line is written before its move, so that no move is missing from it."""

    path: Path

    def append(self, move: AliasMove) -> None:
        """Note a move, unless the last one of that alias led to the same version from the same commit."""
        known = [found for found in self.read() if (found.environment, found.alias) == (move.environment, move.alias)]
        if known and (known[-1].version, known[-1].commit) == (move.version, move.commit):
            return
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                torn = file.tell() and not self._ends_a_line()
                file.write(b"\n" * bool(torn) + json.dumps(asdict(move)).encode() + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise UnreachableError(f"{self.path}: {error.strerror or error}") from error

    def read(self) -> list[AliasMove]:
        """Every whole line, oldest first."""
        moves = []
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []:
            try:
                moves.append(AliasMove(**json.loads(line)))
            except (ValueError, TypeError):
                continue  # torn by a machine that went down
        return moves

    def _ends_a_line(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"
