"""All detector families by name; adding one is one module and one entry here."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from training.space import Parameters, Space


@dataclass(frozen=True)
class Family:
    """How to fit a kind of detector: ``fit(values (n, d) float32, parameters, seed) -> ONNX graph``."""

    name: str
    defaults: Parameters
    space: Space
    fit: Callable[[NDArray[np.float32], Parameters, int], bytes]


def family(name: str) -> Family:
    """The family of that name, imported on first use (torch takes seconds). Raises InputError for an unknown one."""
    if name == "isolation_forest":
        from training.detectors import isolation_forest as module
    elif name == "autoencoder":
        from training.detectors import autoencoder as module  # type: ignore[no-redef]
    else:
        raise InputError("search.families", f"must be one of {', '.join(FAMILIES)}", name)
    return Family(name, module.DEFAULTS, module.SPACE, module.fit)


FAMILIES = ("isolation_forest", "autoencoder")
