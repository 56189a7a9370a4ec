"""A watch: what happens to the objects of a selection from a version on, with bookmarks, until its time is over."""

import json
import time
from collections.abc import Iterator
from typing import Any

from tests.fakes.kubernetes.answers import ApiError
from tests.fakes.kubernetes.api import Kubernetes
from tests.fakes.kubernetes.requests import Request
from tests.fakes.kubernetes.selecting import selects
from tests.fakes.kubernetes.store import Event

Json = dict[str, Any]


def events(fake: Kubernetes, request: Request) -> Iterator[str]:
    """Lines of JSON, and "" while nothing happens. A forgotten version is told by an ERROR event of code 410."""
    kind, query, store = request.kind, request.query, fake.store
    end = time.monotonic() + float(query.get("timeoutSeconds") or 1800)
    asked = query.get("resourceVersion") or "0"
    with store.changed:
        at = int(asked) or store.version
        first = [] if int(asked) else [one for one in store.list(kind, request.namespace) if _chosen(request, one)]
    yield from (_line("ADDED", one) for one in first)
    marked = time.monotonic()
    while time.monotonic() < end:
        try:
            with store.changed:
                found = list(store.since(kind, at))
                at = store.version if not found else found[-1].version
                if not found:
                    store.changed.wait(0.05)
        except ApiError as error:
            yield _line("ERROR", error.status())
            return
        for event in found:
            yield from _told(request, event)
        if query.get("allowWatchBookmarks") == "true" and time.monotonic() - marked > fake.bookmark_s:
            marked = time.monotonic()
            place = {"metadata": {"resourceVersion": str(at), "creationTimestamp": None}}
            yield _line("BOOKMARK", {"kind": kind.kind, "apiVersion": kind.api_version} | place)
        yield ""


def _told(request: Request, event: Event) -> Iterator[str]:
    """An event as this watch sees it: an object that leaves the selection is deleted, one that enters is added."""
    if request.namespace not in ("", event.object["metadata"].get("namespace", "")):
        return
    now = event.change != "DELETED" and _chosen(request, event.object)
    before = event.before is not None and _chosen(request, event.before)
    if now:
        yield _line("MODIFIED" if before else "ADDED", event.object)
    elif before:
        yield _line("DELETED", event.object)


def _chosen(request: Request, found: Json) -> bool:
    labels, fields = request.query.get("labelSelector", ""), request.query.get("fieldSelector", "")
    return (not request.name or found["metadata"]["name"] == request.name) and selects(labels, fields, found)


def _line(change: str, found: Json) -> str:
    return json.dumps({"type": change, "object": found}) + "\n"
