"""What a suggested configuration is made of."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Setting:
    """A value of the configuration under ``section.key`` (under ``section`` without a key), and why, line by line."""

    section: str
    key: str
    value: Any
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """Settings in the order to write them; nonnegative: features of which the sample holds no negative value."""

    settings: tuple[Setting, ...]
    nonnegative: tuple[str, ...]
