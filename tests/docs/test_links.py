"""README.md, CONTRIBUTING.md and docs: what they point at and tell people to type is there."""

import argparse
import importlib
import re
from collections.abc import Iterator

import pytest

from flows.cli.main import COMMANDS
from tests.docs.pages import PAGES, ROOT, Page

EVERYWHERE = {"--workspace", "--quiet", "--summary", "--result-line", "--help"}
INNER = {"submit": ("train", "validate", "drift")}
_VIGIA = re.compile(r"(?:^|[\s/(])vigia ([a-z]+)\b(?![-/.:=])([^;|&#]*)")
_FLAG = re.compile(r"(?:^|\s)(--[a-z][\w-]*)")
_MAKE = re.compile(r"(?:^|\s)make ([a-z][a-z-]*)\b")
_FILE = re.compile(r"(?<![\w./<-])((?:scripts|manifests|configs|tests|docker|docs)/[\w./*<>-]*[\w*>])")
_ANY = re.compile(r"<[^>]*>|\b[A-Z]{3,}\b")


@pytest.fixture(params=PAGES, ids=lambda page: page.name)
def page(request: pytest.FixtureRequest) -> Page:
    return request.param


def flags_of(name: str) -> set[str]:
    """The options of a command, and for one that passes options on those of the commands that take them."""
    found = set(EVERYWHERE)
    for one in (name, *INNER.get(name, ())):
        module = next(command.module for command in COMMANDS if command.name == one)
        parser = argparse.ArgumentParser()
        importlib.import_module(module).add_arguments(parser)
        found |= {option for action in parser._actions for option in action.option_strings}
    return found


def commands(page: Page) -> Iterator[tuple[str, str]]:
    """Name and arguments of each command of vigia in the page's code."""
    return ((name, rest) for code in page.code for name, rest in _VIGIA.findall(code))


def test_a_link_leads_somewhere(page: Page) -> None:
    for link in page.links:
        target, _, anchor = link.partition("#")
        place = (page.path.parent / target).resolve() if target else page.path
        assert place.exists(), link
        if anchor:
            assert anchor in Page(place).anchors, link


def test_a_command_of_vigia_exists_with_its_options(page: Page) -> None:
    known = {command.name for command in COMMANDS}
    for name, rest in commands(page):
        assert name in known, f"vigia {name}"
        assert set(_FLAG.findall(rest)) <= flags_of(name), f"vigia {name}{rest}"


def test_a_target_of_make_exists(page: Page) -> None:
    there = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for code in page.code:
        assert set(_MAKE.findall(code)) <= there, code


def test_a_file_of_this_repository_that_is_named_exists(page: Page) -> None:
    for code in page.code:
        for name in _FILE.findall(code):
            assert list(ROOT.glob(_ANY.sub("*", name))), name


def test_something_is_looked_at() -> None:
    """Patterns that find nothing would pass whatever the pages say."""
    assert {name for page in PAGES for name, _ in commands(page)} >= {"train", "promote", "verify", "submit", "doctor"}
    assert sum(len(list(page.links)) for page in PAGES) > 60
    assert sum(len(_FILE.findall(code)) for page in PAGES for code in page.code) > 50
