"""Logs of containers, as the kubelet keeps them: lines with the time they were written, and whether more may come."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime


@dataclass
class Log:
    """lines: (RFC 3339 with nanoseconds, text); ended: its container has ended, so a follower is let go."""

    lines: list[tuple[str, str]] = field(default_factory=list)
    ended: bool = False
    changed: threading.Condition = field(default_factory=threading.Condition)

    def write(self, *texts: str) -> None:
        """Add lines, each with a time of its own."""
        with self.changed:
            for text in texts:
                now = time.time_ns()
                stamp = datetime.fromtimestamp(now // 10**9, UTC).strftime("%Y-%m-%dT%H:%M:%S")
                self.lines.append((f"{stamp}.{now % 10**9:09d}Z", text))
            self.changed.notify_all()

    def end(self) -> None:
        """Let followers go."""
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def read(self, query: dict[str, str]) -> Iterator[str]:
        """Lines as pods/log answers them; with follow=true until the container ends. Beats with "" while none comes."""
        since, stamped = query.get("sinceTime", ""), query.get("timestamps") == "true"
        with self.changed:
            known = [one for one in self.lines if one[0][:19] >= since[:19]]
            at = len(self.lines)
        if "tailLines" in query:
            known = known[len(known) - min(len(known), int(query["tailLines"])) :]
        yield from (_shown(line, stamped) for line in known)
        while query.get("follow") == "true":
            with self.changed:
                if at == len(self.lines) and not self.ended:
                    self.changed.wait(0.05)
                new, ended = self.lines[at:], self.ended
                at = len(self.lines)
            yield from (_shown(line, stamped) for line in new)
            if ended and not new:
                return
            yield ""


def _shown(line: tuple[str, str], stamped: bool) -> str:
    return f"{line[0]} {line[1]}\n" if stamped else f"{line[1]}\n"
