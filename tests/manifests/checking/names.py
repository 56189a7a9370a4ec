"""Rule: names are no longer, and of no other letters, than what is made of them allows."""

import re
from collections.abc import Iterator

from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding

# KubeRay appends "-serve-svc" to a cluster's name and five letters with a dash to that of a service or job.
LONGEST = {"RayCluster": 53, "RayService": 47, "RayJob": 47, "Service": 63, "CronJob": 52, "StatefulSet": 52}
_DNS_1035 = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")
_LABELS = ("RayCluster", "RayService", "RayJob", "Service")


def name_length(documents: Documents) -> Iterator[Finding]:
    for one in documents.resources:
        longest = LONGEST.get(one.kind, 253)
        if not one.template and len(one.name) > longest:
            yield one.finding("metadata.name", f"at most {longest} characters", f"{len(one.name)}: {one.name}")


def name_letters(documents: Documents) -> Iterator[Finding]:
    for one in documents.of(*_LABELS):
        if not one.template and not _DNS_1035.fullmatch(one.name):
            yield one.finding("metadata.name", "small letters, digits and dashes, a letter first", one.name)


def name_once(documents: Documents) -> Iterator[Finding]:
    seen = set()
    for one in documents.resources:
        key = (one.api, one.kind, one.namespace, one.name)
        if not one.template and key in seen:
            yield one.finding("metadata.name", "one resource of a kind has a name", one.name)
        seen.add(key)
