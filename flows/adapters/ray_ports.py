"""A port of its own for the agent of each Ray that this process starts."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from ray._private import parameter


@contextmanager
def own_agent_port() -> Iterator[None]:
    """Within it, ``ray.init`` gives the agent of its node a free port, and not the one that all Rays ask for.

    An agent whose port is taken never answers, and jobs are submitted through it: a service that was started while
    another Ray ran on the machine took none until it was started again. `ray start` has an option for the port,
    ``ray.init`` has not.
    """
    original = parameter.RayParams
    parameter.RayParams = partial(original, dashboard_agent_listen_port=0)
    try:
        yield
    finally:
        parameter.RayParams = original
