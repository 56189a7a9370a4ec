"""The bundles that a node keeps: fetched once, shared by its replicas, whole or absent, and not more than fit."""

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from features.errors import InputError, UnreachableError
from features.storage import publish_folder, read_folder
from serving.bundle import digest_of

_STALE_S = 3_600.0  # what a killed process left half-written is removed after this

Files = Mapping[str, bytes]


@dataclass(frozen=True)
class Cache:
    """A folder of ``<digest>/``. Safe under threads and processes: one of them fetches a digest, the others wait.

    max_bytes: of all bundles together; the ones used longest ago make room. A bundle larger than that is not kept.
    """

    folder: Path
    max_bytes: int

    def files(self, digest: str, fetch: Callable[[], Files]) -> Files:
        """The files of a digest, from the folder or from ``fetch()``, and then kept.

        What was kept is held to its digest each time, and fetched again where a disk changed it. Raises InputError
        where what is fetched has another digest (it is not kept), and whatever ``fetch`` raises. A folder that cannot
        be written is no reason to fail: the bundle is then fetched each time.
        """
        with self._alone(digest):
            found = self._kept(digest)
            if found is None:
                found = verified(fetch(), digest)
                self._keep(digest, found)
            return found

    def _kept(self, digest: str) -> Files | None:
        place = self.folder / digest
        if not place.is_dir():
            return None
        with suppress(UnreachableError, InputError):  # taken away to make room, or damaged
            found = verified(read_folder(str(place)), digest)
            with suppress(OSError):
                os.utime(place)
            return found
        self._remove(place)
        return None

    def _keep(self, digest: str, files: Files) -> None:
        needed = sum(map(len, files.values()))
        if needed > self.max_bytes:
            return
        with suppress(OSError, UnreachableError):
            self._make_room(self.max_bytes - needed)
            publish_folder(files, self.folder / digest)

    def _make_room(self, left: int) -> None:
        """Remove the bundles used longest ago until ``left`` bytes or fewer are kept, and what the dead left behind."""
        kept, now = [], time.time()
        for place in self.folder.iterdir():
            with suppress(OSError):
                changed = place.stat().st_mtime
                if place.name.startswith("."):
                    if place.is_dir() and now - changed > _STALE_S:
                        shutil.rmtree(place, ignore_errors=True)
                elif place.is_dir():
                    kept.append((changed, sum(file.stat().st_size for file in place.iterdir()), place))
        total = sum(size for _, size, _ in kept)
        for _, size, place in sorted(kept):
            if total <= left:
                return
            self._remove(place)
            total -= size

    def _remove(self, place: Path) -> None:
        """Out of sight in one step, so that nobody sees half a bundle."""
        aside = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
        with suppress(OSError):
            os.rename(place, aside)
            shutil.rmtree(aside, ignore_errors=True)

    @contextmanager
    def _alone(self, digest: str) -> Iterator[None]:
        """One at a time for a digest on this node; a process that dies lets go."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self.folder / f".{digest}.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
        except OSError:  # no cache, no need to be alone
            yield
            return
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def verified(files: Files, digest: str) -> Files:
    """The same files. Raises InputError where their content has another digest."""
    actual = digest_of(files)
    if actual != digest:
        raise InputError("bundle.digest", f"the content must have digest {digest}", actual)
    return files
