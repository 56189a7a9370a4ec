"""Columns of a table that is stored in several files: each named once, the same names everywhere."""

from collections import Counter
from collections.abc import Sequence

from features.errors import InputError


def refuse_repeated(where: str, names: Sequence[str]) -> None:
    """Raises InputError naming the columns that occur more than once."""
    if repeated := [name for name, count in Counter(names).items() if count > 1]:
        raise InputError("data.uri", f"{where} must name each column once", repeated)


def refuse_differing(first: str, expected: Sequence[str], other: str, names: Sequence[str]) -> None:
    """Raises InputError naming the file that lacks columns of another; their order may differ."""
    for lacking, having, missing in (
        (other, first, set(expected) - set(names)),
        (first, other, set(names) - set(expected)),
    ):
        if missing:
            raise InputError("data.uri", f"{lacking} must have the columns of {having} and lacks some", sorted(missing))
