"""The one door to files and object stores: resolve a URI, read, list, publish a folder atomically."""

import os
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from features.errors import InputError, UnreachableError


def local_path(uri: str) -> Path:
    """The path behind a plain path or a ``file://`` URI. Raises InputError for any other scheme."""
    parts = urlsplit(uri)
    if parts.scheme in ("", "file") and not parts.netloc:
        return Path(unquote(parts.path) if parts.scheme else uri)
    raise InputError("uri", "must be a path or a file:// URI", uri)


def read_folder(uri: str) -> dict[str, bytes]:
    """Every file directly inside a folder, name -> content. Raises UnreachableError when it cannot be read."""
    folder = local_path(uri)
    try:
        return {entry.name: entry.read_bytes() for entry in sorted(folder.iterdir()) if entry.is_file()}
    except OSError as error:
        raise UnreachableError(f"{uri}: {error.strerror or error}") from error


def publish_folder(files: Mapping[str, bytes], target: Path) -> bool:
    """Write a folder so that it is either absent or whole; False when it was there already (nothing is written).

    The files go to a hidden sibling first and are renamed in one step.
    """
    if target.exists():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.parent / f".{target.name}.{secrets.token_hex(4)}"
    try:
        staging.mkdir()
        for name, content in files.items():
            (staging / name).write_bytes(content)
        os.rename(staging, target)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        if target.exists():  # someone else published the same content first
            return False
        raise UnreachableError(f"{target}: {error.strerror or error}") from error
    return True


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step; a reader sees the old content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    staging.write_text(text, encoding="utf-8")
    os.replace(staging, path)
