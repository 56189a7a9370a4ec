"""One look at git, the controller, every replica, the store and the service."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from features.errors import InputError, RetryError, UnreachableError, UnverifiedError
from flows.adapters.git import head_commit, read_head
from flows.environments import Environment
from flows.promotion.observation import Content, Head, Look, Replica, make_head
from flows.promotion.ray_service import RayServiceView, upgrade
from flows.promotion.ray_service import unsettled as still_to_do
from flows.promotion.serve_answers import Application, read_application, read_replica
from flows.steps.doors import Doors
from flows.steps.head import named_leaves
from serving.failure import Kind, make_failure, read_marks
from serving.loading import Depot, Served
from serving.settings import BundleRef

_Answer = TypeVar("_Answer")
_UNSEEN: tuple[Content, Served | None] = (Content.UNSEEN, None)
_NOBODY: tuple[Replica, ...] = ()
_BROKEN = (Kind.DIGEST, Kind.CORRUPT)


@dataclass
class HeadReader:
    """Reads what git's head names, and the file only when the head has moved."""

    environment: Environment
    _known: Head = field(default=Head(), init=False)

    def read(self) -> Head:
        """The head. Raises UnreachableError when git does not answer, InputError for a file that says nothing."""
        place = self.environment
        if head_commit(place.repository, place.branch) != self._known.commit:
            commit, text = read_head(place.repository, place.branch, place.file)
            self._known = make_head(commit, named_leaves(place, text))
        return self._known


@dataclass
class StoreReader:
    """Reads and opens the bundle that git names; again only where that decides something, since it may be large."""

    environment: Environment
    _known: tuple[str, Served] | None = field(default=None, init=False)

    def read(self, head: Head, *, decides: bool) -> tuple[Content, Served | None]:
        """What the store holds; an earlier answer where it was intact and does not decide. As ``stored_content``."""
        if decides or self._known is None or self._known[0] != head.digest:
            self._known = None
            content, served = stored_content(self.environment, head.uri, head.digest)
            self._known = (head.digest, served) if served else None
            return content, served
        return Content.INTACT, self._known[1]


@dataclass
class _Asking:
    """Asks one after the other, and keeps the first trouble."""

    trouble: str = ""
    refused: bool = False

    def ask(self, question: Callable[[], _Answer], without: _Answer) -> _Answer:
        try:
            return question()
        except RetryError as error:
            self.trouble = self.trouble or str(error)
            self.refused = self.refused or isinstance(error, UnverifiedError)
            return without


def look(doors: Doors, heads: HeadReader, store: StoreReader, began: Head, at_s: float) -> Look:
    """Look at everything once; git comes last, so that a head that moves meanwhile is seen."""
    api, place, cluster, asking = doors.api, doors.environment, doors.cluster, _Asking()
    unsettled, upgrading = _rollout(asking.ask(cluster.view, None), began.digest) if cluster else ("", "")
    application = asking.ask(
        lambda: read_application(api.application(place.application), place.deployment), Application()
    )
    replicas = asking.ask(lambda: tuple(map(read_replica, api.fleet())), _NOBODY)
    decides = _is_decided_by_content(application, replicas, began.digest)
    content, served = asking.ask(lambda: store.read(began, decides=decides), _UNSEEN)
    answered = asking.ask(lambda: _answered(api.predict(_request(served))), "") if served else ""
    return Look(
        at_s=at_s,
        head=_Asking().ask(heads.read, None),
        applied=application.applied,
        status=application.status,
        message=application.message,
        running=application.running,
        replicas=replicas,
        answered=answered,
        content=content,
        unsettled=unsettled,
        upgrading=upgrading,
        trouble=asking.trouble,
        refused=asking.refused,
    )


def _rollout(view: RayServiceView | None, digest: str) -> tuple[str, str]:
    """What the cluster has still to do, and its upgrade; None: the cluster could not be asked."""
    if view is None:
        return "", "nobody can say whether the cluster is being upgraded"
    return still_to_do(view, digest), upgrade(view)


def _is_decided_by_content(application: Application, replicas: tuple[Replica, ...], digest: str) -> bool:
    """Whether replicas serve the bundle already, or something failed that its content may be to blame for."""
    told = read_marks(application.message) if application.status == "DEPLOY_FAILED" else set()
    blamed = {kind for _, kind in told} | {replica.failure.kind for replica in replicas if replica.failure}
    served = bool(replicas) and all(replica.served == digest for replica in replicas)
    return served or not blamed.isdisjoint(_BROKEN)


def stored_content(environment: Environment, uri: str, digest: str) -> tuple[Content, Served | None]:
    """What the store holds under a digest. Raises UnreachableError when it does not show it, or in a format that only
    others know: content in its digest is not broken."""
    try:
        return Content.INTACT, Depot(environment.endpoint or "").load(BundleRef(uri, digest), "bundle")
    except InputError as error:
        kind = make_failure(digest, error).kind
        if kind in _BROKEN:
            return Content.BROKEN, None
        if kind is Kind.FORMAT:
            rule = f"another version of vigia wrote bundle {digest[:12]}, and this one cannot open it"
            raise UnreachableError(f"{rule}: {error}") from error
        raise UnverifiedError(str(error)) from error


def _request(served: Served) -> dict[str, Any]:
    """An ordinary row of a bundle, standing still."""
    row, past = served.centre.tolist(), served.bundle.scorer.history.rows
    return {"data": [row], "history": [[row] * past]} if past else {"data": [row]}


def _answered(answer: dict[str, Any]) -> str:
    """The digest in an answer of ``/predict``."""
    model = answer.get("model")
    return str(model.get("digest") or "") if isinstance(model, dict) else ""
