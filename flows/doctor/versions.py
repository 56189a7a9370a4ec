"""Versions of programs and packages, held to what is wanted."""

import re
from collections.abc import Mapping

from features.errors import InputError

_NUMBER = re.compile(r"\d+(?:\.\d+)+")
_PINNED = re.compile(r"(?m)^([A-Za-z0-9._-]+)==([^\s;\\]+)([^\n]*)")
_NAMED = re.compile(r"(?m)^([A-Z_]+)=(\S+)$")


def number(text: str) -> tuple[int, ...]:
    """The first version in a text: ``v1.34.2`` -> (1, 34, 2). Raises InputError where there is none."""
    found = _NUMBER.search(text)
    if not found:
        raise InputError("version", "must be numbers with dots", text)
    return tuple(map(int, found[0].split(".")))


def at_least(program: str, said: str, wanted: str) -> str:
    """What is well of a program. Raises InputError where it is older than wanted."""
    if number(said) < number(wanted):
        raise InputError(program, f"must be {wanted} or newer", said.strip())
    return f"{'.'.join(map(str, number(said)))} ({wanted} or newer)"


def pins(lock: str) -> dict[str, str]:
    """Package -> version of a lock file, without those that only some platforms have."""
    return {canonical(name): version for name, version, rest in _PINNED.findall(lock) if ";" not in rest}


def canonical(name: str) -> str:
    """One spelling for each package name, that of PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def named(text: str) -> dict[str, str]:
    """NAME -> value of a file of shell variables."""
    return dict(_NAMED.findall(text))


def packages(wanted: Mapping[str, str], installed: Mapping[str, str]) -> str:
    """What is well of the installed packages. Raises InputError naming those that differ from the lock."""
    other = [
        f"{name} {installed.get(name) or 'missing'} instead of {version}"
        for name, version in wanted.items()
        if installed.get(name, "").partition("+")[0] != version.partition("+")[0]
    ]
    if other:
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        raise InputError("packages", f"must be those of requirements.lock: {'; '.join(other[:3])}{more}")
    return f"{len(wanted)} as in requirements.lock"
