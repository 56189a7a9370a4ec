"""How a value is written, so that every YAML parser on its way reads that string and nothing else."""

import re

import yaml

from features.errors import InputError
from flows.promotion.scalar import escaped, printable
from flows.promotion.source import STRING

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./:@+=~-]*(?<!:)")
_NUMBER_OR_WORD = re.compile(
    r"[-+.]?\d[\d_.:,+\-etz]*|[-+]?0[xob].*|[-+]?\.?(?:inf|nan)|y|n|yes|no|on|off|true|false|null|none|[.=]+",
    re.IGNORECASE,
)
"""What YAML 1.1 or 1.2, by PyYAML or by Go's parsers, reads as something other than text: 12, 1e3, 0o17, 12:30, on."""


def write_value(value: str, style: str | None) -> str:
    """The value as a scalar of that style (None is plain), or in double quotes when it would not stay that string.

    So ``12`` after a plain ``11`` becomes ``"12"``: a version is text. Raises InputError for half of a surrogate pair.
    """
    if any(0xD800 <= ord(character) < 0xE000 for character in value):
        raise InputError("bundle", "must hold characters that UTF-8 can write", value)
    if style is None and _stays_text(value):
        return value
    if style == "'" and printable(value):
        return "'" + value.replace("'", "''") + "'"
    return f'"{escaped(value)}"'


def _stays_text(value: str) -> bool:
    if not _PLAIN.fullmatch(value) or _NUMBER_OR_WORD.fullmatch(value):
        return False
    node = yaml.compose(value, yaml.SafeLoader)
    return node is not None and node.tag == STRING
