"""``python -m tests.manifests.checking [overlay …]``: what is wrong with the manifests, a line each; then exit 1."""

import os
import sys
from collections.abc import Iterator

from tests.manifests.checking import prometheus, rendering, schemas, yaml_style
from tests.manifests.checking.rules import check, rules_of


def main(overlays: list[str]) -> int:
    """What there is nothing to check with is left out, which is a fault where its variable is 1."""
    missing = dict(_missing())
    for reason in [*missing, *([] if rendering.kubectl() else [rendering.NO_KUBECTL])]:
        print(f"left out: {reason}", file=sys.stderr)
    found = [line for overlay in overlays or rendering.FOLDERS for line in _lines(overlay)]
    found += yaml_style.faults(rendering.ROOT)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(found)} findings", file=sys.stderr)
    required = any(os.environ.get(variable) == "1" for variable in missing.values())
    return 1 if found or required else 0


def _lines(overlay: str) -> Iterator[str]:
    try:
        documents = rendering.checkable(overlay)
    except (rendering.DoesNotBuild, FileNotFoundError) as error:
        yield f"{overlay}: {error}"
        return
    for finding in check(documents, rules_of(overlay)):
        yield f"{overlay} {finding}"


def _missing() -> Iterator[tuple[str, str]]:
    """Reason, and the variable that makes it a fault."""
    if schemas.schema_folder() is None:
        yield schemas.MISSING, "VIGIA_REQUIRE_SCHEMAS"
    if prometheus.promtool() is None:
        yield prometheus.MISSING, "VIGIA_REQUIRE_SYSTEM_PACKAGES"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
