"""The door to ``ray.serve.metrics``: a thread that hands Ray, every second, what a replica counted since.

Ray's own calls take 5 µs each, which one request in ten would feel; so no request makes any. Ray has no call for many
observations at once either: a histogram goes out as a counter a bucket, cumulative and labelled ``le`` as Prometheus'
functions want them, and as counters of sum and count (``ray_vigia_request_seconds_bucket_total`` and so on).
"""

import threading
from collections.abc import Callable
from itertools import chain

from ray.serve import metrics

from serving.telemetry import Family, Labels

PERIOD_S = 1.0
_NOTHING = 1e-300  # a counter must be there before it grows, or increase() misses its first step; Ray takes no 0


class Publisher:
    """Publishes ``families()`` until it is closed, the last time then."""

    def __init__(self, families: Callable[[], list[Family]]) -> None:
        self._families = families
        self._counters: dict[str, metrics.Counter] = {}
        self._gauges: dict[str, metrics.Gauge] = {}
        self._told: dict[tuple[str, Labels], float] = {}
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vigia-metrics", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Publish what is left and end."""
        self._closing.set()
        self._thread.join(timeout=PERIOD_S)

    def _run(self) -> None:
        while not self._closing.wait(PERIOD_S):
            self._publish()
        self._publish()

    def _publish(self) -> None:
        for family in chain.from_iterable(map(_plain, self._families())):
            if family.kind == "gauge":
                self._set(family)
            else:
                self._raise(family)

    def _set(self, family: Family) -> None:
        if family.name not in self._gauges:
            self._gauges[family.name] = metrics.Gauge(f"vigia_{family.name}", family.text, family.labels)
        gauge = self._gauges[family.name]
        gone = {labels: 0.0 for name, labels in self._told if name == family.name}  # such as the bundle before
        for labels, value in (gone | family.values).items():
            gauge.set(value, dict(zip(family.labels, labels, strict=True)))
            self._told[family.name, labels] = value

    def _raise(self, family: Family) -> None:
        if family.name not in self._counters:
            self._counters[family.name] = metrics.Counter(f"vigia_{family.name}", family.text, family.labels)
        for labels, value in family.values.items():
            told = self._told.get((family.name, labels))
            more = _NOTHING if told is None and not value else value - (told or 0.0)
            if more > 0:
                self._counters[family.name].inc(more, dict(zip(family.labels, labels, strict=True)))
                self._told[family.name, labels] = value


def _plain(family: Family) -> list[Family]:
    """A histogram as three counters."""
    if family.kind != "histogram":
        return [family]
    sums = {"sum": family.total, "count": family.values["+Inf",]}
    counters = [Family(f"{family.name}_{part}", "counter", family.text, (), {(): of}) for part, of in sums.items()]
    return [Family(f"{family.name}_bucket", "counter", family.text, family.labels, family.values), *counters]
