"""The log of a job, read piece by piece: each line once, and the result in it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter

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
        """With a piece of a pod's log (each line after its time), and the lines of it that are new, for people.

        Two streams are written into one log, so that neighbours may be out of order; a result counts wherever it is,
        also behind what a progress bar left on its line.
        """
        last, count = self.last.get(pod, ("", 0))
        skip, results, new = count, dict(self.results), []
        for time, text in sorted(map(_parted, lines), key=itemgetter(0)):
            before, mark, said = text.partition(PREFIX)
            if found := read_result(mark + said):
                results[attempt], text = found, before
            if time < last:
                continue
            if time == last and skip:
                skip -= 1
                continue
            last, count = time, count + 1 if time == last else 1
            if text or not found:
                new.append(_shown(text))
        return replace(self, last={**self.last, pod: (last, count)}, results=results), new


def _parted(line: str) -> tuple[str, str]:
    time, _, text = line.partition(" ")
    return time, text


def _shown(text: str) -> str:
    """What a terminal would have left of a line that a progress bar wrote over and over."""
    return text.rstrip("\r").rpartition("\r")[2]
