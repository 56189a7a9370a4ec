"""Tables of the pages are whole, and troubleshooting has rows for every component."""

import pytest

from tests.docs.pages import PAGES, ROOT, Page

TROUBLESHOOTING = Page(ROOT / "docs" / "TROUBLESHOOTING.md")
STORES = "MLflow, PostgreSQL and the S3 store"
SECTIONS = {
    "argocd": "Argo CD",
    "backups": STORES,
    "istio": "Gateway, routes and tokens",
    "minio-mlflow": STORES,
    "mlflow": STORES,
    "monitoring": "Monitoring",
    "namespace": "Namespace and Pod Security",
    "network-policies": "NetworkPolicies",
    "postgres-mlflow": STORES,
    "ray-cluster": "ray-cluster",
    "ray-service": "RayService",
    "schedules": "Jobs and schedules",
    "secrets": "Secrets",
    "templates": "Jobs and schedules",
}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_each_row_has_as_many_cells_as_the_head(page: Page) -> None:
    for head, *rows in page.tables:
        assert {len(row) for row in rows} <= {len(head)}, head


def test_each_folder_of_manifests_has_its_section_in_troubleshooting() -> None:
    folders = {path.name for path in (ROOT / "manifests" / "base").iterdir() if path.is_dir()}
    assert folders | {"argocd", "templates"} == SECTIONS.keys()
    for name, heading in SECTIONS.items():
        assert TROUBLESHOOTING.section(heading).count("\n| ") > 3, name


def test_troubleshooting_says_symptom_cause_and_command_in_each_row() -> None:
    for head, *rows in TROUBLESHOOTING.tables:
        assert head == ["symptom", "cause", "command"]
        assert rows == [row for row in rows if all(row)]
