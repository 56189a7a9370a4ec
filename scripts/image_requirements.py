"""What an image holds: the part of requirements.lock that one extra of pyproject.toml needs.

    python scripts/image_requirements.py serve      # its part of the lock, hashes and all, for pip
    python scripts/image_requirements.py --write    # renew docker/packages/*.txt from the packages installed here

docker/packages/EXTRA.txt holds names alone, so that a change of what enters an image is a line in a review;
versions and hashes stay in the lock. Reading it needs only the standard library: a build runs it in a bare Python.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("serve", "ops", "train")
ALONE = frozenset({"torch"})
"""Installed in a step of its own, from an index of its own: it has no hashes in the lock."""


def subset(lock: str, names: set[str]) -> str:
    """The blocks (a pin and its hashes) of the packages named. Raises ValueError for a name it lacks."""
    blocks = re.split(r"(?m)^(?=[A-Za-z0-9])", lock)[1:]
    missing = sorted(names - {_name(block) for block in blocks})
    if missing:
        raise ValueError(f"not in requirements.lock: {', '.join(missing)}; run make lock")
    return "".join(block for block in blocks if _name(block) in names)


def packages(extra: str) -> set[str]:
    """Names that docker/packages records for an extra."""
    return set(_file(extra).read_text(encoding="utf-8").split())


def closure(extra: str) -> set[str]:
    """Names that the extra needs, as the packages installed here declare it, on this platform and Python."""
    from packaging.requirements import Requirement

    found: set[str] = set()
    todo, seen = [("vigia", extra)], set()
    while todo:
        name, wanted = todo.pop()
        seen.add((name, wanted))
        for requirement in map(Requirement, _own(wanted) if name == "vigia" else requires(name) or []):
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": wanted}):
                continue
            found.add(canonical(requirement.name))
            needed = [(canonical(requirement.name), part) for part in ("", *requirement.extras)]
            todo += [pair for pair in needed if pair not in seen]
    return found - {"vigia"}


def canonical(name: str) -> str:
    """The name as the lock spells it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _own(extra: str) -> list[str]:
    """What pyproject.toml asks for, which the installed vigia may not know yet."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return [*project["dependencies"], *project["optional-dependencies"].get(extra, [])]


def _name(block: str) -> str:
    return canonical(block.partition("==")[0])


def _file(extra: str) -> Path:
    return ROOT / "docker" / "packages" / f"{extra}.txt"


def _answer(arguments: list[str]) -> Iterator[str]:
    match arguments:
        case ["--write"]:
            for extra in EXTRAS:
                _file(extra).write_text("".join(f"{name}\n" for name in sorted(closure(extra))), encoding="utf-8")
        case [extra] if extra in EXTRAS:
            lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
            yield subset(lock, packages(extra) - ALONE)
        case _:
            raise SystemExit(f"image_requirements.py {'|'.join(EXTRAS)}, or --write")


if __name__ == "__main__":
    sys.stdout.writelines(_answer(sys.argv[1:]))
