"""`make bench-serve`: requests/s, latency and CPU of vigia through Ray Serve and of its peers, same forest, same rows.

Each is started alone, with the bare reference beside it, which is measured before every figure: where the reference
moved, the machine was busy with something else. `--quick`: fewer of them, in two minutes; `--write`: docs/speed.md.
"""

import argparse
import json
import shutil
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tests.bench import serve_peers
from tests.bench.serve_bundle import FEATURES, Twins, make_twins
from tests.bench.serve_peers import Target
from tests.bench.serve_report import Figure, publish_figures
from tests.load import processes
from tests.load.ray_service import RayService, Setup, running
from tests.load.steady import percentile_ms, steady
from tests.load.wrk import Load, drive, require_wrk

JSON, FLOATS = "application/json", "application/octet-stream"
_BODIES = 64  # different ones, so that no branch predictor learns the rows by heart
LEAN, FULL = "vigia", "vigia, all metrics and logs"
_ALL_ON = {"RAY_SERVE_HAPROXY_METRICS_ENABLED": "1", "RAY_SERVE_HAPROXY_NBTHREAD": "4"}
_STEADY_PER_S = 500


@dataclass(frozen=True)
class Cell:
    """Rows a request, connections, media type of the body."""

    rows: int
    connections: int
    kind: str = JSON


@dataclass(frozen=True)
class Plan:
    """What is measured, and for how long each."""

    seconds: float
    peers: tuple[str, ...]
    cells: tuple[Cell, ...]
    binary: tuple[Cell, ...]
    steady_s: float


_SIZES = (1, 64, 1_000)
THOROUGH = Plan(
    seconds=3,
    peers=("FastAPI, scikit-learn", "mlflow models serve", "mlflow models serve, 2 workers"),
    cells=tuple(Cell(n, c) for n in _SIZES for c in (16, 64)),
    binary=tuple(Cell(n, 16, FLOATS) for n in _SIZES),
    steady_s=20,
)
QUICK = Plan(
    seconds=2,
    peers=("mlflow models serve",),
    cells=tuple(Cell(n, 16) for n in (1, 1_000)),
    binary=(Cell(1_000, 16, FLOATS),),
    steady_s=5,
)


class Bench:
    """The figures so far, and the reference that each is set beside."""

    def __init__(self, plan: Plan, reference: Target) -> None:
        self.plan, self.reference, self.figures = plan, reference, list[Figure]()

    def measure(self, target: Target, cell: Cell) -> None:
        """One figure, after a second of warming up and a second of the reference."""
        bare = self._drive(self.reference, Cell(1, 16), 1)
        self._drive(target, cell, 1)
        load = self._drive(target, cell, self.plan.seconds)
        figure = Figure(target.name, cell.rows, cell.connections, cell.kind == FLOATS, load, bare.per_s)
        self.figures.append(figure)
        print(figure.line(), flush=True)

    def _drive(self, target: Target, cell: Cell, seconds: float) -> Load:
        bodies = [_body(cell, target.field, number) for number in range(_BODIES)]
        return drive(target.url, bodies, cell.kind, connections=cell.connections, seconds=seconds, mark=target.mark)


def main() -> None:
    """Measure, print, and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--write", action="store_true", help="replace the tables of docs/speed.md")
    arguments = parser.parse_args()
    require_wrk()
    plan, folder = QUICK if arguments.quick else THOROUGH, Path(tempfile.mkdtemp(prefix="vigia-bench-"))
    try:
        twins = make_twins(folder)
        with _reference(twins, folder) as (peers, reference):
            bench = Bench(plan, reference)
            for name in plan.peers:
                if name in peers:
                    with serve_peers.peer(name, peers[name], twins) as target:
                        _check(target, twins)
                        for cell in plan.cells:
                            bench.measure(target, cell)
            lines = _measure_vigia(bench, twins, arguments.quick)
        publish_figures(bench.figures, lines, write=arguments.write)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _reference(twins: Twins, folder: Path) -> Iterator[tuple[Mapping[str, serve_peers.Command], Target]]:
    python = serve_peers.environment()
    if python is None:
        raise SystemExit("without the environment of the peers there is nothing to measure beside")
    peers = serve_peers.commands(python, twins, folder)
    with serve_peers.peer(serve_peers.REFERENCE, peers[serve_peers.REFERENCE], twins) as target:
        _check(target, twins)
        yield peers, target


def _measure_vigia(bench: Bench, twins: Twins, quick: bool) -> list[str]:
    """Figures of the service in its variants, and lines on steady load and cold start."""
    lines = []
    with running(Setup(twins.bundle)) as service:
        target = _target(service, LEAN)
        _check(target, twins)
        for cell in (*bench.plan.cells, *bench.plan.binary):
            bench.measure(target, cell)
        lines.append(_steady(target, bench.plan.steady_s))
        lines += _second_replica(service, twins)
        target = _target(service, f"{LEAN}, 2 replicas")
        for cell in (*bench.plan.cells, *bench.plan.binary):
            bench.measure(target, cell)
    if not quick:
        with running(Setup(twins.bundle, access_log=True), _ALL_ON) as service:
            for cell in (Cell(1, 16), Cell(1, 64)):
                bench.measure(_target(service, FULL), cell)
    return lines


def _target(service: RayService, name: str) -> Target:
    return Target(name, f"{service.api.url}/predict", "data", service.mark)


def _check(target: Target, twins: Twins) -> None:
    """All answer the same question with the same numbers, or there is nothing to compare."""
    import joblib

    rows = np.array(json.loads(_body(Cell(64, 1), "data", 0))["data"])
    request = urllib.request.Request(target.url, _body(Cell(64, 1), target.field, 0), {"Content-Type": JSON})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.loads(response.read())
    answer = answer.get("predictions", answer)
    expected = -joblib.load(twins.sklearn).score_samples(rows.astype(np.float32))
    assert np.allclose(answer["scores"], expected, atol=1e-5), target.name
    assert answer["alerts"] == (np.array(answer["scores"]) >= twins.threshold).tolist(), target.name


def _body(cell: Cell, field: str, number: int) -> bytes:
    rows = np.random.default_rng([number, cell.rows]).normal(size=(cell.rows, len(FEATURES))).astype("<f4")
    if cell.kind == FLOATS:
        return rows.tobytes()
    return json.dumps({field: np.round(rows.astype(np.float64), 5).tolist()}).encode()


def _steady(target: Target, seconds: float) -> str:
    bodies = [_body(Cell(1, 1), "data", number) for number in range(_BODIES)]
    go: Callable[[], bool] = lambda: False  # noqa: E731  # until the time is over
    answers = steady(target.url, lambda k: bodies[k % _BODIES], per_s=_STEADY_PER_S, until=go, at_most_s=seconds)
    failed = sum(answer.status != 200 for answer in answers)
    middle, high, top = (percentile_ms(answers, q) for q in (50, 99, 100))
    figures = f"P50 {middle:.1f}, P99 {high:.1f}, maximum {top:.1f} ms, {failed} failed"
    return f"steady {_STEADY_PER_S} requests/s for {seconds:g} s, one row, one replica: {figures}"


def _second_replica(service: RayService, twins: Twins) -> list[str]:
    """Cold start: a second replica, from the PUT on; until it bears its name, its process is Ray's affair."""
    before = {state["replica"] for state in service.api.fleet()}
    asked = time.time()
    service.apply(Setup(twins.bundle, deployment={"num_replicas": 2}))
    while len(processes.replicas(service.mark)) < 2:
        time.sleep(0.01)
    named = time.time()
    states = service.wait(lambda found: len(found) == 2)
    routed = time.time()
    loaded = next(state["since"] for state in states if state["replica"] not in before)
    steps = f"Ray gives it a process after {named - asked:.1f} s, its bundle is loaded {loaded - named:.1f} s later"
    return [f"second replica, bundle on this node: {steps}, and it is routed to {routed - loaded:.1f} s after that"]


if __name__ == "__main__":
    main()
