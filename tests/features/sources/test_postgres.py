"""Tables and queries of a real PostgreSQL server."""

import time
from datetime import UTC, datetime
from urllib.parse import quote

import pyarrow as pa
import pytest

from features.errors import InputError, UnreachableError
from features.sources.opening import Access, Source, open_source
from tests.fakes.postgres import Postgres
from tests.fakes.refusing import silent_server

ZONED = pa.timestamp("us", tz="UTC")


@pytest.fixture(autouse=True)
def password(database: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one password variable of PostgreSQL's own clients."""
    monkeypatch.setenv("PGPASSWORD", database.password)


@pytest.fixture(scope="session")
def rows(database: Postgres) -> Postgres:
    """The table ``rows`` of 60,000 rows, in an order that no index has."""
    database.run(
        "CREATE TABLE rows AS SELECT 'sensor_' || i % 7 AS series, (i * 7919) % 60000 AS number,"
        " now() + i * interval '1 second' AS time, i / 10.0 AS value FROM generate_series(1, 60000) AS i"
    )
    database.run("CREATE INDEX ON rows (number)")
    database.run("VACUUM ANALYZE rows")
    return database


def read(source: Source, *columns: str) -> pa.Table:
    return pa.Table.from_batches(source.blocks(columns), pa.schema([source.schema.field(name) for name in columns]))


def query(statement: str) -> str:
    return "query=" + quote(statement)


def test_every_type_becomes_a_plain_one(database: Postgres) -> None:
    database.run("CREATE TYPE mood AS ENUM ('off', 'high')")
    database.run(
        "CREATE TABLE types AS SELECT 1::int2 AS small, 2::int4 AS int, 3::int8 AS big, 1.5::float4 AS real,"
        " 2.5::numeric(9,3) AS num, 'NaN'::numeric AS nan, true AS flag, 'é ü'::text AS text, 'ab'::varchar(9) AS var,"
        " 'x'::char(4) AS pad, 'high'::mood AS mood, 'c0ffee00-0000-0000-0000-000000000000'::uuid AS uuid,"
        " '2026-01-02'::date AS day, '2026-01-02 03:04:05.678901'::timestamp AS plain,"
        " '2026-01-02 03:04:05+02'::timestamptz AS zoned, ARRAY[1.5, 2.5]::float8[] AS points,"
        " ARRAY[1.5]::numeric[] AS nums, interval '1 day' AS span, '{\"a\": 1}'::jsonb AS json, NULL::float8 AS none"
    )
    source = open_source(database.uri("table=types"))
    numbers = [pa.int16(), pa.int32(), pa.int64(), pa.float32(), pa.float64(), pa.float64(), pa.bool_()]
    times = [pa.timestamp("us"), pa.timestamp("us"), ZONED]
    assert source.schema.types[:15] == numbers + [pa.string()] * 5 + times
    row = read(source, *source.schema.names).to_pylist()[0]
    assert row.pop("nan") != row["num"]
    assert row == {
        "small": 1, "int": 2, "big": 3, "real": 1.5, "num": 2.5, "flag": True, "text": "é ü", "var": "ab", "pad": "x",
        "mood": "high", "uuid": "c0ffee00-0000-0000-0000-000000000000", "day": datetime(2026, 1, 2),
        "plain": datetime(2026, 1, 2, 3, 4, 5, 678901), "zoned": datetime(2026, 1, 2, 1, 4, 5, tzinfo=UTC),
        "points": [1.5, 2.5], "nums": [1.5], "span": "1 day", "json": '{"a": 1}', "none": None,
    }  # fmt: skip


def test_blocks_have_the_size_asked_for_and_change_no_row(rows: Postgres) -> None:
    whole = read(open_source(rows.uri("table=rows")), "number", "series").combine_chunks()
    for block_rows in (999, 60_000):
        blocks = list(open_source(rows.uri("table=rows"), Access(block_rows=block_rows)).blocks(["number", "series"]))
        assert {block.num_rows for block in blocks[:-1]} <= {block_rows}
        assert pa.Table.from_batches(blocks).combine_chunks().equals(whole)


def test_each_reading_gives_the_same_rows_in_the_same_order_whatever_the_columns(rows: Postgres) -> None:
    source = open_source(rows.uri("table=rows"))
    number = read(source, "number")["number"]
    assert number.to_pylist() == [(i * 7919) % 60_000 for i in range(1, 60_001)]
    assert read(source, "value", "number")["number"].equals(number)


def test_readings_may_overlap(rows: Postgres) -> None:
    source = open_source(rows.uri("table=rows"), Access(block_rows=1_000))
    pairs = zip(source.blocks(["number"]), source.blocks(["number"]), strict=True)
    assert sum(first.equals(second) for first, second in pairs) == 60


def test_what_is_written_after_opening_is_not_seen(database: Postgres) -> None:
    database.run("CREATE TABLE growing AS SELECT 1 AS a")
    source = open_source(database.uri("table=growing"))
    database.run("INSERT INTO growing VALUES (2)")
    assert read(source, "a")["a"].to_pylist() == [1]
    assert read(open_source(database.uri("table=growing")), "a")["a"].to_pylist() == [1, 2]


def test_a_transaction_ends_with_its_source(database: Postgres) -> None:
    source = open_source(database.uri(query("SELECT 1 AS a")))
    next(source.blocks(["a"]))
    counting = open_source(
        database.uri(query("SELECT count(*) AS n FROM pg_stat_activity WHERE application_name = 'vigia'"))
    )
    assert read(counting, "n")["n"].to_pylist() == [3]  # two that hold a snapshot, one that reads
    del source
    time.sleep(0.2)
    assert read(counting, "n")["n"].to_pylist() == [2]


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ('public."Größe 7 · rms"', "public.Größe 7 · rms"),
        ('"a.b"', '"a.b"'),
        ('"say ""x"""', '"say ""x"""'),
        ('"A;B"', "A;B"),
        ('"x"" y"', 'public."x"" y"'),
    ],
)
def test_a_table_name_may_hold_any_sign(database: Postgres, table: str, name: str) -> None:
    database.run(f'CREATE TABLE {table} AS SELECT \'série "é" 机器\'::text AS "Série %1"')
    source = open_source(database.uri("table=" + quote(name)))
    assert read(source, "Série %1").to_pydict() == {"Série %1": ['série "é" 机器']}


def test_a_query_may_be_written_without_escapes_and_end_in_a_comment(rows: Postgres) -> None:
    for text in ("query=select number+1 as n from rows order by number limit 2;", query("select 1 AS n -- one")):
        assert read(open_source(rows.uri(text)), "n")["n"].to_pylist()[0] == 1


def test_an_empty_table_gives_no_block(database: Postgres) -> None:
    source = open_source(database.uri(query("SELECT 1 AS a WHERE false")))
    assert source.schema.names == ["a"]
    assert list(source.blocks(["a"])) == []


def test_parameters_of_libpq_pass_through(database: Postgres) -> None:
    source = open_source(
        database.uri("application_name=mine&" + query("SELECT current_setting('application_name') AS a"))
    )
    assert read(source, "a")["a"].to_pylist() == ["mine"]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("SELECT absent FROM rows", 'column "absent" does not exist'),
        ("SELECT * FROM absent", 'relation "absent" does not exist'),
        ("selekt", 'syntax error at or near "selekt"'),
        ("SELECT 1 AS a; SELECT 2", "cannot insert multiple commands into a prepared statement"),
        ("SELECT 1 AS a) TO PROGRAM 'id' --", 'syntax error at or near ")"'),
        ("SELECT nextval('counter') AS a", "cannot execute nextval() in a read-only transaction"),
        ("SELECT 1 / (number - number) AS a FROM rows", "division by zero"),
        ("WITH x AS (DELETE FROM rows RETURNING 1 AS a) SELECT * FROM x", "WITH clause containing a data-modifying"),
        ("DELETE FROM rows RETURNING 1 AS a", "syntax error"),
    ],
)
def test_what_the_server_refuses_is_an_input_error_in_its_words(rows: Postgres, statement: str, said: str) -> None:
    rows.run("CREATE SEQUENCE IF NOT EXISTS counter")
    with pytest.raises(InputError) as caught:
        read(open_source(rows.uri(query(statement))), "a")
    assert str(caught.value).startswith(f"data.uri: PostgreSQL refused the query ({said}")
    assert f"got 'postgresql://owner@127.0.0.1:{rows.port}/postgres?" in str(caught.value)
    assert read(open_source(rows.uri("table=rows")), "number").num_rows == 60_000


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("table=absent", 'PostgreSQL refused the query (relation "absent" does not exist), got '),
        ("table=a.b.c", "table must be name or schema.name, names with a dot in double quotes, got 'a.b.c'"),
        ("", "must name either ?table=… or ?query=…, got 'postgresql://"),
        ("table=", "must name either ?table=… or ?query=…, got 'postgresql://"),
        ("table=a&query=b", "must name either ?table=… or ?query=…, got 'postgresql://"),
        (query("DROP TABLE rows"), "query must be a SELECT, got 'postgresql://"),
        (query("SELECT 1 AS a, 2 AS a"), "the query must name each column once, got ['a']"),
        ("table=rows&nonsense=1", 'PostgreSQL at {} cannot be opened (invalid URI query parameter: "nonsense"), got '),
        ("table=rows&sslmode=require", "PostgreSQL at {} cannot be opened (connection to server at "),
    ],
)
def test_a_uri_that_cannot_mean_a_table_says_why(rows: Postgres, parameters: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(rows.uri(parameters))
    assert str(caught.value).startswith("data.uri: " + message.format(f"127.0.0.1:{rows.port}"))


@pytest.mark.parametrize("wrong", ["guess", None])
def test_a_wrong_or_missing_password_names_the_user_and_where_passwords_come_from(
    database: Postgres, monkeypatch: pytest.MonkeyPatch, tmp_path: object, wrong: str | None
) -> None:
    monkeypatch.setenv("PGPASSFILE", f"{tmp_path}/absent")
    monkeypatch.setenv("PGPASSWORD", wrong) if wrong else monkeypatch.delenv("PGPASSWORD")
    with pytest.raises(InputError) as caught:
        open_source(database.uri("table=x"))
    rule = f"PostgreSQL at 127.0.0.1:{database.port} refused the password, which is taken from PGPASSWORD or ~/.pgpass,"
    assert str(caught.value) == f"data.uri: {rule} of user, got 'owner'"


def test_another_database_is_an_input_error(database: Postgres) -> None:
    with pytest.raises(
        InputError, match=r'data\.uri: PostgreSQL at .* cannot be opened \(.*database "absent" does not'
    ):
        open_source(database.uri("table=x").replace("/postgres?", "/absent?"))


@pytest.mark.parametrize("host", ["127.0.0.1:1", "nowhere.invalid:5432"])
def test_a_server_that_is_not_there_is_unreachable(host: str) -> None:
    with pytest.raises(UnreachableError, match=f"^PostgreSQL at {host} did not answer: "):
        open_source(f"postgresql://owner@{host}/db?table=x")


def test_a_silent_server_is_given_up_in_time() -> None:
    with silent_server() as (port, _):
        start = time.monotonic()
        with pytest.raises(
            UnreachableError, match=f"^PostgreSQL at 127.0.0.1:{port} did not answer: .*timeout expired"
        ):
            open_source(f"postgresql://owner@127.0.0.1:{port}/db?table=x", Access(timeout_s=1))
        assert time.monotonic() - start < 4


def test_a_connection_lost_in_the_middle_is_unreachable(rows: Postgres) -> None:
    source = open_source(rows.uri(query("SELECT repeat('x', 1000) AS a FROM rows, generate_series(1, 9)")))
    blocks = source.blocks(["a"])
    next(blocks)
    rows.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'COPY%'")
    with pytest.raises(UnreachableError, match=r"^PostgreSQL at 127\.0\.0\.1:.* went away: "):
        list(blocks)


def test_a_snapshot_that_the_server_gave_up_is_unreachable(rows: Postgres) -> None:
    source = open_source(rows.uri("table=rows"))
    rows.run("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle in transaction'")
    with pytest.raises(UnreachableError, match="ended the transaction that kept the rows"):
        next(source.blocks(["number"]))
