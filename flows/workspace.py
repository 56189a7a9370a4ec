"""The workspace: the one folder that holds everything local."""

import errno
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from features.errors import InputError, UnreachableError
from features.storage import write_text


@dataclass(frozen=True)
class Workspace:
    """Paths below an absolute root; nothing is created before it is needed."""

    root: Path

    @property
    def registry_uri(self) -> str:
        """MLflow's SQLite store."""
        return f"sqlite:///{self.root / 'mlflow' / 'mlflow.db'}"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts."""
        return self.root / "mlflow" / "artifacts"

    @property
    def bundles(self) -> Path:
        """The bundle store of the local environment."""
        return self.root / "bundles"

    @property
    def repository(self) -> Path:
        """The bare git repository of the local environment."""
        return self.root / "gitops.git"

    @property
    def service(self) -> Path:
        """Where the running service is: pid, addresses."""
        return self.root / "service.json"

    @property
    def leases(self) -> Path:
        """Who is at work on which environment."""
        return self.root / "leases"

    @property
    def alias_log(self) -> Path:
        """Every move of an alias, appended."""
        return self.root / "aliases.jsonl"

    @property
    def token(self) -> Path:
        """Ray's token, ours alone."""
        return self.root / "ray-token"

    @property
    def scratch(self) -> Path:
        """Temporary files and caches of libraries."""
        return self.root / "tmp"

    @property
    def cache(self) -> Path:
        """What can be made again: simulated fleets."""
        return self.root / "cache"

    def prepare(self) -> None:
        """Create the root, a token and the scratch folder; keeps git from seeing any of it."""
        try:
            self.scratch.mkdir(parents=True, exist_ok=True)
            if not (self.root / ".gitignore").exists():
                write_text(self.root / ".gitignore", "*\n")
            if not self.token.exists():
                self._make_token()
        except OSError as error:
            if error.errno in (errno.ENOSPC, errno.EIO):
                raise UnreachableError(f"workspace {self.root}: {error.strerror}") from error
            raise InputError("--workspace", f"must be a writable folder ({error.strerror})", str(self.root)) from error

    def _make_token(self) -> None:
        """In one step, so that nobody reads half a token; of two that make one at once the first stays."""
        made = self.root / f".ray-token.{secrets.token_hex(4)}"
        made.touch(mode=0o600)
        try:
            made.write_text(secrets.token_hex(32))
            with suppress(FileExistsError):
                os.link(made, self.token)
        finally:
            made.unlink()

    def new_run(self, command: str) -> Path:
        """A fresh folder for the products of one run."""
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{command}-{secrets.token_hex(2)}"
        folder = self.root / "runs" / name
        folder.mkdir(parents=True)
        return folder
