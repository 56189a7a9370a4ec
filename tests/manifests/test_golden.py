"""What kustomize builds stands in the repository, so that a review shows what a change means for a cluster."""

import pytest

from tests.manifests.checking.documents import load_all
from tests.manifests.checking.golden import golden_text
from tests.manifests.checking.rendering import FOLDERS, golden_file, is_whole, kubectl

WHOLE = [overlay for overlay in FOLDERS if is_whole(overlay)]


def test_minikube_aws_and_argo_cd_are_built() -> None:
    assert {"minikube", "aws", "argocd"} <= set(WHOLE)


@pytest.mark.parametrize("overlay", WHOLE)
def test_the_golden_file_is_what_kustomize_builds(overlay: str) -> None:
    if kubectl() is None:
        pytest.skip("kubectl is not installed: the golden files are taken as they are")
    assert golden_file(overlay).read_text() == golden_text(overlay), "`make golden` writes it anew"


@pytest.mark.parametrize("overlay", WHOLE)
def test_a_golden_file_reads_by_line(overlay: str) -> None:
    """A text of many lines is a block, not one line with escapes, so that a diff shows the lines that change."""
    text = golden_file(overlay).read_text()
    assert load_all(text)
    lines = [line for line in text.splitlines() if not line.lstrip().startswith('{"')]  # a panel of a dashboard is JSON
    assert not [line[:100] for line in lines if line.count("\\n") > 2]
