"""What one replica counted since it started, and its text for Prometheus."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

import numpy as np

from serving.holder import Holder
from serving.predict import Judged

_BUCKETS_S = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)


class Telemetry:
    """Counters of a replica; written by its event loop only, so that none needs a lock."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._rows = self._alerts = self._out_of_range = 0
        self._buckets = [0] * (len(_BUCKETS_S) + 1)
        self._seconds = 0.0

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Count a request; ``path`` is one of the documented ones or "other"."""
        self._requests[path, status] += 1
        self._buckets[bisect_left(_BUCKETS_S, seconds)] += 1
        self._seconds += seconds

    def judged(self, found: Judged) -> None:
        """Count the rows of an answer."""
        self._rows += len(found.scores)
        self._alerts += int(np.count_nonzero(found.alerts))
        if found.out_of_range is not None:
            self._out_of_range += int(np.count_nonzero(found.out_of_range.any(axis=1)))

    def text(self, holder: Holder) -> bytes:
        """The counters in Prometheus' text format 0.0.4."""
        served = holder.served
        same = int(served is not None and served.bundle.digest == holder.desired.digest)
        lines = ["# The counters of this one replica, since it started; behind a balancer that is any one of them."]
        requests = [(f'{{path="{path}",status="{status}"}}', n) for (path, status), n in sorted(self._requests.items())]
        lines += _family("requests_total", "counter", "Requests by path and status.", requests)
        lines += _family("rows_total", "counter", "Rows that were asked about.", [("", self._rows)])
        lines += _family("alert_rows_total", "counter", "Rows at or above the threshold.", [("", self._alerts)])
        lines += _family(
            "out_of_range_rows_total", "counter", "Rows with an implausible value.", [("", self._out_of_range)]
        )
        lines += _family("load_failures_total", "counter", "Bundles that could not be loaded.", [("", holder.failures)])
        lines += _family("desired_is_served", "gauge", "1 when the bundle asked for is the one served.", [("", same)])
        if served:
            about = {"model": served.ref.model, "version": served.ref.version, "digest": served.bundle.digest}
            labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in about.items())
            lines += _family("bundle_info", "gauge", "The bundle that is served.", [(f"{{{labels}}}", 1)])
        lines += _family("request_seconds", "histogram", "Time from a request to its answer.", self._histogram())
        return ("\n".join(lines) + "\n").encode()

    def _histogram(self) -> list[tuple[str, float]]:
        total, found = 0, []
        for bound, count in zip([*_BUCKETS_S, "+Inf"], self._buckets, strict=True):
            total += count
            found.append((f'_bucket{{le="{bound}"}}', total))
        return [*found, ("_sum", round(self._seconds, 6)), ("_count", total)]


def _family(name: str, kind: str, text: str, samples: Sequence[tuple[str, float]]) -> list[str]:
    head = [f"# HELP vigia_{name} {text}", f"# TYPE vigia_{name} {kind}"]
    return head + [f"vigia_{name}{rest} {value}" for rest, value in samples]


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
