"""Rows of a machine sent to the service one after the other, and what it says of them."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.errors import RetryError
from flows.adapters.serve_api import ServeApi
from flows.steps.failing_machine import Machine
from serving.messages import PredictAnswer


@dataclass(frozen=True)
class Heard:
    """What was said of one row; severity: score divided by threshold; reasons: in words; version: that answered."""

    severity: float
    alert: bool
    reasons: str
    version: str


def ask(api: ServeApi, machine: Machine, values: NDArray[np.float64], place: int, past: int) -> Heard:
    """Ask about one row of a machine, with ``past`` rows before it. Raises UnreachableError."""
    body: dict[str, Any] = {"data": [values[place].tolist()], "series_ids": [machine.series]}
    if machine.regimes is not None:
        body["regime"] = [machine.regimes[place] or None]
    if past:
        body["history"] = [values[place - past : place].tolist()]
    answer = msgspec.convert(api.predict(body, explain=True), PredictAnswer)
    top = answer.reasons.rows[0].top if answer.reasons and answer.reasons.rows else []
    reasons = ", ".join(f"{reason.feature} {reason.direction} usual ({reason.share:.0%})" for reason in top)
    return Heard(answer.severity[0] or 0.0, answer.alerts[0], reasons, answer.model.version)


@dataclass
class Traffic:
    """answered: answers by version, in the order in which versions came; failed: requests without one."""

    answered: Counter[str] = field(default_factory=Counter)
    failed: int = 0


@contextmanager
def traffic(api: ServeApi, machine: Machine, past: int, every_s: float = 0.05) -> Iterator[Traffic]:
    """Ask about the same healthy row all the while."""
    found, over = Traffic(), threading.Event()

    def go_on() -> None:
        while not over.is_set():
            try:
                found.answered[ask(api, machine, machine.values, past, past).version] += 1
            except RetryError:
                found.failed += 1
            time.sleep(every_s)

    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        yield found
    finally:
        over.set()
        thread.join()
