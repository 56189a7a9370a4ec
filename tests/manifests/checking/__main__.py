"""``python -m tests.manifests.checking [overlay …]``: what is wrong with the manifests, a line each; then exit 1."""

import sys
from collections.abc import Iterator

from tests.manifests.checking import prometheus, rendering, schemas, yaml_style
from tests.manifests.checking.rules import FOR_A_PART, RULES, check


def main(overlays: list[str]) -> int:
    for reason in _left_out():
        print(f"left out: {reason}", file=sys.stderr)
    found = [line for overlay in overlays or rendering.FOLDERS for line in _lines(overlay)]
    found += yaml_style.faults(rendering.ROOT)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{len(found)} findings", file=sys.stderr)
    return 1 if found else 0


def _lines(overlay: str) -> Iterator[str]:
    try:
        documents = rendering.rendered(overlay)
    except (rendering.DoesNotBuild, FileNotFoundError) as error:
        yield f"{overlay}: {error}"
        return
    for finding in check(documents, RULES if rendering.is_whole(overlay) else FOR_A_PART):
        yield f"{overlay} {finding}"


def _left_out() -> Iterator[str]:
    if rendering.kubectl() is None:
        yield rendering.NO_KUBECTL
    if schemas.schema_folder() is None:
        yield schemas.MISSING
    if prometheus.promtool() is None:
        yield prometheus.MISSING


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
