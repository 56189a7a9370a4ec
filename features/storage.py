"""The one door to files and object stores: resolve a URI, open, list, read, publish a folder atomically."""

import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pyarrow as pa
import pyarrow.fs as fs

from features.errors import InputError, UnreachableError

S3_ATTEMPTS = 3
_TOLD = 300  # characters of what an S3 client says
_ABSENT = ("NO_SUCH_BUCKET", "NO_SUCH_KEY", "RESOURCE_NOT_FOUND")
_REFUSED = ("ACCESS_DENIED", "INVALID_ACCESS_KEY_ID", "SIGNATURE_DOES_NOT_MATCH", "EXPIRED_TOKEN", "HTTP status 403")
_AWAY = ("NETWORK_CONNECTION", "SLOW_DOWN", "SERVICE_UNAVAILABLE", "INTERNAL_FAILURE", "THROTTLING", "HTTP status 5")


def local_path(uri: str) -> Path:
    """The path behind a plain path or a ``file://`` URI. Raises InputError for any other scheme."""
    parts = urlsplit(uri)
    if parts.scheme in ("", "file") and not parts.netloc:
        return Path(unquote(parts.path) if parts.scheme else uri)
    raise InputError("uri", "must be a path or a file:// URI", uri)


def open_filesystem(
    uri: str, *, endpoint: str | None = None, region: str | None = None, timeout_s: float = 10.0
) -> tuple[fs.FileSystem, str]:
    """The file system of a path, ``file://`` or ``s3://bucket/key`` URI, and the path in it. Contacts nobody yet.

    S3 takes its credentials from the AWS_* variables or the AWS profile, and without ``endpoint`` that one from
    AWS_ENDPOINT_URL_S3 or AWS_ENDPOINT_URL, as other clients of S3 do and this one does not by itself. Each request
    waits ``timeout_s`` at most (to the second) for the next byte, S3_ATTEMPTS times. Raises InputError for another
    scheme or a malformed endpoint.
    """
    if not uri.startswith("s3://"):
        return fs.LocalFileSystem(), os.path.abspath(local_path(uri))
    field, endpoint = _endpoint(endpoint)
    where = urlsplit(endpoint or "https://")
    if endpoint and (where.scheme not in ("http", "https") or not where.hostname or "@" in where.netloc or where.query):
        rule = "must be http://host:port or https://host:port, without credentials"
        raise InputError(field, rule, endpoint.rpartition("@")[2])
    s3 = fs.S3FileSystem(
        endpoint_override=where.netloc or None,
        scheme=where.scheme,
        # Only Amazon's own stores have a region; without an endpoint the AWS profile is asked for it.
        region=region or ("us-east-1" if endpoint else None),
        connect_timeout=timeout_s,
        request_timeout=timeout_s,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=S3_ATTEMPTS),
    )
    return s3, uri.removeprefix("s3://").strip("/")


def _endpoint(given: str | None) -> tuple[str, str | None]:
    """(what to call it, endpoint)."""
    if given is None:
        for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"):
            if os.environ.get(name):
                return name, os.environ[name]
    return "data.endpoint", given


def list_files(filesystem: fs.FileSystem, path: str) -> list[str]:
    """The file at a path, those below a folder, or those that match a glob (``*``, ``?``, ``[…]``, ``**``), sorted.

    Below a folder or in a glob, names that start with a dot or an underscore are left out. Raises FileNotFoundError
    for a path, or the folder of a glob, that does not exist.
    """
    kind = filesystem.get_file_info(path).type
    if kind == fs.FileType.File:
        return [path]
    base, pattern = _pattern(path, kind == fs.FileType.Directory)
    if not pattern or not base.strip("/"):
        raise FileNotFoundError(path)
    selector = fs.FileSelector(base, recursive=len(pattern) > 1)
    found = [entry.path for entry in filesystem.get_file_info(selector) if entry.type == fs.FileType.File]
    return sorted(name for name in found if _belongs(name, base, pattern))


def holds(uri: str, file: Path) -> bool:
    """True where a local file, folder or glob, as ``list_files`` takes it, has a file, or would once it is there.

    False for a URI of any other kind.
    """
    try:
        path = os.path.realpath(local_path(uri))
    except InputError:
        return False
    name = os.path.realpath(file)
    base, pattern = _pattern(path, os.path.isdir(path))
    return name == path or (bool(pattern) and name.startswith(f"{base}/") and _belongs(name, base, pattern))


def _pattern(path: str, folder: bool) -> tuple[str, list[str]]:
    """The folder that holds all files of a path, and what the rest of their names, part by part, must match."""
    parts = path.rstrip("/").split("/")
    if folder:
        return "/".join(parts), ["**", "*"]
    fixed = next((k for k, part in enumerate(parts) if any(sign in part for sign in "*?[")), len(parts))
    return "/".join(parts[:fixed]), parts[fixed:]


def _belongs(name: str, base: str, pattern: Sequence[str]) -> bool:
    tail = name[len(base) :].strip("/").split("/")
    return _matches(tail, pattern) and not any(part.startswith((".", "_")) for part in tail)


def address(filesystem: fs.FileSystem, path: str) -> str:
    """How messages call a file of ``list_files``."""
    return f"s3://{path}" if filesystem.type_name == "s3" else path


@contextmanager
def reading(uri: str, field: str = "data.uri", what: str = "read") -> Iterator[None]:
    """Translate what file systems and readers raise when something cannot be read, or whatever else ``what`` says.

    Raises UnreachableError when a store did not answer in time, InputError naming ``field`` and the URI for the rest.
    """
    try:
        yield
    except FileNotFoundError as error:
        raise InputError(field, "does not exist", uri) from error
    except (OSError, pa.ArrowException) as error:
        text = (getattr(error, "strerror", None) or str(error)).splitlines()[0]
        if any(mark in text for mark in _ABSENT):
            raise InputError(field, "does not exist", uri) from error
        if any(mark in text for mark in _REFUSED):
            source = "the AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY variables or the AWS profile"
            raise InputError(field, f"access refused (403); credentials are taken from {source}", uri) from error
        if any(mark in text for mark in _AWAY):
            rule = f"the store must answer, which it did not in {S3_ATTEMPTS} tries ({_trouble(text)})"
            raise UnreachableError(f"{field}: {rule}, got {uri!r}") from error
        raise InputError(field, f"cannot be {what} ({text})", uri) from error


def _trouble(text: str) -> str:
    """What an S3 client says of a store in trouble, in a few words."""
    if "Timeout was reached" in text:
        return "no answer in time: Timeout was reached"
    status = re.search(r"HTTP response code:? (\d{3})", text) or re.search(r"HTTP status (\d{3})", text)
    return f"HTTP {status[1]}" if status else text[:_TOLD]


def read_folder(
    uri: str,
    *,
    endpoint: str | None = None,
    region: str | None = None,
    timeout_s: float = 30.0,
    max_bytes: int = 2**31,
) -> dict[str, bytes]:
    """Every file directly inside a folder, name -> content; ``uri`` and the rest as for ``open_filesystem``.

    Raises UnreachableError when it cannot be read or is not there (yet), InputError where access is refused or it
    holds more than ``max_bytes``.
    """
    filesystem, path = open_filesystem(uri, endpoint=endpoint, region=region, timeout_s=timeout_s)
    try:
        with reading(uri, "uri"):
            found = [entry for entry in filesystem.get_file_info(fs.FileSelector(path)) if entry.is_file]
            size = sum(entry.size for entry in found)
            if size > max_bytes:
                raise InputError("uri", f"must hold at most {max_bytes:,} bytes, not {size:,}", uri)
            return {entry.base_name: _content(filesystem, entry.path) for entry in sorted(found, key=_by_path)}
    except InputError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise UnreachableError(f"{uri}: No such file or folder") from error
        if isinstance(error.__cause__, OSError) and filesystem.type_name == "local":  # a mount may come back
            raise UnreachableError(str(error)) from error
        raise


def _content(filesystem: fs.FileSystem, path: str) -> bytes:
    with filesystem.open_input_stream(path, compression=None) as stream:
        content: bytes = stream.read()
        return content


def _by_path(entry: fs.FileInfo) -> str:
    return str(entry.path)


def publish_file(filesystem: fs.FileSystem, path: str, content: bytes) -> None:
    """Write a file so that it is either absent or whole. Raises what the file system raises (OSError)."""
    if filesystem.type_name != "local":
        with filesystem.open_output_stream(path) as stream:  # an object appears when its upload is complete
            stream.write(content)
        return
    target = Path(path)
    target.parent.mkdir(parents=True, exist_ok=True)
    staging = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        staging.write_bytes(content)
        os.replace(staging, target)
    finally:
        staging.unlink(missing_ok=True)


def publish_folder(
    files: Mapping[str, bytes],
    target: Path | str,
    *,
    last: str = "",
    endpoint: str | None = None,
    timeout_s: float = 30.0,
) -> bool:
    """Write a folder so that it is either absent or whole; False when it was there already (nothing is written).

    Files go to a hidden sibling first and are renamed in one step. S3 has no rename: there each object appears whole,
    one after the other, ``last`` as the last; a folder whose objects have not all the right size is written again.
    Its readers hold what they find to a digest. Raises UnreachableError, or InputError where a store refuses.
    """
    if str(target).startswith("s3://"):
        return _publish_objects(files, str(target), last, endpoint, timeout_s)
    place = local_path(str(target))
    if place.exists():
        return False
    staging = place.parent / f".{place.name}.{secrets.token_hex(4)}"
    try:
        staging.mkdir(parents=True)
        for name, content in files.items():
            (staging / name).write_bytes(content)
        os.rename(staging, place)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        if place.exists():  # someone else published the same content first
            return False
        raise UnreachableError(f"{place}: {error.strerror or error}") from error
    return True


def _publish_objects(files: Mapping[str, bytes], uri: str, last: str, endpoint: str | None, timeout_s: float) -> bool:
    filesystem, path = open_filesystem(uri, endpoint=endpoint, timeout_s=timeout_s)
    with reading(uri, "uri", "written"):
        there = filesystem.get_file_info(fs.FileSelector(path, allow_not_found=True))
        if {entry.base_name: entry.size for entry in there} == {name: len(files[name]) for name in files}:
            return False
        for name in sorted(files, key=lambda name: (name == last, name)):
            publish_file(filesystem, f"{path}/{name}", files[name])
    return True


def write_text(path: Path, text: str) -> None:
    """Replace a file in one step; a reader sees the old content or the new one."""
    publish_file(fs.LocalFileSystem(), str(path), text.encode())


def _matches(parts: Sequence[str], pattern: Sequence[str]) -> bool:
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return _matches(parts, pattern[1:]) or (bool(parts) and _matches(parts[1:], pattern))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])
