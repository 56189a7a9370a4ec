"""What training writes into a bundle beside what it scores with, and tells of it."""

from pathlib import Path
from typing import Any

from features.storage import read_folder
from flows.workspace import Workspace
from serving.bundle import open_bundle
from serving.holder import Holder
from serving.settings import BundleRef
from tests.serving.service import Service


def test_the_service_knows_units_and_plausible_ranges_from_training(trained: tuple[Workspace, dict[str, Any]]) -> None:
    folder = Path(trained[1]["paths"]["bundle"])
    manifest = open_bundle(read_folder(str(folder))).manifest
    assert manifest.ranges == {"rms": (0.0, 1000.0)}
    holder = Holder()
    holder.wish(BundleRef(folder.as_uri(), folder.name, "m", "1"), BundleRef())
    schema = {column["name"]: column for column in Service(holder).call("GET", "/model").json["schema"]}
    assert schema["rms"] == {"name": "rms", "unit": "g", "low": 0.0, "high": 1000.0}
    assert (schema["spectral_centroid"]["unit"], schema["spectral_centroid"]["low"]) == ("Hz", None)


def test_a_training_tells_whoever_submitted_it_which_model_to_promote(
    trained: tuple[Workspace, dict[str, Any]],
) -> None:
    assert trained[1]["figures"]["model"] == "anomaly-detector"
