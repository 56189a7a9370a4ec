"""How pages write numbers and text that came with the data."""


def count(value: int) -> str:
    """With thousands separators: 259,200."""
    return f"{value:,}"


def share(value: float) -> str:
    """A share in [0, 1] in percent; never rounded to 0 % or 100 % unless it is."""
    percent = 100 * value
    if percent in (0, 100):
        return f"{percent:.0f} %"
    if percent < 0.01:
        return "<0.01 %"
    if percent > 99.9:
        return ">99.9 %"
    return f"{percent:.2f} %" if percent < 9.995 else f"{percent:.1f} %"


def figure(value: float | None) -> str:
    """A measured value in four digits, all its whole digits below ten million; "–" for none."""
    if value is None:
        return "–"
    if 999.95 <= abs(value) < 1e7:
        return f"{value:,.0f}"
    mantissa, e, exponent = f"{value:.4g}".partition("e")
    return f"{mantissa}e{int(exponent)}" if e else mantissa


def visible(text: str) -> str:
    r"""Text in which a character without a glyph shows as its escape, such as ``\n``, ``\xa0`` or ``\u202e``.

    What turns the writing direction, hides or cannot be encoded in UTF-8 (a lone surrogate) is then harmless and seen.
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def clip(text: str, length: int) -> str:
    """Text of at most ``length`` characters, the last of them "…" where some were cut."""
    return text if len(text) <= length else f"{text[: length - 1]}…"


def signed(value: float) -> str:
    """A difference in three digits after the point, with its sign."""
    return f"{value:+.3f}".replace("-", "−")


def measured(value: float | None, unit: str) -> str:
    """A measure in its unit ("share", "s", "1/day"; any other has three digits after the point); "–" for none."""
    if value is None:
        return "–"
    if unit == "share":
        return share(value)
    if unit == "s":
        return duration(value)
    return rate(value) if unit == "1/day" else f"{value:.3f}"


def rate(value: float) -> str:
    """How often, in two digits and all its whole ones: 0.0079, 0.2, 52."""
    return f"{value:,.0f}" if value >= 9.95 else f"{value:.2g}"


def duration(seconds: float) -> str:
    """In the largest unit that leaves at least one: 45 s, 25 min, 3.5 h, 2.1 days."""
    for size, unit in ((86_400 * 2, "days"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / (86_400 if unit == 'days' else size):.3g} {unit}"
    return f"{seconds:.3g} s"
