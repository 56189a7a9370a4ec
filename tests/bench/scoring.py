"""`make bench`: the bundle's graph beside scikit-learn on the same forest and rows, in one process, as a ratio."""

import statistics
import time
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import IsolationForest

from serving.graph import Graph
from training.export.trees import export_isolation_forest


def _seconds(work: Callable[[], object], repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        work()
    return (time.perf_counter() - started) / repeats


def main() -> None:
    """Print the median ratio over seven interleaved pairs for 1, 64 and 1,000 rows."""
    rng = np.random.default_rng(0)
    forest = IsolationForest(n_estimators=100, random_state=0).fit(rng.normal(size=(20_000, 10)).astype(np.float32))
    graph = Graph(export_isolation_forest(forest))
    for rows, repeats in ((1, 50), (64, 20), (1_000, 10)):
        values = rng.normal(size=(rows, 10)).astype(np.float32)
        pairs = [
            (
                _seconds(lambda v=values: forest.score_samples(v), repeats),  # type: ignore[misc]
                _seconds(lambda v=values: graph.score(v), repeats),  # type: ignore[misc]
            )
            for _ in range(7)
        ]
        ratio = statistics.median(theirs / ours for theirs, ours in pairs)
        ours = statistics.median(ours for _, ours in pairs)
        print(f"ratio {ratio:.1f} scikit-learn over vigia, {rows} rows ({ours * 1e6:.0f} us)")


if __name__ == "__main__":
    main()
