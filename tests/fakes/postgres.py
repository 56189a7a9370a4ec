"""A real PostgreSQL server of its own on a free port, for as long as a context lasts."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adbc_driver_postgresql import dbapi

from tests.system import require_program

_BINARIES = "/usr/lib/postgresql/*/bin"


@dataclass(frozen=True)
class Postgres:
    """Where the server is, and the password of its one user ``owner``."""

    port: int
    password: str = "sesame street"

    def uri(self, parameters: str, user: str = "owner") -> str:
        """The URI of the database, as a person would configure it."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/postgres?{parameters}"

    def run(self, statement: str) -> None:
        """Run one statement as the owner."""
        password = self.password.replace(" ", "%20")
        uri = f"postgresql://owner:{password}@127.0.0.1:{self.port}/postgres"
        with closing(dbapi.connect(uri, autocommit=True)) as connection, closing(connection.cursor()) as cursor:
            cursor.execute(statement)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Start a server with an empty database; skips the test when PostgreSQL is not installed."""
    initdb, server = (str(require_program(name, "postgresql", _BINARIES)) for name in ("initdb", "postgres"))
    folder = Path(tempfile.mkdtemp(prefix="vigia-postgres-"))
    as_user: dict[str, Any] = {"cwd": folder, "stdout": subprocess.DEVNULL, "stderr": subprocess.STDOUT}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        as_user |= {"user": "nobody", "group": "nogroup", "extra_groups": []}
        shutil.chown(folder, "nobody", "nogroup")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        place = Postgres(free.getsockname()[1])
    (folder / "password").write_text(place.password)
    (folder / "password").chmod(0o644)
    data = str(folder / "data")
    how = ["--username=owner", f"--pwfile={folder / 'password'}", "--auth=scram-sha-256", "--encoding=UTF8"]
    subprocess.run([initdb, "-D", data, "--locale=C.UTF-8", "--no-sync", *how], check=True, **as_user)
    settings = ["listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=off", "autovacuum=off"]
    options = [word for setting in settings for word in ("-c", setting)]
    process = subprocess.Popen([server, "-D", data, "-p", str(place.port), *options], **as_user)
    try:
        _wait_for(place, process)
        yield place
    finally:
        process.send_signal(signal.SIGINT)  # fast: does not wait for clients
        process.wait(timeout=30)
        shutil.rmtree(folder)


def _wait_for(place: Postgres, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 30
    while True:
        try:
            return place.run("SELECT 1")
        except dbapi.Error:
            if process.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)
