"""Paths, folders that are absent or whole, files replaced in one step."""

from pathlib import Path

import pytest

from features.errors import InputError, UnreachableError
from features.storage import holds, local_path, publish_folder, read_folder, write_text


@pytest.mark.parametrize("uri", ["/a/b c.csv", "file:///a/b%20c.csv"])
def test_a_path_and_a_file_uri_mean_the_same(uri: str) -> None:
    assert local_path(uri) == Path("/a/b c.csv")


def test_a_percent_sign_in_a_plain_path_is_itself() -> None:
    assert local_path("a%20b.csv") == Path("a%20b.csv")


@pytest.mark.parametrize("uri", ["s3://bucket/key", "file://host/key", "https://example.org/x"])
def test_other_schemes_and_hosts_are_refused(uri: str) -> None:
    with pytest.raises(InputError, match="must be a path or a file:// URI"):
        local_path(uri)


def test_a_published_folder_reads_back(tmp_path: Path) -> None:
    files = {"b": b"\x00\xff", "a": b""}
    assert publish_folder(files, tmp_path / "deep" / "folder")
    assert read_folder(str(tmp_path / "deep" / "folder")) == files
    assert [entry.name for entry in (tmp_path / "deep").iterdir()] == ["folder"]


def test_publishing_again_changes_nothing(tmp_path: Path) -> None:
    publish_folder({"a": b"first"}, tmp_path / "folder")
    assert not publish_folder({"a": b"second", "b": b""}, tmp_path / "folder")
    assert read_folder(str(tmp_path / "folder")) == {"a": b"first"}


def test_a_failed_publication_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError):
        publish_folder({"good": b"1", "no/such/folder": b"2"}, tmp_path / "folder")
    assert list(tmp_path.iterdir()) == []


def test_only_files_directly_inside_are_read(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "x").write_bytes(b"x")
    (tmp_path / "y").write_bytes(b"y")
    assert read_folder(tmp_path.as_uri()) == {"y": b"y"}


def test_a_missing_folder_is_unreachable(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="absent: No such file"):
        read_folder(str(tmp_path / "absent"))


@pytest.mark.parametrize(("table", "file", "held"), [
    ("t.csv", "t.csv", True), ("t.csv", "x/../t.csv", True), ("t.csv", "t.parquet", False), ("t.csv", "link.csv", True),
    ("year", "year/new.parquet", True), ("year", "year/may/new.parquet", True), ("year", "year/_new.parquet", False),
    ("year", "years.parquet", False), ("year/*.csv", "year/new.csv", True), ("year/*.csv", "year/new.parquet", False),
    ("year/**/*.csv", "year/may/new.csv", True), ("absent.csv", "new.csv", False),
])  # fmt: skip
def test_a_table_holds_its_files_and_those_that_would_be_among_them(
    tmp_path: Path, table: str, file: str, held: bool
) -> None:
    (tmp_path / "year" / "may").mkdir(parents=True)
    (tmp_path / "x").mkdir()
    (tmp_path / "t.csv").touch()
    (tmp_path / "link.csv").symlink_to("t.csv")
    assert holds(str(tmp_path / table), tmp_path / file) is held
    assert holds((tmp_path / table).as_uri(), tmp_path / file) is held or "*" in table
    assert not holds("fleet://?sensors=3", tmp_path / file)


def test_a_text_that_cannot_be_put_in_its_place_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "page.html").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_text(tmp_path / "page.html", "x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["page.html"]


def test_writing_replaces_the_text_and_leaves_no_other_file(tmp_path: Path) -> None:
    file = tmp_path / "new" / "page.html"
    for text in ("long text é", "x"):
        write_text(file, text)
    assert file.read_text(encoding="utf-8") == "x"
    assert list(file.parent.iterdir()) == [file]
