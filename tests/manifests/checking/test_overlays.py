"""What a cluster gets keeps every rule, and so does what people create in it by hand."""

import pytest

from tests.manifests.checking.rendering import CLUSTERS, FOLDERS, ROOT, checkable
from tests.manifests.checking.rules import check, rules_of
from tests.manifests.checking.yaml_style import faults, yaml_files

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:ray")  # of Ray Serve's own schema


@pytest.mark.parametrize("overlay", FOLDERS)
def test_an_overlay_has_no_finding(overlay: str) -> None:
    assert [str(finding) for finding in check(checkable(overlay), rules_of(overlay))] == []


@pytest.mark.parametrize("overlay", CLUSTERS)
def test_the_job_that_promotes_is_checked_with_what_it_names(overlay: str) -> None:
    assert [job.name for job in checkable(overlay).of("Job") if job.name == "promote-"]


def test_yaml_that_people_write_has_one_style() -> None:
    assert ROOT / "manifests/base/ray-service/rayservice.yaml" in yaml_files(ROOT)
    assert faults(ROOT) == []
