"""``python -m tests.manifests.checking.golden``: keep what kustomize builds, so that a review shows what changes."""

from tests.manifests.checking.rendering import FOLDERS, build, golden_file, is_whole

HEADER = "# What `kubectl kustomize` builds; `make golden` writes it.\n"


def golden_text(overlay: str) -> str:
    return HEADER + build(FOLDERS[overlay])


if __name__ == "__main__":
    for overlay in filter(is_whole, FOLDERS):
        golden_file(overlay).parent.mkdir(exist_ok=True)
        golden_file(overlay).write_text(golden_text(overlay))
        print(golden_file(overlay))
