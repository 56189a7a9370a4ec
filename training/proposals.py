"""The Optuna door: proposals by TPE from the spaces of several families, their defaults first."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import optuna
from optuna.samplers import TPESampler
from ray.tune.search import ConcurrencyLimiter, Searcher
from ray.tune.search.optuna import OptunaSearch

from training.detectors.registry import family
from training.space import Choice, Parameters, Whole

WORTH = "worth"
"""Name of what is maximised."""
_FREE = 3  # draws before TPE has something to learn from, beside the defaults


def make_proposer(families: Sequence[str], seed: int, batch: int) -> Searcher:
    """Proposes configurations for ``decode``; learns when all ``batch`` of them are done."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    algorithm = OptunaSearch(
        space=partial(_suggest, tuple(families)),
        metric=WORTH,
        mode="max",
        points_to_evaluate=[_encode(name, family(name).defaults) for name in families],
        sampler=TPESampler(seed=seed, n_startup_trials=len(families) + _FREE),
    )
    return ConcurrencyLimiter(algorithm, max_concurrent=batch, batch=True)


def decode(config: Mapping[str, Any]) -> tuple[str, Parameters]:
    """Family and parameters of a proposal."""
    name = config["family"]
    return name, {key.removeprefix(f"{name}."): value for key, value in config.items() if key.startswith(f"{name}.")}


def _suggest(families: Sequence[str], trial: optuna.Trial) -> None:
    chosen = trial.suggest_categorical("family", list(families))
    for name, range_ in family(chosen).space.items():
        key = f"{chosen}.{name}"
        if isinstance(range_, Choice):
            trial.suggest_categorical(key, list(range_.options))
        elif isinstance(range_, Whole):
            trial.suggest_int(key, range_.low, range_.high, log=range_.log)
        else:
            trial.suggest_float(key, range_.low, range_.high, log=range_.log)


def _encode(name: str, parameters: Parameters) -> dict[str, Any]:
    return {"family": name} | {f"{name}.{key}": value for key, value in parameters.items()}
