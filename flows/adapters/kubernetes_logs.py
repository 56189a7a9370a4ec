"""Lines of a log as a kubelet answers them: each after its time, whatever time zone the node keeps."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime

from features.errors import UnreachableError

_STAMPED = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d) ?")


def stamped(pod: str, lines: Iterable[str]) -> list[str]:
    """The lines of a log, each after its time in UTC with nine digits, so that texts compare as times do, and a blank.

    What has no time is no line of the log but a word of the kubelet's about it (a container that is being removed, a
    file that rotated away). Raises UnreachableError with that word where there is nothing else.
    """
    found, other = [], ""
    for line in lines:
        stamp = _STAMPED.match(line)
        if stamp is None:
            other = other or line.strip()
        else:
            found.append(f"{_utc(stamp)} {line[stamp.end() :]}")
    if other and not found:
        raise UnreachableError(f"the log of {pod} cannot be read: {other[:300]}")
    return found


def _utc(stamp: re.Match[str]) -> str:
    second, fraction, zone = stamp.groups()
    if zone not in ("Z", "+00:00"):
        second = datetime.fromisoformat(second + zone).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{second}.{fraction or '':0<9}Z"
