"""What one replica counts since it started: cheap to note while a request is answered, added up later."""

import threading
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from serving.predict import Judged

SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1)
SEVERITIES = (0.25, 0.5, 0.75, 0.9, 1.0, 1.25, 1.5, 2.0, 4.0)
_NOTES = 2_048  # added up at once beyond this, where nobody asks for the figures
Labels = tuple[str, ...]
Note = TypeVar("Note")


@dataclass(frozen=True)
class Family:
    """One metric: values by the values of its labels. A histogram's buckets are cumulative and labelled ``le``."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    text: str
    labels: Labels
    values: dict[Labels, float]
    total: float = 0.0  # of a histogram: the sum of what was observed


class Telemetry:
    """``answered`` and ``judged`` are called by the event loop; ``families`` by any thread."""

    def __init__(self) -> None:
        self._answers: deque[tuple[str, int, float]] = deque()
        self._judged: deque[Judged] = deque()
        self._lock = threading.Lock()
        self._requests: Counter[tuple[str, int]] = Counter()
        self._rows = self._alerts = self._out_of_range = 0
        self._seconds = _Histogram(SECONDS)
        self._severities = _Histogram(SEVERITIES)

    def answered(self, path: str, status: int, seconds: float) -> None:
        """Note an answer; ``path`` is one of the documented ones or "other"."""
        self._answers.append((path, status, seconds))
        if len(self._answers) > _NOTES:
            self._add_up()

    def judged(self, found: Judged) -> None:
        """Note the rows of an answer."""
        self._judged.append(found)

    def families(self) -> list[Family]:
        """The counts so far."""
        self._add_up()
        counted = sorted(self._requests.items())
        requests: dict[Labels, float] = {(path, str(status)): float(count) for (path, status), count in counted}
        return [
            Family("requests", "counter", "Requests by path and status.", ("path", "status"), requests),
            self._seconds.family("request_seconds", "Seconds from a request to its answer, inside the replica."),
            single("rows", "counter", "Rows that were asked about.", self._rows),
            single("alert_rows", "counter", "Rows at or above the threshold.", self._alerts),
            single("out_of_range_rows", "counter", "Rows with an implausible value.", self._out_of_range),
            self._severities.family("severity", "Scores divided by the threshold that applied; alerts are 1 or more."),
        ]

    def _add_up(self) -> None:
        with self._lock:
            answers, judged = _taken(self._answers), _taken(self._judged)
            self._requests.update((path, status) for path, status, _ in answers)
            self._seconds.add(np.array([seconds for _, _, seconds in answers]))
            if not judged:
                return
            self._rows += sum(len(found.scores) for found in judged)
            self._alerts += int(np.count_nonzero(np.concatenate([found.alerts for found in judged])))
            outside = [found.out_of_range for found in judged if found.out_of_range is not None]
            self._out_of_range += sum(int(np.count_nonzero(flags.any(axis=1))) for flags in outside)
            self._severities.add(np.concatenate([_scored(found) for found in judged]))


def single(name: str, kind: Literal["counter", "gauge"], text: str, value: float) -> Family:
    """A metric without labels."""
    return Family(name, kind, text, (), {(): float(value)})


class _Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds, self._counts, self._sum = bounds, np.zeros(len(bounds) + 1, np.int64), 0.0

    def add(self, values: NDArray[np.float64]) -> None:
        places = np.searchsorted(self._bounds, values, side="left")
        self._counts += np.bincount(places, minlength=len(self._counts))
        self._sum += float(values.sum())

    def family(self, name: str, text: str) -> Family:
        bounds = [*map(str, self._bounds), "+Inf"]
        counts = accumulate(self._counts.tolist())
        values: dict[Labels, float] = {(bound,): float(count) for bound, count in zip(bounds, counts, strict=True)}
        return Family(name, "histogram", text, ("le",), values, self._sum)


def _scored(found: Judged) -> NDArray[np.float64]:
    """Severities of the rows that have one."""
    severity = found.severity if found.scored is None else found.severity[found.scored]
    return severity[np.isfinite(severity)]


def _taken(notes: deque[Note]) -> list[Note]:
    """What is in it now; the event loop may go on adding."""
    return [notes.popleft() for _ in range(len(notes))]
