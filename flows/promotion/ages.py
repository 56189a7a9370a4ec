"""Ages in words."""

_UNITS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
_SKEW_S = 60.0


def age(seconds: float | None) -> str:
    """Such as ``3 min ago``; ``just now`` within a second; says so where a clock is ahead by more than a minute."""
    if seconds is None:
        return "at an unknown time"
    if seconds < -_SKEW_S:
        return f"{_length(-seconds)} in the future by this clock"
    return "just now" if seconds < 1 else f"{_length(seconds)} ago"


def _length(seconds: float) -> str:
    size, unit = next(known for known in _UNITS if seconds >= known[0])
    return f"{seconds / size:.0f} {unit}"
