"""Rule: an image is one image for ever: a tag other than latest, or a digest."""

import re
from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pods import pods

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_TAG = re.compile(r":(?P<tag>[\w][\w.-]{0,127})$")
OURS = ("vigia-train", "vigia-serve", "vigia-ops")  # in templates; `vigia submit` fills in the digest


def image_pinned(documents: Documents) -> Iterator[Finding]:
    for pod in pods(documents):
        for path, container in pod.containers():
            image = str(container.get("image") or "")
            if pod.owner.template and image in OURS:
                continue
            if not _is_pinned(image):
                yield pod.owner.finding(f"{path}.image", "pinned by a tag other than latest, or a digest", image)


def _is_pinned(image: str) -> bool:
    if "@" in image:
        return bool(_DIGEST.search(image))
    tag = _TAG.search(image)
    return tag is not None and tag["tag"] != "latest"
