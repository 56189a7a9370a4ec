"""How a scalar is written: the characters of the file behind each character of its value, and how to write more."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml
from yaml.scanner import Scanner

Character = tuple[str, int, int]
"""A character of the value, and where what stands for it begins and ends in the file."""

_PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
_HEADER = re.compile(r"[|>]([-+0-9]*)[ \t]*(?:#[^\r\n]*)?(\r\n|\r|\n)")
_BREAK = r"(?:\r\n|\r|\n)"
_FOLD = rf"[ \t]*{_BREAK}(?:[ \t]*{_BREAK})*[ \t]*"
_SINGLE = re.compile(rf"''|{_FOLD}|.")
_DOUBLE = re.compile(rf"\\(?:x.{{2}}|u.{{4}}|U.{{8}}|(?={_BREAK}){_FOLD}|.)|{_FOLD}|.")
_UNPRINTABLE = re.compile("[^ -~\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Written:
    """A scalar of a file. ``newline``: what stands for a line break in it, empty where one cannot be added."""

    style: str
    characters: tuple[Character, ...]
    newline: str

    @property
    def value(self) -> str:
        """What it says."""
        return "".join(character for character, _, _ in self.characters)

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """Where the characters begin to end of the value (or, begin = end > 0, the place between two) stand."""
        after = self.characters[end - 1][2]
        return (self.characters[begin][1] if begin < end else after), after

    def write(self, text: str) -> str:
        """More text of the value, as the file must spell it."""
        if self.style == '"':
            return escaped(text)
        return (text.replace("'", "''") if self.style == "'" else text).replace("\n", self.newline)


def read_scalar(text: str, node: yaml.ScalarNode) -> Written:
    """Read the scalar again with positions; the caller compares ``value`` with the parser's."""
    matched = _PROPERTIES.match(text, node.start_mark.index)
    start = matched.end() if matched else node.start_mark.index
    if node.style in ("'", '"'):
        return Written(node.style, tuple(_quoted(text, start, node.style)), "\\n" if node.style == '"' else "")
    header = _HEADER.match(text, start)
    if header is None:
        plain = enumerate(text[start : node.end_mark.index], start)
        return Written("", tuple((character, at, at + 1) for at, character in plain), "")
    first = next((line for line in text[header.end() :].splitlines() if line.strip()), "")
    inside = next((line for line in node.value.splitlines() if line.strip()), "")
    indent = max(len(first) - len(first.lstrip(" ")) - (len(inside) - len(inside.lstrip(" "))), 1)
    characters = tuple(_block(text, header.end(), indent, node.style == ">", header[1]))
    return Written(str(node.style), characters, header[2] + " " * indent)


def escaped(text: str) -> str:
    """The text between double quotes: JSON's escapes for what YAML shares with it, YAML's for the rest."""
    names = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    plain = "".join(names.get(character, character) for character in text)
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", plain)


def printable(text: str) -> bool:
    """Whether it can stand on one line without escapes."""
    return not _UNPRINTABLE.search(text)


def _block(text: str, start: int, indent: int, folded: bool, header: str) -> Iterator[Character]:
    line = re.compile(rf"( {{0,{indent}}})([^\r\n]*)({_BREAK}|\Z)")
    ended: Character | None = None
    blank: list[Character] = []
    joins = False
    for found in line.finditer(text, start):
        ending = ("\n", found.start(3), found.end(3))
        if not found[2]:
            if found[3]:
                blank.append(ending)
            continue
        if len(found[1]) < indent:
            break
        joining = folded and joins and found[2][0] not in " \t"
        if ended and not (joining and blank):
            yield (" ", *ended[1:]) if joining else ended
        yield from blank
        blank = []
        yield from ((character, at, at + 1) for at, character in enumerate(found[2], found.start(2)))
        ended, joins = ending, found[2][0] not in " \t"
    if ended and "-" not in header and ended[1] < ended[2]:
        yield ended
    if "+" in header:
        yield from blank


def _quoted(text: str, start: int, quote: str) -> Iterator[Character]:
    for found in (_SINGLE if quote == "'" else _DOUBLE).finditer(text, start + 1):
        token, begin, end = found[0], *found.span()
        if token == quote:
            return
        breaks = len(re.findall(_BREAK, token))
        if breaks:
            lines = "\n" * (breaks - 1) or ("" if token.startswith("\\") else " ")
            yield from ((character, begin, end) for character in lines)
        elif token.startswith("\\") and quote == '"':
            code = token[1]
            is_number = code in Scanner.ESCAPE_CODES
            yield (chr(int(token[2:], 16)) if is_number else Scanner.ESCAPE_REPLACEMENTS[code], begin, end)
        else:
            yield token[-1], begin, end
