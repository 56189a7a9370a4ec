"""Amounts as Kubernetes writes them."""

from decimal import Decimal

_SUFFIXES = {
    **{name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{name: Decimal(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{"n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")},
}


def quantity(text: object) -> Decimal:
    """``500m`` is 0.5, ``1Gi`` 1073741824.

    Raises:
        decimal.InvalidOperation: it is no amount
    """
    written = str(text)
    for suffix, factor in _SUFFIXES.items():
        if written.endswith(suffix):
            return Decimal(written[: -len(suffix)]) * factor
    return Decimal(written)
