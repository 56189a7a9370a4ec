"""Epochs of an MLP autoencoder: what one process, or several together, do until it is trained."""

from itertools import pairwise
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.export.dense import export_autoencoder
from training.space import Parameters

_BATCH = (32, 512)  # rows, at least and at most
_BATCHES = 64  # of an epoch, where that leaves batches inside those bounds: short tables need steps too
_CLIP = 10.0  # in training only: one wild value must not own the gradient
_HELD_OUT = 10  # one row in ten
_HELD_OUT_TRIM = 0.2  # the same in every trial, since their losses are compared
_WORTH = 0.999  # a loss that is not at least 0.1 % lower is no improvement


class Training:
    """A fit that can stop after any epoch, and go on from ``state`` as if it had not stopped.

    Each side of the bottleneck has ``depth`` hidden layers, the outermost ``width`` wide, each next one half as wide. A
    seeded tenth of the rows is held out: training ends when their loss has not improved for ``patience`` epochs, or
    after ``epochs``, and the best epoch counts. The share ``trim`` of the worst rows of a batch does not count, nor do
    the worst fifth of the rows held out.
    """

    def __init__(self, values: NDArray[np.float32], parameters: Parameters, seed: int) -> None:
        torch.set_num_threads(1)
        torch.manual_seed(seed)
        self._parameters, self._seed = parameters, seed
        rows = torch.from_numpy(np.clip(values, -_CLIP, _CLIP))
        order, held = torch.randperm(len(rows)), len(rows) // _HELD_OUT
        self._rows, self._held_out = rows[order[held:]], rows[order[: held or None]]
        self.network = _network(values.shape[1], parameters)
        self._optimizer = torch.optim.AdamW(
            self.network.parameters(), parameters["learning_rate"], weight_decay=parameters["weight_decay"]
        )
        self.epochs, self._best_epoch, self._best_loss = 0, 0, float("inf")
        self._best = self._weights()

    @property
    def done(self) -> bool:
        """Whether no further epoch is due."""
        waited = self.epochs - self._best_epoch
        return self.epochs >= self._parameters["epochs"] or waited >= self._parameters["patience"]

    def run_epoch(self, network: nn.Module, rank: int = 0, workers: int = 1) -> float:
        """Train on one worker's share of the rows and return the held-out loss.

        network: ours, or what wraps it so that gradients are averaged over the workers.
        """
        shuffled = torch.randperm(len(self._rows), generator=torch.Generator().manual_seed(self._draw(0)))
        torch.manual_seed(self._draw(1 + rank))  # for dropout
        batch = min(max(len(self._rows) // _BATCHES, _BATCH[0]), _BATCH[1]) // workers
        self.network.train()
        # Every worker has as many batches as the others, since they wait for each other at each.
        for rows in torch.split(shuffled[rank::workers][: len(shuffled) // workers], max(1, batch)):
            self._optimizer.zero_grad()
            torch.autograd.backward(_loss(network, self._rows[rows], self._parameters["trim"]))
            self._optimizer.step()
        self.network.eval()
        with torch.no_grad():
            return _loss(self.network, self._held_out, _HELD_OUT_TRIM).item()

    def conclude_epoch(self, loss: float) -> None:
        """Count an epoch, with the loss that all workers agree on."""
        self.epochs += 1
        if loss < self._best_loss * _WORTH:
            self._best_epoch, self._best_loss, self._best = self.epochs, loss, self._weights()

    def export(self) -> bytes:
        """ONNX graph of the best epoch."""
        parts = [part.numpy() for part in self._best.values()]
        weights = list(zip(parts[::2], parts[1::2], strict=True))
        side = len(weights) // 2
        return export_autoencoder(weights, relu_after={*range(2 * side - 1)} - {side - 1})

    @property
    def state(self) -> dict[str, Any]:
        """Tensors and numbers that torch.load reads with weights_only."""
        return {
            "network": self.network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "best": self._best,
            "progress": [self.epochs, self._best_epoch, self._best_loss],
        }

    @state.setter
    def state(self, state: dict[str, Any]) -> None:
        self.network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._best = state["best"]
        self.epochs, self._best_epoch, self._best_loss = state["progress"]

    def _weights(self) -> dict[str, Tensor]:
        return {name: tensor.clone() for name, tensor in self.network.state_dict().items()}

    def _draw(self, purpose: int) -> int:
        return int(np.random.SeedSequence((self._seed, self.epochs, purpose)).generate_state(1)[0])


def _loss(network: nn.Module, rows: Tensor, trim: float) -> Tensor:
    errors: Tensor = ((network(rows) - rows) ** 2).mean(dim=1)
    kept = max(1, round(len(errors) * (1 - trim)))
    return errors.topk(kept, largest=False).values.mean()


def _network(d: int, parameters: Parameters) -> nn.Sequential:
    hidden = [max(1, int(parameters["width"]) >> level) for level in range(int(parameters["depth"]))]
    sizes = [d, *hidden, int(parameters["bottleneck"]), *reversed(hidden), d]
    layers: list[nn.Module] = []
    for k, (before, after) in enumerate(pairwise(sizes)):
        layers.append(nn.Linear(before, after))
        if k not in (len(hidden), len(sizes) - 2):
            layers += [nn.ReLU(), nn.Dropout(parameters["dropout"])]
    return nn.Sequential(*layers)
