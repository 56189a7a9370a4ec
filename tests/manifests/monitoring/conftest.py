"""What the tests of rules and dashboards share."""

from pathlib import Path

import pytest

from serving.exposition import families
from serving.prediction_log import PredictionLog
from serving.telemetry import Family, Telemetry
from tests.manifests.monitoring.files import of_others, recorded
from tests.serving.service import publish, serve


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Names of all metrics that exist, ours as a serving replica defines them."""
    holder = serve(publish(tmp_path_factory.mktemp("bundles")))
    ours = families(Telemetry(), holder, PredictionLog("r", Path("/nowhere")))
    return frozenset({*of_others(), *recorded(), *(name for family in ours for name in _names(family))})


def _names(family: Family) -> list[str]:
    """As serving.ray_metrics publishes it: a histogram as counters."""
    name = f"ray_vigia_{family.name}"
    if family.kind == "histogram":
        return [f"{name}_{part}_total" for part in ("bucket", "sum", "count")]
    return [f"{name}_total" if family.kind == "counter" else name]
