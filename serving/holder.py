"""Which bundle a replica should serve and which it does serve; swapped by one assignment."""

import logging
import threading
from typing import Any

import msgspec

from features.errors import InputError, VigiaError
from serving.failure import Failure, Kind, make_failure
from serving.loading import BundleRef, Served, load

_LOG = logging.getLogger("vigia.serving")


class UserConfig(msgspec.Struct, frozen=True):
    """``user_config``: the bundle to serve, and the one to fall back on when a replica starts."""

    bundle: BundleRef | None = None
    previous: BundleRef | None = None


class Holder:
    """The first wish is waited for and must succeed; every later one loads in the background and never raises.

    failure: why the desired bundle is not served, None when it is; failures: bundles that could not be loaded.
    """

    def __init__(self) -> None:
        self.served: Served | None = None
        self.desired = BundleRef()
        self.failure: Failure | None = None
        self.failures = 0
        self._lock = threading.Lock()

    @property
    def error(self) -> str:
        """Why the desired bundle is not served; empty when it is."""
        return self.failure.text if self.failure else ""

    def configure(self, user_config: dict[str, Any]) -> None:
        """Follow a ``user_config``. Raises InputError for one that cannot be understood, while nothing is served."""
        try:
            wanted = msgspec.convert(user_config, UserConfig, strict=False)
        except msgspec.ValidationError as error:
            self.desired = BundleRef()
            self._failed(Failure("", Kind.REFERENCE, str(error)))
            if self.served is None:
                raise InputError("user_config", str(error)) from error
            return
        self.wish(wanted.bundle or BundleRef(), wanted.previous or BundleRef())

    def wish(self, desired: BundleRef, previous: BundleRef) -> None:
        """Serve ``desired`` from now on. The first time: load it, else ``previous``, else raise VigiaError."""
        self.desired = desired
        if self.served is None:
            self._first(desired, previous)
        else:
            threading.Thread(target=self._later, args=(desired,), daemon=True).start()

    def _first(self, desired: BundleRef, previous: BundleRef) -> None:
        try:
            self.served, self.failure = load(desired, "user_config.bundle"), None
        except VigiaError as error:
            failure = make_failure(desired.digest, error)
            self._failed(failure)
            error.add_note(failure.mark)  # Serve's message of a deployment that failed shows it
            if not previous.digest:
                raise
            try:
                self.served = load(previous, "user_config.previous")
            except VigiaError as second:
                self.failures += 1
                _LOG.error("nor can the previous bundle %s: %s", previous.digest, second)
                raise error from second

    def _later(self, desired: BundleRef) -> None:
        with self._lock:
            try:
                known = self.served if self.served and desired.digest == self.served.bundle.digest else None
                served = Served(desired, known.bundle, known.since) if known else load(desired, "user_config.bundle")
            except Exception as error:
                if desired == self.desired:  # else a newer wish came while this one loaded
                    self._failed(make_failure(desired.digest, error))
                return
            if desired == self.desired:
                self.served, self.failure = served, None

    def _failed(self, failure: Failure) -> None:
        self.failure = failure
        self.failures += 1
        on = "the last good one serves on" if self.served else "nothing else is served yet"
        _LOG.error(
            "bundle %s cannot be loaded (%s), %s: %s", failure.digest or "(none)", failure.kind, on, failure.text
        )
