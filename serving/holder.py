"""Which bundle a replica should serve and which it does serve; swapped by one assignment."""

import random
import threading
from dataclasses import asdict
from typing import Any

from features.errors import InputError, RetryError
from serving.events import emit
from serving.failure import Failure, Kind, make_failure
from serving.loading import Depot, Served
from serving.settings import BundleRef, UserConfig, read_settings

_PAUSES_S = (0.5, 30.0)  # first and longest between tries while a store is away


class Holder:
    """The first wish is waited for and must succeed; every later one loads in the background and never raises.

    Where nothing is promoted yet, nothing is served and that is well; the first bundle that is named is the first wish.

    settings: the last ``user_config`` that made sense; failure: why the desired bundle is not served, None when it is
    or still loading; failures: wishes whose bundle could not be loaded;
    loading: a later wish is worked on.
    """

    def __init__(self, depot: Depot = Depot()) -> None:  # noqa: B008 - frozen
        self.served: Served | None = None
        self.desired = BundleRef()
        self.settings = UserConfig()
        self.failure: Failure | None = None
        self.failures = 0
        self._depot = depot
        self._wished = threading.Condition()
        self.loading = False

    @property
    def error(self) -> str:
        """Why the desired bundle is not served; empty when it is or still loading."""
        return self.failure.text if self.failure else ""

    def configure(self, user_config: dict[str, Any]) -> None:
        """Follow a ``user_config``. Raises InputError for one that cannot be understood, while nothing is served."""
        try:
            wanted = read_settings(user_config, UserConfig, "user_config")
        except InputError as error:
            with self._wished:
                self.desired, self.failure = BundleRef(), None
                self._failed(make_failure("", error))
            if self.served is None:
                raise
            return
        self.settings = wanted
        self.wish(wanted.bundle or BundleRef(), wanted.previous or BundleRef())

    def wish(self, desired: BundleRef, previous: BundleRef) -> None:
        """Serve ``desired`` from now on. The first time: load it, else ``previous``, else raise why."""
        first = self.served is None
        with self._wished:
            self.desired, self.failure = desired, None
            self._wished.notify_all()
        if first:
            self._first(desired, previous)
        else:
            self._follow()

    def _first(self, desired: BundleRef, previous: BundleRef) -> None:
        if desired == previous == BundleRef():
            emit("nothing_promoted")
            return
        try:
            self.served = self._depot.load_patiently(desired, "user_config.bundle")
        except Exception as error:
            failure = make_failure(desired.digest, error)
            self._failed(failure)
            error.add_note(failure.mark)  # Serve's message of a deployment that failed shows it
            if not previous.digest:
                raise
            try:
                self.served = self._depot.load_patiently(previous, "user_config.previous")
            except Exception as second:
                self.failures += 1
                emit("previous_not_loaded", error=True, digest=previous.digest, reason=str(second))
                raise error from second
            if isinstance(error, RetryError):
                self._follow()
        emit("serving", model=self.served.ref.model, version=self.served.ref.version, digest=self.served.bundle.digest)

    def _follow(self) -> None:
        """Have a thread work on the wish, unless one does."""
        with self._wished:
            if not self.loading:
                self.loading = True
                threading.Thread(target=self._work, name="vigia-loading", daemon=True).start()

    def _work(self) -> None:
        """Load what is desired until it is served or known to be no good; a store that is away is asked again."""
        pause, seen = _PAUSES_S[0], None
        while True:
            desired = self.desired
            pause = min(2 * pause, _PAUSES_S[1]) if desired is seen else _PAUSES_S[0]
            seen, served, error = desired, None, None
            try:
                served = self._loaded(desired)
            except Exception as found:
                error = found
            with self._wished:
                if desired is not self.desired:  # a newer wish came while this one loaded
                    continue
                if served is not None:
                    self._swap(served)
                elif error is not None:
                    self._failed(make_failure(desired.digest, error))
                    if isinstance(error, RetryError):
                        self._wished.wait(pause * random.uniform(0.5, 1.0))  # replicas do not ask all at once
                        continue
                self.loading = False
                return

    def _loaded(self, desired: BundleRef) -> Served:
        now = self.served
        if now and desired.digest == now.bundle.digest:  # the same content under another name or version
            return Served(desired, now.bundle, now.since)
        return self._depot.load(desired, "user_config.bundle")

    def _swap(self, served: Served) -> None:
        before = self.served.bundle.digest if self.served else ""
        self.served, self.failure = served, None
        if before != served.bundle.digest:
            ref = served.ref
            emit("serving", model=ref.model, version=ref.version, digest=served.bundle.digest, before=before)

    def _failed(self, failure: Failure) -> None:
        """Counted and told once a wish, however often it is tried."""
        if self.failure is not None and self.failure.kind is Kind.REFERENCE:
            return  # a configuration that makes no sense names nothing to load, which a thread may find too
        told, self.failure = self.failure is not None, failure
        if not told:
            self.failures += 1
            serves = self.served.bundle.digest if self.served else ""
            emit("not_loaded", error=True, **asdict(failure), serves_on=serves)
