"""CSV in, text blocks and logical types out."""

import csv
import gzip
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.errors import InputError
from features.sources.csv_table import MISSING
from features.sources.opening import Access, Source, open_source

ZONED = pa.timestamp("us", tz="UTC")


def written(folder: Path, text: str, name: str = "x.csv", encoding: str = "utf-8") -> str:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding=encoding, newline="")
    return str(path)


def read(source: Source, *columns: str) -> dict[str, list[str | None]]:
    table = pa.Table.from_batches(source.blocks(columns), pa.schema([(name, pa.string()) for name in columns]))
    return table.to_pydict()


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_the_separator_is_found(tmp_path: Path, separator: str) -> None:
    uri = written(tmp_path, "a,b\n1,0.5\n2,1.5\n".replace(",", separator))
    assert read(open_source(uri), "b", "a") == {"b": ["0.5", "1.5"], "a": ["1", "2"]}


@pytest.mark.parametrize("text", ['"a, in g";"b, c, d"\n1;2\n', "a, in g;b, c, d\n1;2\n"])
def test_commas_in_names_are_no_separators(tmp_path: Path, text: str) -> None:
    assert open_source(written(tmp_path, text)).schema.names == ["a, in g", "b, c, d"]


def test_the_separator_of_a_long_file_is_found_in_its_head(tmp_path: Path) -> None:
    rows = [";".join(f"c{n}, in g" if r == 0 else "1.25" for n in range(12_000)) for r in range(2)]
    rows.append("")
    assert len(open_source(written(tmp_path, "\n".join(rows))).schema.names) == 12_000


def test_lines_may_end_in_any_way(tmp_path: Path) -> None:
    for end in ("\n", "\r\n", "\r"):
        assert read(open_source(written(tmp_path, f"a;b{end}1;2{end}{end}3;4")), "b") == {"b": ["2", "4"]}


def test_a_given_separator_wins(tmp_path: Path) -> None:
    uri = written(tmp_path, "a,x,y|b\n1,2,3|4\n")
    assert open_source(uri).schema.names == ["a", "x", "y|b"]
    assert open_source(uri, Access(separator="|")).schema.names == ["a,x,y", "b"]


def test_a_byte_order_mark_is_no_part_of_a_name(tmp_path: Path) -> None:
    assert open_source(written(tmp_path, "a;b\n1;2\n", encoding="utf-8-sig")).schema.names == ["a", "b"]


def test_a_compressed_file_reads_as_the_plain_one(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    assert read(open_source(str(tmp_path)), "a", "b") == {"a": ["1"], "b": ["2"]}


def test_types_are_logical_and_an_empty_column_has_none(tmp_path: Path) -> None:
    uri = written(tmp_path, "n,whole,t,z,s,e\n1.5,1,2026-01-01 00:00:00,2026-01-01T00:00:00Z,x,\nNA,,,,NULL,None\n")
    kinds = [pa.float64(), pa.float64(), pa.timestamp("us"), ZONED, pa.string(), pa.null()]
    assert open_source(uri).schema.types == kinds


def test_cells_are_text_as_written_and_missing_ones_null(tmp_path: Path) -> None:
    uri = written(tmp_path, "a\n" + "".join(f'"{cell}"\n' for cell in MISSING) + " 007\n-\nnone\n1.50\n")
    assert read(open_source(uri), "a") == {"a": [None] * len(MISSING) + [" 007", "-", "none", "1.50"]}


def test_a_cell_of_another_type_far_down_keeps_its_text(tmp_path: Path) -> None:
    uri = written(tmp_path, "a\n" + "1\n" * 2_500_000 + "oops\n")
    source = open_source(uri)
    assert source.schema.field("a").type == pa.float64()
    assert read(source, "a")["a"][-2:] == ["1", "oops"]


def test_files_are_matched_by_name_and_a_disagreement_on_the_type_is_text(tmp_path: Path) -> None:
    written(tmp_path, "a,b,c\n1,2,\n", "1.csv")
    written(tmp_path, "c,b,a\n2026-01-01T00:00:00Z,x,3\n", "deep/2.csv")
    source = open_source(str(tmp_path))
    assert source.schema.types == [pa.float64(), pa.string(), ZONED]
    assert read(source, "b", "a") == {"b": ["2", "x"], "a": ["1", "3"]}


def test_every_file_names_each_column_once(tmp_path: Path) -> None:
    written(tmp_path, "a,b\n1,2\n", "1.csv")
    written(tmp_path, "a,b,b\n1,2,3\n", "2.csv")
    with pytest.raises(InputError, match=r"data\.uri: .*2\.csv must name each column once, got \['b'\]"):
        open_source(str(tmp_path))


@pytest.mark.parametrize(("second", "lacking"), [("a,c\n1,2\n", "2.csv"), ("a,b,c,d\n1,2,3,4\n", "1.csv")])
def test_files_with_other_columns_are_refused(tmp_path: Path, second: str, lacking: str) -> None:
    written(tmp_path, "a,b,c\n1,2,3\n", "1.csv")
    written(tmp_path, second, "2.csv")
    having, missing = ("1.csv", "b") if lacking == "2.csv" else ("2.csv", "d")
    with pytest.raises(InputError) as caught:
        open_source(str(tmp_path))
    assert str(caught.value) == (
        f"data.uri: {tmp_path}/{lacking} must have the columns of {tmp_path}/{having} and lacks some, got ['{missing}']"
    )


def test_a_table_without_rows_gives_no_block(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a,b\n"))
    assert source.schema.names == ["a", "b"]
    assert list(source.blocks(["a"])) == []


def test_series_with_spaces_quotes_and_unicode_keep_their_names(tmp_path: Path) -> None:
    names = ["Presse 7 · links", 'say "é", 机器', "line\nbreak", " pad "]
    with (tmp_path / "x.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([["série β"], *[[name] for name in names]])
    assert read(open_source(str(tmp_path / "x.csv")), "série β") == {"série β": names}


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"", "must have a header and rows; the file is empty, got '{file}'"),
        (b"\n\n", "must have a header and rows; the file is empty, got '{file}'"),
        (b"a,b,a\n1,2,3\n", "{file} must name each column once, got ['a']"),
        (b"a,b\n1,2\n3\n", "row 3 of {file} (the header is row 1) must have 2 cells as the header, got 1"),
        (b"a,b\n1,2,3\n", "row 2 of {file} (the header is row 1) must have 2 cells as the header, got 3"),
        (b"a;b\n1,5;x\n2,25;y\n", "column 'a' of {file} must be written with decimal points, not commas, got '1,5'"),
        (
            "a\né\n".encode("latin-1"),
            "must be UTF-8 text (this looks like Latin-1 or Windows-1252); convert it, got '{file}'",
        ),
        ("a\n1\n".encode("utf-16"), "must be UTF-8 text (this looks like UTF-16); convert it, got '{file}'"),
        (b"PAR1\x15\x04\xe9\x00", "must be CSV by its name, but holds Parquet: name it .parquet, got '{file}'"),
        (b"a\n" + b"1\n" * 1_000_000 + b"\xe9\n", "must be UTF-8 text throughout; convert it, got '{file}'"),
        (b'a,b\n1,"' + b"2\n" * 5_000_000, "a row must have less than 4 MiB; is a quote left open?, got '{file}'"),
    ],
    ids=[
        "empty",
        "blank",
        "repeated",
        "ragged",
        "long",
        "decimal-comma",
        "latin-1",
        "utf-16",
        "parquet",
        "late-latin-1",
        "open-quote",
    ],
)
def test_a_bad_file_is_an_input_error_that_says_what_to_mend(tmp_path: Path, content: bytes, rule: str) -> None:
    file = tmp_path / "x.csv"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read(open_source(str(file)), "a")
    assert str(caught.value) == f"data.uri: {rule.format(file=file)}"


def test_a_ragged_row_far_down_is_found_when_it_is_read(tmp_path: Path) -> None:
    source = open_source(written(tmp_path, "a,b\n" + "1,2\n" * 2_000_000 + "3\n"))
    with pytest.raises(InputError, match=r"row 2000002 of .*x\.csv \(the header is row 1\) must have 2 cells"):
        read(source, "a")


def test_a_compressed_file_that_is_none_is_an_input_error(tmp_path: Path) -> None:
    (tmp_path / "x.csv.gz").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(InputError, match=r"data\.uri: cannot be read .*x\.csv\.gz"):
        open_source(str(tmp_path / "x.csv.gz"))


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)


@given(rows=st.lists(st.tuples(CELLS, CELLS), max_size=12), block_rows=st.integers(1, 14))
def test_the_block_size_changes_no_row_and_a_second_reading_is_the_same(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], block_rows: int
) -> None:
    file = tmp_path_factory.mktemp("csv") / "x.csv"
    with file.open("w", encoding="utf-8", newline="") as opened:
        csv.writer(opened, quoting=csv.QUOTE_ALL).writerows([("a", "b"), *rows])
    source = open_source(str(file), Access(separator=",", block_rows=block_rows))
    blocks = list(source.blocks(["a", "b"]))
    assert blocks == list(source.blocks(["a", "b"]))
    assert all(block.num_rows == block_rows for block in blocks[:-1])
    assert [tuple(row.values()) for block in blocks for row in block.to_pylist()] == [
        tuple(None if cell in MISSING else cell for cell in row) for row in rows
    ]
