"""A lease in a cluster: an object of coordination.k8s.io that one holder renews and others watch.

As client-go elects leaders: nobody compares clocks. Who waits notes, by a clock of its own, when it last saw the object
change, and takes it over once it has not changed for as long as its holder said it would at most.
"""

import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from features.errors import RefusedError, RetryError, UnreachableError, UnverifiedError, VigiaError
from flows.adapters.kubernetes_api import KubernetesApi
from flows.adapters.kubernetes_errors import MissingError, ModifiedError
from flows.adapters.kubernetes_kinds import LEASES

Json = dict[str, Any]
_ASK_AGAIN_S = 1.0
_TRIES = 3


def make_holder() -> str:
    """A name for this process that no other has had."""
    return f"{socket.gethostname()}-{uuid.uuid4().hex[:8]}"


@dataclass(frozen=True)
class ClusterLease:
    """See flows.lease.Lease. ``duration_s``: how long others wait for a sign of life; renewed three times within."""

    api: KubernetesApi
    name: str
    holder: str = field(default_factory=make_holder)
    duration_s: int = 30

    @contextmanager
    def held(self, wait_s: float) -> Iterator[Callable[[], None]]:
        """See flows.lease.Lease."""
        hold = _Hold(self, *self._take(wait_s))
        renewing = threading.Thread(target=hold.renew, name=f"lease {self.name}", daemon=True)
        renewing.start()
        try:
            yield hold.insist
        finally:
            hold.ended.set()
            renewing.join()
            hold.release()

    def _take(self, wait_s: float) -> tuple[Json, float]:
        """The object as this holder wrote it, and when it began to; an API that does not answer is asked again."""
        end, seen = time.monotonic() + wait_s, ("", 0.0)
        while True:
            now = time.monotonic()
            try:
                found = self._find()
                version, spec = ("", {}) if found is None else (found["metadata"]["resourceVersion"], found["spec"])
                if version != seen[0]:
                    seen = (version, now)
                who, lasts_s = spec.get("holderIdentity") or "", float(spec.get("leaseDurationSeconds") or 0)
                if who in ("", self.holder) or now - seen[1] > lasts_s:  # its own: the answer to its request was lost
                    with suppress(ModifiedError, RefusedError):  # another one was faster
                        return self._write(found), now
                why = f"{who or 'another one'} is at it, for more than {wait_s:g} s"
            except UnreachableError as error:
                why = str(error)
            if now >= end:
                raise RetryError(f"{self.name}: {why}")
            time.sleep(min(_ASK_AGAIN_S, self.duration_s / 10))

    def _find(self) -> Json | None:
        try:
            return self.api.get(LEASES, self.name)
        except MissingError:
            return None

    def _write(self, found: Json | None) -> Json:
        now = _time()
        spec: Json = {"holderIdentity": self.holder, "leaseDurationSeconds": self.duration_s, "renewTime": now}
        if found is None:
            meta = {"name": self.name, "namespace": self.api.namespace}
            kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta}
            return self.api.create(LEASES, {**kind, "spec": {**spec, "acquireTime": now, "leaseTransitions": 0}})
        count = int(found["spec"].get("leaseTransitions") or 0) + 1
        return self.api.replace(LEASES, {**found, "spec": {**spec, "acquireTime": now, "leaseTransitions": count}})


@dataclass
class _Hold:
    """The lease while it is held. at: when the request that renewed it last was made; turn: one renews at a time."""

    lease: ClusterLease
    object: Json
    at: float
    lost: str = ""
    ended: threading.Event = field(default_factory=threading.Event)
    turn: threading.Lock = field(default_factory=threading.Lock)

    def insist(self) -> None:
        """Renew it now: a clock that stood still while the machine slept would not notice that another one has it."""
        trouble = self._renew_once()
        since = time.monotonic() - self.at
        if not trouble and since > self.lease.duration_s * 2 / 3:
            trouble = f"it could not be renewed for {since:.0f} s"
        if self.lost or trouble:
            raise UnverifiedError(f"the lease {self.lease.name} was lost: {self.lost or trouble}; run it again")

    def renew(self) -> None:
        """Renew it until it ends or another one has it; an API that is away is asked again."""
        while not self.ended.wait(self.lease.duration_s / 3) and not self.lost:
            self._renew_once()

    def release(self) -> None:
        """Let the next one in at once; without an answer it waits until the lease has run out."""
        if not self.lost:
            with suppress(VigiaError):
                self._put({"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": _time()})

    def _renew_once(self) -> str:
        """Why it could not be renewed, "" where it was. Tried again while it is held: the object may have been written
        by somebody else, or by a request of ours whose answer was lost."""
        trouble = ""
        with self.turn:
            for _ in range(_TRIES):
                if self.lost:
                    break
                at = time.monotonic()
                try:
                    self._put({"renewTime": _time()})
                    self.at = at
                    return ""
                except VigiaError as error:
                    trouble = f"it could not be renewed: {error}"
                with suppress(VigiaError):
                    self._look_who()
        return trouble

    def _put(self, values: Json) -> None:
        self.object = self.lease.api.replace(LEASES, {**self.object, "spec": {**self.object["spec"], **values}})

    def _look_who(self) -> None:
        found = self.lease._find() or {"spec": {}}
        who = found["spec"].get("holderIdentity")
        if who == self.lease.holder:  # somebody labelled it, or an answer to us was lost
            self.object = found
        else:
            self.lost = f"{who or 'nobody'} has it"


def _time() -> str:
    """For people; as the kind writes times."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
