"""The log of a job, read piece by piece: each line once, and the result in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from flows.result_line import PREFIX, Result, read_result


@dataclass(frozen=True)
class DriverLog:
    """What was read of the logs of a job's pods.

    last: by pod, the time of the last line and how many lines of that time were read; results: by attempt.
    """

    last: Mapping[str, tuple[str, int]] = field(default_factory=dict)
    results: Mapping[str, Result] = field(default_factory=dict)

    def since(self, pod: str) -> str:
        """From when on to ask for a pod's lines, in whole seconds as the API takes it; "" for all."""
        time, _ = self.last.get(pod, ("", 0))
        return f"{time[:19]}Z" if time else ""

    def read(self, pod: str, attempt: str, lines: Iterable[str]) -> tuple["DriverLog", list[str]]:
        """With a piece of a pod's log (each line after its time), and the lines of it that are new, for people."""
        last, count = self.last.get(pod, ("", 0))
        skip, results, new = count, dict(self.results), []
        for line in lines:
            time, _, text = line.partition(" ")
            if time < last:
                continue
            if time == last and skip:
                skip -= 1
                continue
            last, count = time, count + 1 if time == last else 1
            if text.startswith(PREFIX) and (found := read_result(text)):
                results[attempt] = found
            else:
                new.append(text)
        return replace(self, last={**self.last, pod: (last, count)}, results=results), new
