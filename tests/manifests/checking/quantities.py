"""Amounts as Kubernetes writes them."""

import re
from decimal import Decimal

_FACTORS = {
    **{name: Decimal(1024) ** power for power, name in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"), 1)},
    **{name: Decimal(1000) ** power for power, name in enumerate(("k", "M", "G", "T", "P", "E"), 1)},
    **{"": Decimal(1), "n": Decimal("1e-9"), "u": Decimal("1e-6"), "m": Decimal("1e-3")},
}
_AMOUNT = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)([KMGTPE]i|[numkMGTPE]?)")


def quantity(written: object) -> Decimal:
    """``500m`` is 0.5, ``1Gi`` 1073741824.

    Raises:
        ValueError: it is no amount
    """
    found = _AMOUNT.fullmatch(str(written))
    if found is None:
        raise ValueError(f"{written!r} is no amount such as 500m or 1Gi")
    return Decimal(found[1]) * _FACTORS[found[2]]


def is_quantity(written: object) -> bool:
    return bool(_AMOUNT.fullmatch(str(written)))
