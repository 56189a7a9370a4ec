"""Bundle changes under load: one after the other while requests come by the clock; who answered what, and when."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from features.storage import publish_folder, read_folder
from serving.settings import BundleRef
from tests.load.ray_service import RayService, Setup
from tests.load.steady import Answered, steady
from tests.load.store import Store
from tests.serving.service import publish

_ROW = b'{"data": [[5.0, 5.0, 5.0]]}'
_AT_MOST_S = 900.0


@dataclass(frozen=True)
class Change:
    """To which bundle, when it was asked for, and when every replica said that it serves it (time.monotonic)."""

    digest: str
    asked: float
    served: float


@dataclass(frozen=True)
class Swaps:
    """first: the digest before all changes; answers in the order of their being due."""

    first: str
    changes: tuple[Change, ...]
    answers: tuple[Answered, ...]

    @property
    def failed(self) -> list[Answered]:
        """Requests without an answer of 200."""
        return [answer for answer in self.answers if answer.status != 200]

    def wrong(self) -> list[tuple[Answered, str]]:
        """Answers, each with its digest, by a bundle that was never in service between their being due and answered."""
        found = []
        for answer in self.answers:
            if answer.status == 200:
                digest = json.loads(answer.body)["model"]["digest"]
                if not any(start <= answer.done and answer.due <= end for start, end in self._lives(digest)):
                    found.append((answer, digest))
        return found

    def _lives(self, digest: str) -> list[tuple[float, float]]:
        """From when to when a bundle may answer: from its being asked for until the next one is served."""
        digests = [self.first, *(change.digest for change in self.changes)]
        starts = [float("-inf"), *(change.asked for change in self.changes)]
        ends = [*(change.served for change in self.changes), float("inf")]
        return [(start, end) for name, start, end in zip(digests, starts, ends, strict=True) if name == digest]

    def slowest_ms(self) -> tuple[float, float]:
        """The longest latency before the first change, and from then on."""
        start = self.changes[0].asked
        quiet = max(answer.ms for answer in self.answers if answer.done < start)
        return quiet, max(answer.ms for answer in self.answers if answer.done >= start)


def bundles_in(store: Store, folder: Path, count: int) -> list[BundleRef]:
    """Different bundles of three features, published to a store."""
    local = [publish(folder, seed) for seed in range(count)]
    for ref in local:
        publish_folder(read_folder(ref.uri), f"s3://{store.bucket}/{ref.digest}")
    return [BundleRef(f"s3://{store.bucket}/{ref.digest}", ref.digest, ref.model, ref.version) for ref in local]


def swap_under_load(service: RayService, bundles: Sequence[BundleRef], *, per_s: float, quiet_s: float) -> Swaps:
    """Change from the first bundle, which is served, to each of the others; requests of one row all the while."""
    changes: list[Change] = []
    over = threading.Event()

    def change_all() -> None:
        try:
            time.sleep(quiet_s)
            for before, bundle in pairwise(bundles):
                asked = time.monotonic()
                service.apply(Setup(bundle, before))
                service.wait(lambda states, b=bundle: all(s.get("served") == b.digest for s in states))  # type: ignore[misc]
                changes.append(Change(bundle.digest, asked, time.monotonic()))
                time.sleep(1)
        finally:
            over.set()

    changer = threading.Thread(target=change_all)
    changer.start()
    url = f"{service.api.url}/predict"
    answers = steady(url, lambda _: _ROW, per_s=per_s, until=over.is_set, at_most_s=_AT_MOST_S)
    changer.join()
    return Swaps(bundles[0].digest, tuple(changes), tuple(answers))
