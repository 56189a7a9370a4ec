"""Parquet files in, plain columns out."""

import random
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.errors import InputError
from features.sources.opening import Access, Source, open_source

TABLE = pa.table({"a": [1, 2, 3], "b": [0.5, 1.5, 2.5]})


def read(source: Source, *columns: str) -> pa.Table:
    return pa.Table.from_batches(source.blocks(columns))


def test_the_columns_come_as_asked_in_their_order(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "x.parquet")
    source = open_source((tmp_path / "x.parquet").as_uri())
    assert read(source, "b", "a").equals(TABLE.select(["b", "a"]))
    assert not source.simulated


@pytest.mark.parametrize("tail", ["", "/", "/*.parquet", "/[12].*", "/**/?.parquet"])
def test_a_folder_or_a_glob_reads_all_files_in_order_of_name(tmp_path: Path, tail: str) -> None:
    pq.write_table(TABLE.slice(1), tmp_path / "2.parquet")
    pq.write_table(TABLE.slice(0, 1), tmp_path / "1.parquet")
    (tmp_path / ".3.parquet").write_bytes(b"half written")
    (tmp_path / "_SUCCESS").write_bytes(b"")
    assert read(open_source(f"{tmp_path}{tail}"), "a")["a"].to_pylist() == [1, 2, 3]


def test_a_folder_is_read_to_its_depth_and_one_star_stays_in_one_folder(tmp_path: Path) -> None:
    for number, folder in enumerate([tmp_path, tmp_path / "x", tmp_path / "x" / "y"]):
        folder.mkdir(exist_ok=True)
        pq.write_table(TABLE.slice(number, 1), folder / "t.parquet")
    assert read(open_source(str(tmp_path)), "a")["a"].to_pylist() == [1, 2, 3]
    assert read(open_source(f"{tmp_path}/*/t.parquet"), "a")["a"].to_pylist() == [2]
    assert read(open_source(f"{tmp_path}/x/**/t.parquet"), "a")["a"].to_pylist() == [2, 3]


def test_a_name_that_looks_like_a_glob_is_first_a_name(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "[1].parquet")
    assert read(open_source(str(tmp_path / "[1].parquet")), "a").num_rows == 3


def test_encodings_of_a_column_are_undone(tmp_path: Path) -> None:
    names = ["Presse 7 · links", "机器", "Presse 7 · links"]
    table = TABLE.append_column("s", pa.array(names).dictionary_encode())
    table = table.append_column("l", pa.array(names, pa.large_string()))
    table = table.append_column("d", pa.array([0, 1, 2], pa.date32()))
    pq.write_table(table, tmp_path / "x.parquet")
    source = open_source(str(tmp_path))
    assert source.schema.types[2:] == [pa.string(), pa.string(), pa.timestamp("us")]
    got = read(source, "s", "l", "d")
    assert got["s"].to_pylist() == got["l"].to_pylist() == names
    assert got.schema.types == source.schema.types[2:]


def test_files_that_differ_in_width_are_widened(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": pa.array([1], pa.int32()), "b": [1], "c": pa.nulls(1)}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"c": ["x"], "b": [1.5], "a": pa.array([2], pa.int64())}), tmp_path / "2.parquet")
    source = open_source(str(tmp_path))
    assert source.schema == pa.schema({"a": pa.int64(), "b": pa.float64(), "c": pa.string()})
    assert read(source, "a", "b", "c").to_pydict() == {"a": [1, 2], "b": [1.0, 1.5], "c": [None, "x"]}


def test_files_of_other_types_are_refused(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "1.parquet")
    pq.write_table(pa.table({"a": ["x"], "b": [0.5]}), tmp_path / "2.parquet")
    with pytest.raises(InputError) as caught:
        open_source(str(tmp_path))
    rule = f"column 'a' of {tmp_path}/2.parquet must have the type of the files before it (int64)"
    assert str(caught.value) == f"data.uri: {rule}, got 'string'"


def test_files_of_other_columns_are_refused(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "1.parquet")
    pq.write_table(TABLE.select(["a"]), tmp_path / "2.parquet")
    with pytest.raises(InputError, match=r"data\.uri: .*2\.parquet must have the columns of .*1\.parquet.*\['b'\]"):
        open_source(str(tmp_path))


def test_two_kinds_of_file_in_one_folder_are_refused(tmp_path: Path) -> None:
    pq.write_table(TABLE, tmp_path / "1.parquet")
    (tmp_path / "2.csv").write_text("a,b\n1,2\n")
    with pytest.raises(
        InputError, match=r"data\.uri: must hold files of one kind, not both .*/2\.csv and .*/1\.parquet, "
    ):
        open_source(str(tmp_path))


@pytest.mark.parametrize("name", ["absent.csv", "absent.parquet", "absent/", "absent/*.csv"])
def test_a_missing_file_or_folder_is_named(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError) as caught:
        open_source(f"{tmp_path}/{name}")
    assert str(caught.value).startswith("data.uri: ")
    assert "does not exist" in str(caught.value) or "must hold or match files" in str(caught.value)
    assert str(caught.value).endswith(f"got '{tmp_path}/{name}'")


def test_a_folder_without_tables_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("hello")
    with pytest.raises(InputError, match=r"data\.uri: must hold or match files that end with \.parquet"):
        open_source(str(tmp_path))


def test_what_is_no_parquet_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "x.parquet").write_bytes(b"no parquet")
    with pytest.raises(InputError, match=r"data\.uri: cannot be read \(Parquet .*x\.parquet'"):
        open_source(str(tmp_path))


def test_a_damaged_page_is_an_input_error_when_it_is_read(tmp_path: Path) -> None:
    file = tmp_path / "x.parquet"
    pq.write_table(pa.table({"a": list(range(10_000))}), file)
    content = bytearray(file.read_bytes())
    content[4:1_000] = b"\xff" * 996
    file.write_bytes(content)
    source = open_source(str(file))
    with pytest.raises(InputError, match=r"data\.uri: cannot be read .*x\.parquet"):
        read(source, "a")


def test_the_block_size_changes_no_row_and_a_second_reading_is_the_same(tmp_path: Path) -> None:
    seeded = random.Random(7)
    for number in range(4):
        rows = [seeded.random() for _ in range(seeded.randrange(400))]
        pq.write_table(pa.table({"a": rows}), tmp_path / f"{number}.parquet", row_group_size=37)
    whole = read(open_source(str(tmp_path)), "a").combine_chunks()
    for block_rows in (1, 36, 37, 100, 10_000):
        source = open_source(str(tmp_path), Access(block_rows=block_rows))
        blocks = list(source.blocks(["a"]))
        assert {block.num_rows for block in blocks[:-1]} <= {block_rows}
        assert blocks == list(source.blocks(["a"]))
        assert pa.Table.from_batches(blocks).combine_chunks().equals(whole)
