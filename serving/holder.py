"""Which bundle a replica should serve and which it does serve; swapped by one assignment."""

import logging
import threading
import time
from dataclasses import dataclass

import msgspec

from features.errors import InputError, RetryError, VigiaError
from serving.bundle import Bundle, load_bundle

_LOG = logging.getLogger("vigia.serving")
_TRIES = 3


class BundleRef(msgspec.Struct, frozen=True):
    """A published bundle as ``user_config`` names it; empty where nothing was promoted."""

    uri: str = ""
    digest: str = ""
    model: str = ""
    version: str = ""


@dataclass(frozen=True)
class Served:
    """A bundle in service."""

    ref: BundleRef
    bundle: Bundle
    since: float


class Holder:
    """The first wish is waited for and must succeed; every later one loads in the background and never raises."""

    def __init__(self) -> None:
        self.served: Served | None = None
        self.desired = BundleRef()
        self.error = ""
        self._lock = threading.Lock()

    def wish(self, desired: BundleRef, previous: BundleRef) -> None:
        """Serve ``desired`` from now on. The first time: load it, else ``previous``, else raise VigiaError."""
        self.desired = desired
        if self.served is None:
            self._first(desired, previous)
        else:
            threading.Thread(target=self._later, args=(desired,), daemon=True).start()

    def _first(self, desired: BundleRef, previous: BundleRef) -> None:
        try:
            self.served = _load(desired)
        except VigiaError as error:
            self.error = str(error)
            if not previous.digest:
                raise
            _LOG.error("bundle %s cannot be loaded, serving the previous one: %s", desired.digest, error)
            self.served = _load(previous)

    def _later(self, desired: BundleRef) -> None:
        with self._lock:
            if desired != self.desired:  # a newer wish came while this one waited
                return
            try:
                served = _load(desired)
                self.served, self.error = served, ""
            except Exception as error:
                self.error = str(error)
                _LOG.error("bundle %s cannot be loaded, the last good one serves on: %s", desired.digest, error)


def _load(ref: BundleRef) -> Served:
    if not ref.uri or not ref.digest:
        raise InputError("user_config.bundle", "must name a uri and a digest", ref.uri)
    for attempt in range(1, _TRIES + 1):
        try:
            return Served(ref, load_bundle(ref.uri, ref.digest), time.time())
        except RetryError:
            if attempt == _TRIES:
                raise
            time.sleep(0.2 * 2**attempt)
    raise AssertionError
