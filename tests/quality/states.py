"""Records under stated or random conditions over many simulated machines: what tests, fit and tables compare."""

from collections.abc import Sequence

import numpy as np

from features.fleet.energy import State, component_energies, make_state
from features.fleet.faults import MACHINE_FAULTS
from features.fleet.machine import make_machine, make_site


def states(
    *,
    seed: int = 1,
    machines: int = 12,
    each: int = 10,
    axes: Sequence[int] = (0, 1, 2),
    kind: str | None = None,
    size: float = 0.0,
    load: float = 0.7,
    speed: float = 1.0,
    clip: float = np.inf,
) -> State:
    """``each`` records at each of ``axes`` of the first sensor of each machine, in that order.

    kind, size: machine fault as felt there; load: share of the rated load; speed: share of full speed, 0 for a stop;
    clip: range of the sensor by the level of the record.
    """
    rng = np.random.default_rng([seed, 5])
    parts = []
    for index in range(machines):
        machine = make_machine(seed, index)
        site = make_site(seed, machine, 1)
        sizes = np.zeros((len(MACHINE_FAULTS), each))
        if kind:
            sizes[MACHINE_FAULTS.index(kind)] = size
        shaft, mild = np.full(each, machine.speed_hz * speed), np.full(each, 18.0)
        for axis in axes:
            energies = component_energies(
                machine,
                site,
                axis,
                speed_hz=shaft,
                load=np.full(each, load if speed else 0.0),
                temperature_c=mild,
                sizes=sizes,
                tonal=rng.normal(0, 0.06, each),
                noisy=rng.normal(0, 0.06, each),
            )
            parts.append(make_state(machine, energies, shaft, mild, clip * np.sqrt(energies.sum(axis=0))))
    return _joined(parts)


def random_states(seed: int, machines: int, records: int) -> State:
    """``machines`` · ``records`` records: any speed, load, temperature, fault up to 1.1; one in seven clipped."""
    rng = np.random.default_rng(seed)
    parts = [_random_state(rng, seed, index, records) for index in range(machines)]
    return _joined(parts)


def _random_state(rng: np.random.Generator, seed: int, index: int, n: int) -> State:
    machine = make_machine(seed, index)
    site = make_site(seed, machine, 1)
    sizes = np.zeros((len(MACHINE_FAULTS), n))
    kind, healthy = rng.integers(len(MACHINE_FAULTS), size=n), rng.random(n) < 0.4
    sizes[kind, np.arange(n)] = np.where(healthy, 0, rng.uniform(0, 1.1, n))
    stopped = rng.random(n) < 0.05
    speed = np.where(stopped, 0, machine.speed_hz * rng.uniform(0.65, 1.02, n))
    temperature = rng.uniform(8, 35, n)
    energies = component_energies(
        machine,
        site,
        int(rng.integers(3)),
        speed_hz=speed,
        load=np.where(stopped, 0, rng.uniform(0.15, 1.2, n)),
        temperature_c=temperature,
        sizes=sizes,
        tonal=rng.normal(0, 0.1, n),
        noisy=rng.normal(0, 0.1, n),
    )
    level = np.sqrt(energies.sum(axis=0))
    reach = np.where(rng.random(n) < 1 / 7, level * rng.uniform(0.55, 3.0, n), np.inf)
    return make_state(machine, energies, speed, temperature, reach)


def _joined(parts: Sequence[State]) -> State:
    return State(**{k: np.concatenate([part.columns()[k] for part in parts], axis=-1) for k in parts[0].columns()})
