"""Two Rays on one machine: what Ray must still let us say."""

import pytest
from ray._private import parameter

from flows.adapters.ray_ports import own_agent_port


def test_an_agent_asks_for_any_free_port_within_and_for_the_common_one_outside() -> None:
    common = parameter.RayParams().dashboard_agent_listen_port
    with own_agent_port():
        assert parameter.RayParams(num_cpus=1).dashboard_agent_listen_port == 0
    with pytest.raises(RuntimeError, match="did not start"), own_agent_port():
        raise RuntimeError("did not start")
    assert parameter.RayParams().dashboard_agent_listen_port == common != 0
