"""The Ray Train door: one autoencoder fitted by several processes that survive the loss of one."""

import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import ray
import torch
from numpy.typing import NDArray
from ray import train
from ray.exceptions import RayError
from ray.train.torch import TorchConfig, TorchTrainer, prepare_model

from features.errors import UnreachableError
from training.epochs import Training
from training.space import Parameters

_FILE = "training.pt"
_MAX_FAILURES = 3
# Read when a fit starts: a report waits until workers are next asked for theirs, by default every two seconds.
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")


def fit_distributed(
    values: NDArray[np.float32], parameters: Parameters, seed: int, *, workers: int, storage: Path
) -> bytes:
    """ONNX graph of training.detectors.autoencoder fitted by ``workers`` processes of one CPU each.

    Needs a running Ray with as many CPUs, else it waits for them. Every epoch leaves a checkpoint in ``storage``, which
    all nodes must see; after a worker is lost all begin again at the last one, up to three times. The result depends on
    the number of workers but not on such losses, and the same call goes on where an earlier one was cut off. Raises
    UnreachableError when workers are lost more often than that.
    """
    trainer = TorchTrainer(
        _work,
        train_loop_config={"values": ray.put(values), "parameters": dict(parameters), "seed": seed},
        torch_config=TorchConfig(backend="gloo"),
        scaling_config=train.ScalingConfig(num_workers=workers, resources_per_worker={"CPU": 1}),
        run_config=train.RunConfig(
            name=_name(values, parameters, seed, workers),  # of another fit no checkpoint must be found
            storage_path=str(storage.absolute()),
            failure_config=train.FailureConfig(max_failures=_MAX_FAILURES),
            checkpoint_config=train.CheckpointConfig(num_to_keep=2),
        ),
    )
    logging.getLogger("ray.train").setLevel(logging.ERROR)
    try:
        model = trainer.fit().return_value
    except (train.TrainingFailedError, RayError) as error:
        raise UnreachableError(f"the distributed fit failed: {str(error).strip().splitlines()[-1]}") from error
    assert isinstance(model, bytes)
    return model


def _work(config: dict[str, Any]) -> bytes:
    """One worker's part; every worker ends with the same weights."""
    context = train.get_context()
    rank, workers = context.get_world_rank(), context.get_world_size()
    training = Training(ray.get(config["values"]), config["parameters"], config["seed"])
    checkpoint = train.get_checkpoint()
    if checkpoint:
        with checkpoint.as_directory() as folder:
            training.state = torch.load(Path(folder, _FILE), weights_only=True)
    network = prepare_model(training.network)
    while not training.done:
        loss = torch.tensor(training.run_epoch(network, rank, workers), dtype=torch.float64)
        torch.distributed.broadcast(loss, src=0)  # or workers on other CPU types might disagree on when to end
        training.conclude_epoch(loss.item())
        _report(training, loss.item(), rank)
    return training.export()


def _report(training: Training, loss: float, rank: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = None
        if rank == 0:
            torch.save(training.state, Path(folder, _FILE))
            checkpoint = train.Checkpoint.from_directory(folder)
        train.report({"epoch": training.epochs, "loss": loss}, checkpoint=checkpoint)


def _name(values: NDArray[np.float32], parameters: Parameters, seed: int, workers: int) -> str:
    asked = json.dumps([dict(sorted(parameters.items())), seed, workers, values.shape]).encode()
    return f"fit-{hashlib.sha256(asked + np.ascontiguousarray(values).tobytes()).hexdigest()[:16]}"
