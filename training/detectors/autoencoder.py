"""MLP autoencoder: rows that a narrow network cannot rebuild are anomalous.

Score: mean squared error over features, in squared robust standard deviations. Long training on contaminated rows
teaches it the anomalies too, so the worst rows of each batch are left out of the loss and training ends early.
"""

import numpy as np
from numpy.typing import NDArray

from training.epochs import Training
from training.space import Parameters, Real, Report, Space, Whole, no_report

DEFAULTS: Parameters = {
    "width": 32,
    "depth": 1,
    "bottleneck": 8,
    "dropout": 0.1,
    "epochs": 20,
    "patience": 3,
    "learning_rate": 0.003,
    "weight_decay": 1e-5,
    "trim": 0.2,
}
SPACE: Space = {
    "width": Whole(8, 64, log=True),
    "depth": Whole(1, 3),
    "bottleneck": Whole(2, 16, log=True),
    "dropout": Real(0.0, 0.3),
    "epochs": Whole(3, 40, log=True),
    "patience": Whole(2, 6),
    "learning_rate": Real(5e-4, 1e-2, log=True),
    "weight_decay": Real(1e-6, 1e-2, log=True),
    "trim": Real(0.0, 0.3),
}


def fit(values: NDArray[np.float32], parameters: Parameters, seed: int, *, report: Report = no_report) -> bytes:
    """ONNX graph of an autoencoder fitted on transformed features (n, d); repeats to the bit on one CPU type.

    ``report`` hears the held-out loss after each epoch.
    """
    training = Training(values, parameters, seed)
    while not training.done:
        loss = training.run_epoch(training.network)
        training.conclude_epoch(loss)
        report(training.epochs, loss)
    return training.export()
