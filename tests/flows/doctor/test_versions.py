"""Versions of programs and packages."""

import pytest

from features.errors import InputError
from flows.doctor.versions import at_least, named, number, packages, pins

LOCK = """# a comment
aiohttp==3.13.2 \\
    --hash=sha256:00
Colorama==0.4.6 ; sys_platform == 'win32' \\
    --hash=sha256:00
great_expectations==1.24.1 \\
torch==2.13.0
"""


@pytest.mark.parametrize("said", ["git version 2.43.0", "v2.43.0", "2.43.0-debian"])
def test_a_version_is_found_in_what_a_program_says(said: str) -> None:
    assert number(said) == (2, 43, 0)


def test_newer_is_well_and_older_is_named() -> None:
    assert at_least("git", "git version 2.100.1", "2.43.0") == "2.100.1 (2.43.0 or newer)"
    with pytest.raises(InputError, match=r"git: must be 2\.43\.0 or newer, got 'git version 2\.9\.5'"):
        at_least("git", "git version 2.9.5\n", "2.43.0")


def test_a_program_that_says_no_version_is_refused() -> None:
    with pytest.raises(InputError, match="version"):
        number("none")


def test_pins_are_those_of_every_platform_under_one_spelling() -> None:
    assert pins(LOCK) == {"aiohttp": "3.13.2", "great-expectations": "1.24.1", "torch": "2.13.0"}


def test_packages_that_differ_are_named_and_local_builds_count_as_their_version() -> None:
    assert packages(pins(LOCK), pins(LOCK) | {"torch": "2.13.0+cpu"}) == "3 as in requirements.lock"
    with pytest.raises(InputError, match=r"aiohttp missing instead of 3\.13\.2; torch 2\.1 instead of 2\.13\.0"):
        packages(pins(LOCK), {"great-expectations": "1.24.1", "torch": "2.1"})


def test_values_of_a_file_of_shell_variables_are_read_by_name() -> None:
    assert named("# x\nKUBECTL_VERSION=v1.34.2\n\nA=b\n") == {"KUBECTL_VERSION": "v1.34.2", "A": "b"}
