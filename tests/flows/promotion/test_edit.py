"""What a promotion writes, in which quotes, and when it does nothing."""

from pathlib import Path

import pytest

from flows.promotion.edit import Change, Edit, promote_text, read_leaves, set_leaves
from flows.promotion.values import write_value

FILE = Path(__file__).parents[3] / "manifests/overlays/local/rayservice-serve-config.yaml"
FIRST = {"uri": "file:///a", "digest": "d1", "model": "m", "version": "1"}
SECOND = {"uri": "file:///b: #x", "digest": "d2", "model": "m", "version": "2"}


@pytest.fixture
def text() -> str:
    return FILE.read_text()


def test_the_old_bundle_becomes_previous(text: str) -> None:
    edit = promote_text(promote_text(text, FIRST).text, SECOND)
    leaves = read_leaves(edit.text)
    assert {key: leaves[("bundle", key)] for key in SECOND} == SECOND
    assert {key: leaves[("previous", key)] for key in FIRST} == FIRST
    assert Change("bundle.digest", "d1", "d2") in edit.changes
    assert Change("previous.digest", "", "d1") in edit.changes
    assert "bundle.model" not in {change.path for change in edit.changes}


def test_before_the_first_promotion_there_is_no_previous_to_write(text: str) -> None:
    assert {change.path.split(".")[0] for change in promote_text(text, FIRST).changes} == {"bundle"}


def test_the_same_digest_changes_nothing(text: str) -> None:
    once = promote_text(text, FIRST).text
    assert promote_text(once, {**FIRST, "version": "2"}) == Edit(once)


def test_a_value_that_was_missing_has_no_old(text: str) -> None:
    lacking = text.replace('                version: ""\n', "")
    assert set_leaves(lacking, {("bundle", "version"): "3"}).changes == (Change("bundle.version", None, "3"),)


@pytest.mark.parametrize("style", [None, "'", '"'])
def test_a_value_keeps_its_quotes(style: str | None) -> None:
    assert write_value("s3://b/aa11", style) == f"{style or ''}s3://b/aa11{style or ''}"


NUMBERS = "12 1e3 1234e56 0x1f 0o17 1_000 12:30 2026-11-01 2026-11-01T10:00:00Z .5 .inf nan y No ON true null ~ ."
SYNTAX = [
    "",
    " a",
    "a b",
    "a: b",
    "a #b",
    "a:",
    "-",
    "- a",
    "*a",
    "&a",
    "!a",
    "?",
    "[a]",
    "{a}",
    "a,b",
    "%a",
    "@a",
    "`a",
]


@pytest.mark.parametrize("value", [*NUMBERS.split(), *SYNTAX])
def test_what_some_parser_would_read_as_something_else_is_quoted(value: str) -> None:
    assert write_value(value, None) == f'"{value}"'


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('a"b\\', '"a\\"b\\\\"'),
        ("a\nb\tc\r", '"a\\nb\\tc\\r"'),
        ("\x07\x85\u2028\ufeff", '"\\u0007\\u0085\\u2028\\ufeff"'),
        ("größer 😀", '"größer 😀"'),
    ],
)
def test_what_needs_escapes_is_in_double_quotes(value: str, written: str) -> None:
    assert write_value(value, '"') == written
    assert write_value("\n", "'") == '"\\n"'
