"""What a bundle carries beside that which scores: the trees behind its reasons, and rows to measure drift against."""

import numpy as np
from numpy.typing import NDArray

from features.rows import Rows
from serving.bundle import ATTRIBUTION, REFERENCE, make_transform
from serving.forest import write_forest
from serving.manifest import RobustScaling
from serving.reference import MAX_ROWS, sample, write_reference
from training.export.attribution import forest_of


def beside_model(
    model: bytes, scaling: RobustScaling, seen: NDArray[np.float64], reference: Rows, seed: int
) -> dict[str, bytes]:
    """The files by name.

    seen: (n, D) reference rows as the scaling sees them; reference: the normal rows of that window as they are.
    """
    files = {REFERENCE: write_reference(reference, seed)}
    forest = forest_of(model, make_transform(scaling).apply(seen[sample(len(seen), MAX_ROWS, seed)]))
    return files if forest is None else files | {ATTRIBUTION: write_forest(forest)}
