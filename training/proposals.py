"""The Optuna door: proposals by TPE from the spaces of several families, their defaults first."""

from collections.abc import Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

import optuna
from optuna.samplers import TPESampler
from ray.tune.search import ConcurrencyLimiter, Searcher
from ray.tune.search.optuna import OptunaSearch

from training.detectors.registry import family
from training.space import Choice, Parameters, Space, Whole

WORTH = "worth"
"""Name of what is maximised."""
_FREE = 3  # draws before TPE has something to learn from, beside the defaults


def make_proposer(
    first: Sequence[tuple[str, Parameters]], seed: int, batch: int, common: Space = MappingProxyType({})
) -> Searcher:
    """Proposes configurations for ``decode``; learns when all ``batch`` of them are done.

    first: families with the parameters of their first trials, to begin with; common: parameters of every family.
    """
    families = tuple(dict.fromkeys(name for name, _ in first))
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    algorithm = OptunaSearch(
        space=partial(_suggest, families, dict(common)),
        metric=WORTH,
        mode="max",
        points_to_evaluate=[_encode(name, parameters) for name, parameters in first],
        sampler=TPESampler(seed=seed, n_startup_trials=len(first) + _FREE),
    )
    return ConcurrencyLimiter(algorithm, max_concurrent=batch, batch=True)


def decode(config: Mapping[str, Any]) -> tuple[str, Parameters]:
    """Family and parameters of a proposal."""
    name = config["family"]
    return name, {key.removeprefix(f"{name}."): value for key, value in config.items() if key.startswith(f"{name}.")}


def _suggest(families: Sequence[str], common: Space, trial: optuna.Trial) -> None:
    chosen = trial.suggest_categorical("family", list(families))
    for name, range_ in {**family(chosen).space, **common}.items():
        key = f"{chosen}.{name}"
        if isinstance(range_, Choice):
            trial.suggest_categorical(key, list(range_.options))
        elif isinstance(range_, Whole):
            trial.suggest_int(key, range_.low, range_.high, log=range_.log)
        else:
            trial.suggest_float(key, range_.low, range_.high, log=range_.log)


def _encode(name: str, parameters: Parameters) -> dict[str, Any]:
    return {"family": name} | {f"{name}.{key}": value for key, value in parameters.items()}
