"""``python -m tests.manifests.checking [overlay …]``: what is wrong with the manifests, a line each; then exit 1."""

import os
import sys
from collections.abc import Iterator

from tests.manifests.checking import prometheus, rendering, schemas, yaml_style
from tests.manifests.checking.rules import check, rules_of


def main(overlays: list[str]) -> int:
    """With VIGIA_REQUIRE_SYSTEM_PACKAGES=1 it is a fault, too, when there is nothing to check a part with."""
    missing = list(_missing())
    for reason in missing + ([] if rendering.kubectl() else [rendering.NO_KUBECTL]):
        print(f"left out: {reason}", file=sys.stderr)
    found = [line for overlay in overlays or rendering.FOLDERS for line in _lines(overlay)]
    found += yaml_style.faults(rendering.ROOT)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(found)} findings", file=sys.stderr)
    required = os.environ.get("VIGIA_REQUIRE_SYSTEM_PACKAGES") == "1"
    return 1 if found or (missing and required) else 0


def _lines(overlay: str) -> Iterator[str]:
    try:
        documents = rendering.checkable(overlay)
    except (rendering.DoesNotBuild, FileNotFoundError) as error:
        yield f"{overlay}: {error}"
        return
    for finding in check(documents, rules_of(overlay)):
        yield f"{overlay} {finding}"


def _missing() -> Iterator[str]:
    if schemas.schema_folder() is None:
        yield schemas.MISSING
    if prometheus.promtool() is None:
        yield prometheus.MISSING


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
