"""Which version an environment goes back to."""

from collections.abc import Sequence

from features.errors import InputError
from flows.promotion.history import Entry


def standing(entries: Sequence[Entry]) -> list[Entry]:
    """What each promotion stood upon, the present one last: going back to a version takes away what came after it.

    So after 1, 2, 3 and a rollback to 2, one step back from 2 is 1 and not 3. Entries from the oldest to the newest.
    """
    stack: list[Entry] = []
    for entry in entries:
        if entry.error:
            continue
        known = [place for place, below in enumerate(stack) if below.digest == entry.digest]
        if known:
            del stack[known[0] + 1 :]
        else:
            stack.append(entry)
    return [entry for entry in stack if entry.digest]


def fallback(entries: Sequence[Entry], to: str, left: str) -> Entry | None:
    """What a replica may fall back on once digest ``to`` is back: the version below it, never the one that is left."""
    stack = standing(entries)
    place = next((place for place, entry in enumerate(stack) if entry.digest == to), len(stack))
    below = [entry for entry in stack[:place] if entry.digest != left]
    return below[-1] if below else None


def steps_back(entries: Sequence[Entry], steps: int) -> Entry:
    """The version that many steps below the present one. Raises InputError where there are not so many."""
    below = standing(entries)[:-1]
    if not below:
        raise InputError("git", "names no version before the present one, so there is nothing to go back to")
    if not 1 <= steps <= len(below):
        known = ", ".join(entry.version for entry in below) or "none"
        raise InputError("--steps", f"must lead to an earlier version (from oldest to newest: {known})", steps)
    return below[-steps]


def last_as(entries: Sequence[Entry], version: str) -> Entry:
    """The version as git named it last. Raises InputError where it never did, or does now."""
    named = [entry for entry in entries if entry.digest]
    found = [entry for entry in named if entry.version == version]
    if not found:
        known = ", ".join(dict.fromkeys(entry.version for entry in named)) or "none"
        raise InputError("--to", f"must be a version that was promoted here before ({known})", version)
    return found[-1]
