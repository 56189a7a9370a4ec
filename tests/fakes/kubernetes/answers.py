"""What the API server answers when it does not do as asked: a Status object with its code and reason."""

from dataclasses import dataclass
from typing import Any

from tests.fakes.kubernetes.kinds import Kind

Json = dict[str, Any]


@dataclass
class ApiError(Exception):
    """code: HTTP; reason: one word of the API; causes: (reason, message, field)."""

    code: int
    reason: str
    message: str
    kind: Kind | None = None
    name: str = ""
    causes: tuple[tuple[str, str, str], ...] = ()

    def status(self) -> Json:
        """The body."""
        causes = [{"reason": reason, "message": message, "field": field} for reason, message, field in self.causes]
        details: Json = {"causes": causes} if causes else {}
        if self.kind:
            details |= {"name": self.name, "group": self.kind.group, "kind": self.kind.plural}
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "details": details,
            "code": self.code,
        }


def not_found(kind: Kind, name: str) -> ApiError:
    """404."""
    return ApiError(404, "NotFound", f'{kind.resource} "{name}" not found', kind, name)


def already_exists(kind: Kind, name: str) -> ApiError:
    """409 of a POST."""
    return ApiError(409, "AlreadyExists", f'{kind.resource} "{name}" already exists', kind, name)


def conflict(kind: Kind, name: str, why: str = "") -> ApiError:
    """409 of a write that saw an older object."""
    usual = "the object has been modified; please apply your changes to the latest version and try again"
    return ApiError(
        409, "Conflict", f'Operation cannot be fulfilled on {kind.resource} "{name}": {why or usual}', kind, name
    )


def invalid(kind: Kind, name: str, causes: tuple[tuple[str, str, str], ...]) -> ApiError:
    """422 with its causes."""
    told = [f"{field}: {message}" for _, message, field in causes]
    text = told[0] if len(told) == 1 else f"[{', '.join(told)}]"
    shown = f"{kind.kind}.{kind.group}" if kind.group else kind.kind
    return ApiError(422, "Invalid", f'{shown} "{name}" is invalid: {text}', kind, name, causes)


def bad_request(message: str) -> ApiError:
    """400."""
    return ApiError(400, "BadRequest", message)


def expired(asked: int, oldest: int) -> ApiError:
    """410 of a watch or list from a version that was compacted."""
    return ApiError(410, "Expired", f"too old resource version: {asked} ({oldest})")


def unauthorized() -> ApiError:
    """401."""
    return ApiError(401, "Unauthorized", "Unauthorized")
