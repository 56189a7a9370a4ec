"""MLP autoencoder: rows that a narrow network cannot rebuild are anomalous.

Score: mean squared error over features, in squared robust standard deviations. Long training on contaminated rows
teaches it the anomalies too, so the worst rows of each batch are left out of the loss and epochs are few.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from training.export.dense import export_autoencoder
from training.space import Parameters, Real, Space, Whole

DEFAULTS: Parameters = {"width": 32, "bottleneck": 4, "epochs": 8, "learning_rate": 0.003, "trim": 0.05}
SPACE: Space = {
    "width": Whole(8, 64, log=True),
    "bottleneck": Whole(2, 8),
    "epochs": Whole(3, 12),
    "learning_rate": Real(5e-4, 1e-2, log=True),
    "trim": Real(0.0, 0.2),
}
_BATCH = 512
_CLIP = 10.0  # in training only: one wild value must not own the gradient


def fit(values: NDArray[np.float32], parameters: Parameters, seed: int) -> bytes:
    """ONNX graph of an autoencoder fitted on transformed features (n, d); repeats to the bit on one CPU type."""
    width, bottleneck = int(parameters["width"]), int(parameters["bottleneck"])
    rate, trim = parameters["learning_rate"], parameters["trim"]
    torch.set_num_threads(1)
    torch.manual_seed(seed)
    d = values.shape[1]
    layers = [nn.Linear(d, width), nn.Linear(width, bottleneck), nn.Linear(bottleneck, width), nn.Linear(width, d)]
    network = nn.Sequential(layers[0], nn.ReLU(), layers[1], layers[2], nn.ReLU(), layers[3])
    optimizer = torch.optim.Adam(network.parameters(), lr=rate)
    data = torch.from_numpy(np.clip(values, -_CLIP, _CLIP))
    for _ in range(int(parameters["epochs"])):
        for batch in torch.split(torch.randperm(len(data)), _BATCH):
            rows = data[batch]
            errors = ((network(rows) - rows) ** 2).mean(dim=1)
            kept = max(1, round(len(errors) * (1 - trim)))
            loss = errors.topk(kept, largest=False).values.mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    weights = [(layer.weight.detach().numpy(), layer.bias.detach().numpy()) for layer in layers]
    return export_autoencoder(weights, relu_after=(0, 2))
