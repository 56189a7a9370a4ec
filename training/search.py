"""The Ray Tune and Optuna door: propose, evaluate and rank trials so that the same seed gives the same table.

Proposals come in fixed batches (the size does not depend on the machine), results are read in trial order, and ties go
to the lowest number.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import optuna
from optuna.samplers import TPESampler
from ray import tune
from ray.tune.search import ConcurrencyLimiter
from ray.tune.search.optuna import OptunaSearch

from features.errors import VigiaError
from training.detectors.registry import family
from training.space import Choice, Parameters, Whole

BATCH = 2
FIGURES = ("average_precision", "auroc", "fit_s")


@dataclass(frozen=True)
class Trial:
    """One evaluated configuration; ``error`` instead of figures where it failed."""

    number: int
    family: str
    parameters: Parameters
    figures: Mapping[str, float]
    error: str = ""


def search(
    objective: Callable[..., Mapping[str, float]],
    data: Mapping[str, Any],
    *,
    families: Sequence[str],
    trials: int,
    metric: str,
    seed: int,
    storage: Path,
    on_trial: Callable[[int], None],
) -> list[Trial]:
    """Evaluate ``objective(family, parameters, seed=…, **data)`` in Ray workers; a running Ray is needed.

    The first trials are the families' defaults, the rest are proposed by TPE to maximise ``metric``. ``data`` goes to
    the object store once. ``on_trial(done)`` is called as trials end.
    """

    def trainable(config: dict[str, Any], **shared: Any) -> dict[str, float]:
        name, parameters = _decode(config)
        return dict(objective(name, parameters, seed=seed, **shared))

    logging.getLogger("ray.tune").setLevel(logging.ERROR)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    algorithm = OptunaSearch(
        space=partial(_suggest, tuple(families)),  # picklable: Tune saves the searcher's state
        metric=metric,
        mode="max",
        points_to_evaluate=[_encode(name, family(name).defaults) for name in families],
        sampler=TPESampler(seed=seed, n_startup_trials=len(families) + 3),
    )
    tuner = tune.Tuner(
        tune.with_parameters(trainable, **data),
        tune_config=tune.TuneConfig(
            search_alg=ConcurrencyLimiter(algorithm, max_concurrent=BATCH, batch=True),
            num_samples=trials,
            reuse_actors=True,
        ),
        run_config=tune.RunConfig(name="search", storage_path=str(storage), verbose=0, callbacks=[_Counter(on_trial)]),
    )
    return [_trial(number, result, metric) for number, result in enumerate(tuner.fit())]


def best(trials: Sequence[Trial], metric: str) -> Trial:
    """The trial with the highest metric, the lowest number among equals. Raises VigiaError when every trial failed."""
    finished = [trial for trial in trials if not trial.error]
    if not finished:
        raise VigiaError(f"all {len(trials)} trials failed; the first: {trials[0].error if trials else 'none ran'}")
    return max(finished, key=lambda trial: (trial.figures[metric], -trial.number))


def _trial(number: int, result: tune.Result, metric: str) -> Trial:
    name, parameters = _decode(result.config or {})
    figures = {key: value for key, value in (result.metrics or {}).items() if key in FIGURES}
    error = str(result.error).strip().splitlines()[-1] if result.error else ""
    if not error and metric not in figures:
        error = f"reported no {metric}"
    return Trial(number, name, parameters, figures, error)


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


def _decode(config: Mapping[str, Any]) -> tuple[str, Parameters]:
    name = config["family"]
    return name, {key.removeprefix(f"{name}."): value for key, value in config.items() if key.startswith(f"{name}.")}


class _Counter(tune.Callback):  # type: ignore[misc]  # Ray has no types
    """Tells how many trials have ended, well or not."""

    def __init__(self, on_trial: Callable[[int], None]) -> None:
        self._on_trial, self._done = on_trial, 0

    def on_trial_complete(self, *_: Any, **__: Any) -> None:
        self._done += 1
        self._on_trial(self._done)

    on_trial_error = on_trial_complete
