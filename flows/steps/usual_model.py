"""Which registered model a command means that names none."""

from features.errors import InputError
from flows.adapters.registry import Registry
from flows.config.train import TrainConfig


def usual_model(registry: Registry) -> str:
    """The name of the default configuration where it is registered or nothing is, else the only name there is.

    Raises InputError where several could be meant.
    """
    names, usual = registry.models(), TrainConfig().model
    if not names or usual in names:
        return usual
    if len(names) > 1:
        raise InputError("--model", f"must name one of the registered models: {', '.join(names)}")
    return names[0]
