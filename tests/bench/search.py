"""`make bench`: a search beside one script that runs the same trials on the same rows in two processes."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from evaluation.calibration import AlertBudget, usual_period
from features.fleet.simulator import FEATURES, Fleet, simulate_fleet
from features.history import NO_HISTORY, scorable
from features.rows import from_table
from features.schema import Schema
from features.split import Split, Window, assign
from training.detectors.registry import family
from training.objective import EPISODE_RECALL, View, objective
from training.scaling import fit_scaling
from training.space import Parameters, no_report
from training.trials import Goal

MIXES = {
    "forests only": ("isolation_forest",),
    "the default mix": ("linear_autoencoder", "extended_forest", "isolation_forest", "autoencoder"),
}
TRIALS = 8
_SHARED: dict[str, Any] = {}


def _data() -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    table = pa.Table.from_batches(simulate_fleet(Fleet(30, 10, 7)))
    table = table.filter(pa.array(np.isfinite(table["rms"].to_numpy())))
    rows = from_table(table, Schema(FEATURES, "series", "timestamp", "label"))
    assigned = assign(rows, Split())
    reference = rows.take((assigned == Window.REFERENCE) & ~rows.anomalous).values[:50_000]
    selection = scorable(rows.take(assigned == Window.SELECTION), NO_HISTORY)
    return {
        "views": {False: View(fit_scaling(reference), reference, selection.expanded())},
        "rows": replace(selection.rows, values=selection.rows.values[:, :0]),
        "budget": AlertBudget(),
        "period_us": usual_period(selection.rows),
    }


def _share(data: dict[str, Any]) -> None:
    os.environ["OMP_NUM_THREADS"] = "1"  # as Ray gives a worker with one CPU; two threads each would be in the way
    _SHARED.update(data)
    _warm(0)


def _run(trial: tuple[str, Mapping[str, Any]]) -> float:
    return objective(*trial, seed=7, report=no_report, **_SHARED).figures[EPISODE_RECALL]


def _ours(data: dict[str, Any], names: tuple[str, ...], folder: Path) -> tuple[float, list[tuple[str, Parameters]]]:
    from training.search import search

    first = [(name, family(name).defaults) for name in names]
    started = time.perf_counter()
    goal, none = Goal(EPISODE_RECALL), nullcontext()
    found = search(objective, data, first=first, trials=TRIALS, goal=goal, seed=7, folder=folder, cluster=none)
    return time.perf_counter() - started, [(trial.family, trial.parameters) for trial in found.trials]


def main() -> None:
    """Print Ray's start, and for each mix the seconds of both and their ratio."""
    os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_AIR_NEW_OUTPUT="0", RAY_AUTH_MODE="token")
    scratch = Path(tempfile.mkdtemp(prefix="vg-", dir="/tmp"))
    token = scratch / "token"
    token.write_text("0" * 64)
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(token)
    import ray  # reads its settings when it is imported

    from flows.adapters.local_ray import running_ray

    data = _data()
    started = time.perf_counter()
    try:
        with running_ray(scratch / "r", cpus=2):
            ray.get([ray.remote(num_cpus=1)(_warm).remote(number) for number in range(2)])
            print(f"Ray's start, with the imports of two workers: {time.perf_counter() - started:.1f} s")
            for what, names in MIXES.items():
                ours, trials = _ours(data, names, scratch / what.replace(" ", "-"))
                with ProcessPoolExecutor(2, initializer=_share, initargs=(data,)) as pool:
                    list(pool.map(_warm, range(2)))
                    began = time.perf_counter()
                    list(pool.map(_run, trials))
                    script = time.perf_counter() - began
                print(f"ratio {ours / script:.2f} vigia over one script, {what} ({ours:.1f} s and {script:.1f} s)")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _warm(_number: int) -> None:
    """Import what a trial needs, which is no part of a search; then wait for the other process to be up."""
    for name in MIXES["the default mix"]:
        family(name)
    time.sleep(0.5)


if __name__ == "__main__":
    sys.exit(main())
