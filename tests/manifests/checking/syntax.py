"""Rules: texts that the schemas of core kinds take and the API server does not: labels, amounts, schedules."""

import json
import re
from collections.abc import Iterator
from zoneinfo import available_timezones

from scripts.schemas.metadata import OBJECT_META
from tests.manifests.checking.documents import Documents
from tests.manifests.checking.finding import Finding
from tests.manifests.checking.pods import pods
from tests.manifests.checking.quantities import is_quantity
from tests.manifests.checking.walking import mappings

_LABELS = OBJECT_META["properties"]["labels"]
_KEY = re.compile(_LABELS["propertyNames"]["pattern"])
_VALUE = re.compile(_LABELS["additionalProperties"]["pattern"])
_LONGEST_VALUE = _LABELS["additionalProperties"]["maxLength"]
_AMOUNTS = ("requests", "limits", "capacity")
_LIMIT_OF_KUBECTL = 256 * 1024  # it keeps what it applied in an annotation, and those have this limit
_FIELDS = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))  # minute, hour, day, month, weekday


def label_syntax(documents: Documents) -> Iterator[Finding]:
    for resource in documents.resources:
        for path, node in mappings(resource.body):
            for field in ("labels", "matchLabels"):
                for key, value in (node.get(field) or {}).items() if isinstance(node.get(field), dict) else ():
                    if not (_KEY.match(key) and _VALUE.match(str(value)) and len(str(value)) <= _LONGEST_VALUE):
                        yield resource.finding(f"{path}.{field}", "a label that Kubernetes takes", f"{key}: {value}")


def amount_reads(documents: Documents) -> Iterator[Finding]:
    for resource in documents.resources:
        for path, node in mappings(resource.spec, "spec"):
            for field in _AMOUNTS if path.endswith("resources") else ():
                for name, amount in (node.get(field) or {}).items():
                    if not is_quantity(amount):
                        yield resource.finding(f"{path}.{field}.{name}", "an amount such as 500m or 1Gi", amount)
    for pod in pods(documents):
        for volume in pod.spec.get("volumes") or ():
            limit = (volume.get("emptyDir") or {}).get("sizeLimit", 0)
            if not is_quantity(limit):
                yield pod.owner.finding(f"{pod.path}.spec.volumes[{volume['name']}]", "an amount", limit)


def schedule_reads(documents: Documents) -> Iterator[Finding]:
    for job in documents.of("CronJob"):
        schedule = str(job.spec.get("schedule"))
        fields = schedule.split()
        if len(fields) != len(_FIELDS) or not all(map(_is_field, fields, _FIELDS)):
            yield job.finding("spec.schedule", "minute, hour, day, month, weekday", schedule)
        zone = job.spec.get("timeZone", "Etc/UTC")
        if zone not in available_timezones():
            yield job.finding("spec.timeZone", "a time zone that there is", zone)


def kubectl_can_apply(documents: Documents) -> Iterator[Finding]:
    for resource in documents.resources:
        size = len(json.dumps(resource.body))
        if size > _LIMIT_OF_KUBECTL:
            yield resource.finding("all", f"at most {_LIMIT_OF_KUBECTL} bytes of JSON, for kubectl apply", size)


def _is_field(text: str, bounds: tuple[int, int]) -> bool:
    low, high = bounds
    for part in text.split(","):
        found = re.fullmatch(r"(\*|(\d+)(?:-(\d+))?)(?:/(\d+))?", part)
        if not found:
            return False
        numbers = [int(number) for number in found.group(2, 3) if number]
        if numbers != sorted(numbers) or not all(low <= number <= high for number in numbers):
            return False
    return True
