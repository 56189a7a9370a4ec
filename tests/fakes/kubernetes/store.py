"""The objects of the fake, and what happened to them, in order: what etcd is to the API server."""

import copy
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.fakes.kubernetes.answers import expired
from tests.fakes.kubernetes.kinds import Kind

Json = dict[str, Any]
Change = Literal["ADDED", "MODIFIED", "DELETED"]


@dataclass(frozen=True)
class Event:
    """One change; ``before``: the object until then, None when it is new. Objects are never changed in place."""

    version: int
    change: Change
    kind: Kind
    object: Json
    before: Json | None


@dataclass
class Store:
    """Every write raises ``version`` by one. Watches wait on ``changed``, whose lock guards everything.

    oldest: a watch may resume from here or later.
    """

    version: int = 1000
    oldest: int = 0
    objects: dict[tuple[str, str, str, str], Json] = field(default_factory=dict)
    kinds: dict[tuple[str, str], Kind] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=lambda: threading.Condition(threading.RLock()))

    def read(self, kind: Kind, namespace: str, name: str) -> Json | None:
        """A copy of the object, None where there is none."""
        with self.changed:
            return copy.deepcopy(self.objects.get((kind.group, kind.plural, namespace, name)))

    def list(self, kind: Kind, namespace: str) -> list[Json]:
        """Copies of the objects in a namespace, all of them for an empty one; by namespace and name."""
        with self.changed:
            return [
                copy.deepcopy(one)
                for (group, plural, place, _), one in sorted(self.objects.items())
                if (group, plural) == (kind.group, kind.plural) and namespace in ("", place)
            ]

    def write(self, kind: Kind, found: Json, change: Change) -> Json:
        """Keep (or forget) the object under the next version, and tell those who watch."""
        with self.changed:
            self.version += 1
            self.kinds[kind.group, kind.plural] = kind
            meta = found["metadata"] = found["metadata"] | {"resourceVersion": str(self.version)}
            key = (kind.group, kind.plural, meta.get("namespace", ""), meta["name"])
            before = self.objects.pop(key, None)
            if change != "DELETED":
                self.objects[key] = copy.deepcopy(found)
            self.events.append(Event(self.version, change, kind, copy.deepcopy(found), before))
            self.changed.notify_all()
            return found

    def compact(self) -> None:
        """Forget what happened: a watch from before now is answered 410."""
        with self.changed:
            self.events.clear()
            self.version += 1
            self.oldest = self.version
            self.changed.notify_all()

    def since(self, kind: Kind, version: int) -> Iterator[Event]:
        """Events of a kind after a version. Raises ApiError 410 where they are forgotten."""
        with self.changed:
            if version < self.oldest:
                raise expired(version, self.oldest)
            return iter([e for e in self.events if e.version > version and e.kind == kind])
