"""All detector families by name; adding one is one module and one entry here."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from training.space import Parameters, Report, Space, no_report


class Fit(Protocol):
    """Transformed features (n, d) -> ONNX graph.

    Families that learn in steps call ``report`` after each and let its StopTrial pass; the others ignore it.
    """

    def __call__(
        self, values: NDArray[np.float32], parameters: Parameters, seed: int, *, report: Report = no_report
    ) -> bytes: ...


@dataclass(frozen=True)
class Family:
    """How to fit a kind of detector: ``fit`` takes every parameter that ``defaults`` and ``space`` name."""

    name: str
    defaults: Parameters
    space: Space
    fit: Fit


def family(name: str) -> Family:
    """The family of that name, imported on first use (torch takes seconds). Raises InputError for an unknown one."""
    if name == "isolation_forest":
        from training.detectors import isolation_forest as module
    elif name == "extended_forest":
        from training.detectors import extended_forest as module  # type: ignore[no-redef]
    elif name == "linear_autoencoder":
        from training.detectors import linear_autoencoder as module  # type: ignore[no-redef]
    elif name == "autoencoder":
        from training.detectors import autoencoder as module  # type: ignore[no-redef]
    else:
        raise InputError("search.families", f"must be one of {', '.join(FAMILIES)}", name)
    return Family(name, module.DEFAULTS, module.SPACE, module.fit)


FAMILIES = ("isolation_forest", "extended_forest", "linear_autoencoder", "autoencoder")
