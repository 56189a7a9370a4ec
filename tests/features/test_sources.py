"""A URI in, Arrow blocks out."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.sources.opening import Source, open_source

TABLE = pa.table({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})


def read(source: Source, *columns: str) -> pa.Table:
    return pa.Table.from_batches(source.blocks(columns))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_of_a_csv_is_found(tmp_path: Path, separator: str) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,b\n1,0.5\n2,1.5\n3,2.5\n".replace(",", separator))
    assert read(open_source(str(file)), "a", "b").equals(TABLE)


def test_a_given_separator_wins(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a,x,y|b\n1,2,3|4\n")
    assert open_source(str(file)).schema.names == ["a", "x", "y|b"]
    assert open_source(str(file), separator="|").schema.names == ["a,x,y", "b"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a;b\n1;2\n", encoding="utf-8-sig")
    assert open_source(str(file)).schema.names == ["a", "b"]


def test_parquet_gives_the_columns_asked_for_in_their_order(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "x.parquet")
    source = open_source((tmp_path / "x.parquet").as_uri())
    assert read(source, "b", "a").equals(TABLE.select(["b", "a"]))
    assert not source.simulated


@pytest.mark.parametrize("uri", ["", "/*.parquet"])
def test_a_folder_or_a_glob_reads_all_files_in_order_of_name(tmp_path: Path, uri: str) -> None:
    pq.write_table(TABLE.slice(1), tmp_path / "2.parquet")
    pq.write_table(TABLE.slice(0, 1), tmp_path / "1.parquet")
    assert read(open_source(f"{tmp_path}{uri}"), "a")["a"].to_pylist() == [1, 2, 3]


def test_two_kinds_of_file_in_one_folder_are_refused(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "1.parquet")
    (tmp_path / "2.csv").write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"data\.uri: all files must be of one kind"):
        open_source(str(tmp_path))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"data\.uri: must name an existing .*absent\.csv"):
        open_source(str(tmp_path / "absent.csv"))


@pytest.mark.parametrize(("name", "content"), [("x.parquet", b"no parquet"), ("x.csv", b""), ("x.csv", b"a\xff\n1\n")])
def test_an_unreadable_file_is_an_input_error(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=r"data\.uri: cannot be read"):
        open_source(str(tmp_path / name))


def test_a_value_of_another_type_far_down_is_an_input_error(tmp_path: Path) -> None:
    file = tmp_path / "x.csv"
    file.write_text("a\n" + "1\n" * 700_000 + "oops\n")
    with pytest.raises(InputError, match=r"data\.uri: cannot be read: .*oops"):
        read(open_source(str(file)), "a")


def test_an_unknown_scheme_is_refused() -> None:
    with pytest.raises(InputError, match=r"data\.uri: must be a path, file:// or fleet://, got 's3://x/y'"):
        open_source("s3://x/y")


def test_the_fleet_is_a_source_and_says_that_it_is_simulated() -> None:
    source = open_source("fleet://?sensors=2&days=1&seed=5")
    table = read(source, "series", "rms")
    assert source.simulated
    assert table.column_names == ["series", "rms"]
    assert table.num_rows == 2 * 3 * 288


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
