"""The PostgreSQL door: a table or a query as Arrow blocks, read only, all from one snapshot of the database."""

import re
import weakref
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any
from urllib.parse import unquote

import pyarrow as pa

from features.errors import InputError, UnreachableError
from features.sources.batches import cut
from features.sources.columns import refuse_repeated

_NAME = r'"(?:[^"]|"")+"|[^".]+'
_TABLE = re.compile(rf"(?:({_NAME})\.)?({_NAME})")
_ISOLATION = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
# Without these a second scan may start where another one is, run in parallel, or follow an index.
_SETTINGS = {
    "synchronize_seqscans": "off",
    "max_parallel_workers_per_gather": "0",
    "enable_indexonlyscan": "off",
    "idle_in_transaction_session_timeout": "0",
}
_PASSWORD = ("password authentication failed", "no password supplied")
_REFUSED = (
    "does not exist",
    "no pg_hba.conf entry",
    "permission denied",
    "authentication",
    "SSL was required",
    "certificate",
)
_AWAY_STATES = ("08", "40", "53", "57P")
"""Classes of SQLSTATE: connection lost, rolled back by another, out of resources, shutting down."""


@dataclass(frozen=True)
class PostgresSource:
    """Rows of one select as they were when it was opened; until the source goes, a transaction stays open for that.

    The rows of a table come in its physical order. A query is in the order of its own ORDER BY; give one that ends in a
    unique key, or the server may answer in another order the next time.
    """

    uri: str
    schema: pa.Schema
    block_rows: int
    select: str = field(repr=False)
    libpq: str = field(repr=False)
    snapshot: str = field(repr=False)
    simulated: bool = False

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Blocks of block_rows rows. Numeric is float64, a date midnight; what Arrow has no plain type for is text."""
        return cut(self._read(list(columns)), self.block_rows)

    def _read(self, columns: list[str]) -> Iterator[pa.RecordBatch]:
        wanted = ", ".join(_quoted(name) for name in columns)
        connection = _begin(self.uri, self.libpq, self.snapshot)
        with closing(connection), closing(connection.cursor()) as cursor, _answers(self.uri):
            cursor.execute(f"SELECT {wanted} FROM (\n{self.select}\n) AS selected")
            for batch in cursor.fetch_record_batch():
                yield pa.RecordBatch.from_arrays(batch.columns, names=columns)


def open_postgres(uri: str, block_rows: int, timeout_s: float) -> PostgresSource:
    """Open ``postgresql://user@host:port/database?table=schema.name`` or ``?query=select%20…``.

    Other parameters are libpq's own (sslmode=…). A name in ``table`` counts as it is written; one with a dot in double
    quotes. The password is libpq's business: PGPASSWORD or ~/.pgpass. Raises InputError for what the server refuses,
    UnreachableError when it does not answer within ``timeout_s`` (2 s at least).
    """
    where, _, parameters = uri.partition("://")[2].partition("?")
    asked: dict[str, str] = {}
    libpq = {"application_name": "vigia", "connect_timeout": str(max(2, ceil(timeout_s)))}
    libpq |= {"keepalives_idle": "10", "keepalives_interval": "5", "keepalives_count": "3"}
    for part in filter(None, parameters.split("&")):
        name, _, value = part.partition("=")
        (asked if name in ("table", "query") else libpq)[name] = value
    if len(asked) != 1 or not (statement := unquote(*asked.values()).strip().rstrip(";")):
        raise InputError("data.uri", "must name either ?table=… or ?query=…", uri)
    if "table" in asked:
        statement = f"SELECT * FROM {_table(statement)}"
    address = f"postgresql://{where}?" + "&".join(f"{name}={value}" for name, value in libpq.items())
    holder = _begin(uri, address)
    try:
        with _answers(uri), closing(holder.cursor()) as cursor:
            # Alone first: what parses as one statement cannot break out of the brackets that follow.
            columns = cursor.adbc_execute_schema(statement)
            if not columns.names:
                raise InputError("data.uri", "query must be a SELECT", uri)
            refuse_repeated("the query", columns.names)
            select = f"SELECT {', '.join(map(_typed, columns))} FROM (\n{statement}\n) AS given"
            schema = cursor.adbc_execute_schema(select).remove_metadata()
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = str(cursor.fetchone()[0])
    except BaseException:
        holder.close()
        raise
    schema = pa.schema([(column.name, column.type) for column in schema])
    source = PostgresSource(uri, schema, block_rows, select, address, snapshot)
    weakref.finalize(source, holder.close)
    return source


def _begin(uri: str, libpq: str, snapshot: str | None = None) -> Any:
    """A connection in a transaction that only reads, of the given snapshot or of now."""
    from adbc_driver_postgresql import dbapi

    try:
        connection = dbapi.connect(libpq)
    except dbapi.Error as error:
        raise _connection_error(uri, error) from error
    try:
        with _answers(uri), closing(connection.cursor()) as cursor:
            cursor.execute(_ISOLATION)
            if snapshot:
                _join(uri, cursor, snapshot)
            cursor.execute("SELECT " + ", ".join(f"set_config('{k}', '{v}', true)" for k, v in _SETTINGS.items()))
    except BaseException:
        connection.close()
        raise
    return connection


def _join(uri: str, cursor: Any, snapshot: str) -> None:
    from adbc_driver_postgresql import dbapi

    try:
        cursor.execute(f"SET TRANSACTION SNAPSHOT '{snapshot}'")
    except dbapi.Error as error:
        rule = "ended the transaction that kept the rows as they were"
        raise UnreachableError(f"PostgreSQL at {_server(uri)[1]} {rule}") from error


def _connection_error(uri: str, error: Exception) -> InputError | UnreachableError:
    text = "; ".join(line.strip() for line in str(error).split("Failed to connect: ")[-1].splitlines() if line.strip())
    user, host = _server(uri)
    if any(mark in text for mark in _PASSWORD):
        rule = f"PostgreSQL at {host} refused the password, which is taken from PGPASSWORD or ~/.pgpass, of user"
        return InputError("data.uri", rule, user)
    known = "connection to server" in text or "could not translate host name" in text
    if not known or any(mark in text for mark in _REFUSED):
        return InputError("data.uri", f"PostgreSQL at {host} cannot be opened ({text})", uri)
    return UnreachableError(f"PostgreSQL at {host} did not answer: {text}")


@contextmanager
def _answers(uri: str) -> Iterator[None]:
    """Translate what the server answers to a statement."""
    from adbc_driver_postgresql import dbapi

    try:
        yield
    except (dbapi.Error, OSError, pa.ArrowException) as error:
        said = re.search(r"(?:ERROR|FATAL):\s+(.*)", str(error))
        text = said[1] if said else str(error).splitlines()[0]
        if (getattr(error, "sqlstate", None) or ("" if said else "08")).startswith(_AWAY_STATES):
            raise UnreachableError(f"PostgreSQL at {_server(uri)[1]} went away: {text}") from error
        raise InputError("data.uri", f"PostgreSQL refused the query ({text})", uri) from error


def _server(uri: str) -> tuple[str, str]:
    """User, and host with port, as the URI states them."""
    user, _, host = uri.partition("://")[2].partition("?")[0].partition("/")[0].rpartition("@")
    return unquote(user), host or "its default address"


def _table(name: str) -> str:
    found = _TABLE.fullmatch(name)
    if not found:
        raise InputError("data.uri", "table must be name or schema.name, names with a dot in double quotes", name)
    parts = (part[1:-1].replace('""', '"') if part.startswith('"') else part for part in found.groups() if part)
    return ".".join(map(_quoted, parts))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _typed(column: pa.Field) -> str:
    """The column cast so that Arrow has a plain type for it."""
    kind, name = (column.metadata or {}).get(b"POSTGRESQL:type", b"").decode(), _quoted(column.name)
    types = pa.types
    item = column.type.value_type if types.is_list(column.type) else column.type
    if types.is_integer(item) or types.is_floating(item) or types.is_boolean(item) or types.is_timestamp(item):
        return name
    cast = {"numeric": "float8", "_numeric": "float8[]", "date": "timestamp"}.get(kind, "text")
    return f"CAST({name} AS {cast}) AS {name}"
