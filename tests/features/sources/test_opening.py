"""A URI in, a source out; or a sentence that says what the URI must be."""

import pyarrow as pa
import pytest

from features.errors import InputError
from features.sources.opening import open_source, refuse_secrets


@pytest.mark.parametrize("uri", ["mysql://host/db?table=x", "https://example.org/x.csv", "ftp://x"])
def test_an_unknown_scheme_is_refused(uri: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(uri)
    assert str(caught.value) == (
        "data.uri: must be a path or start with file://, s3://, postgresql:// or fleet://, "
        f"got '{uri.partition('://')[0]}://'"
    )


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://ada:hush@host/db?table=t",
        "postgresql://ada:hu/sh@host/db?table=t",
        "postgresql://ada@host/db?table=t&password=hush",
        "postgresql://ada@host/db?PASSWORD=hush&table=t",
        "s3://key:hush@bucket/x.csv",
        "mysql://ada:hush@host/db",
    ],
)
def test_a_password_in_a_uri_is_refused_and_never_repeated(uri: str) -> None:
    with pytest.raises(
        InputError, match=r"data\.uri: must not hold a password.* use PGPASSWORD or ~/\.pgpass"
    ) as caught:
        open_source(uri)
    assert "hu" not in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["s3://bucket/a:b@c.csv", "/a:b@c.csv", "postgresql://ada@host:5432/db?query=select ':@'"]
)
def test_signs_of_a_password_elsewhere_are_none(uri: str) -> None:
    try:
        refuse_secrets(uri)
        refused = ""
    except InputError as error:
        refused = str(error)
    assert refused == ""


def test_the_fleet_is_a_source_and_says_that_it_is_simulated() -> None:
    source = open_source("fleet://?sensors=2&days=1&seed=5")
    table = pa.Table.from_batches(source.blocks(["series", "rms"]))
    assert source.simulated
    assert table.column_names == ["series", "rms"]
    assert len(set(table["series"].to_pylist())) == 6


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("sensors=0", "data.uri sensors: must be a whole number from 1 to 100000, got '0'"),
        ("days=1.5", "data.uri days: must be a whole number from 1 to 3650, got '1.5'"),
        ("seed=", "data.uri seed: must be a whole number from 0 to 4294967295, got ''"),
        ("sensor=3", "data.uri sensor: unknown parameter"),
    ],
)
def test_a_fleet_parameter_out_of_range_is_named(query: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(f"fleet://?{query}")
    assert str(caught.value).startswith(message)
