"""``python -m scripts.schemas [FOLDER]``: the definitions of the operators, downloaded and made strict JSON Schemas."""

import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.request import urlopen

import yaml

from scripts.schemas.convert import Kind, convert
from scripts.schemas.sources import PUBLISHED, SOURCES, Source

_TIMEOUT_S = 60.0
_DEFAULT = Path(".vigia/schemas")


def main(folder: Path, sources: Iterable[Source] = SOURCES, base: str = PUBLISHED) -> None:
    """Writes a schema a kind, ``index.json``, ``cel_rules.json`` and ``list_map_keys.json``."""
    kinds = [kind for source in sources for kind in _kinds(source, base)]
    for kind in kinds:
        _write(folder / kind.file, kind.schema)
    names = ("group", "version", "kind", "plural", "scope", "status_subresource", "served", "file")
    _write(folder / "cel_rules.json", {_named(kind): list(kind.cel) for kind in kinds if kind.cel})
    _write(folder / "list_map_keys.json", {_named(kind): list(kind.keyed) for kind in kinds if kind.keyed})
    _write(folder / "index.json", [{name: getattr(kind, name) for name in names} for kind in kinds])
    print(f"{len(kinds)} schemas in {folder}")


def _kinds(source: Source, base: str) -> Iterator[Kind]:
    for address in source.addresses(base):
        for crd in yaml.load_all(_read(address), yaml.CSafeLoader):
            if crd and (not source.kinds or crd["spec"]["names"]["kind"] in source.kinds):
                yield convert(crd)


def _read(address: str) -> bytes:
    """Ends the program with the address where it cannot be read: nothing is written then."""
    try:
        with urlopen(address, timeout=_TIMEOUT_S) as answer:
            return bytes(answer.read())
    except OSError as error:
        sys.exit(f"schemas: {address}: {error}")


def _named(kind: Kind) -> str:
    return f"{kind.group}/{kind.version} {kind.kind}"


def _write(file: Path, content: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else _DEFAULT)
