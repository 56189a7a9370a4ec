"""Who may do what: tokens, and a table of rules as Roles have them."""

from dataclasses import dataclass, field

from tests.fakes.kubernetes.answers import ApiError, unauthorized
from tests.fakes.kubernetes.kinds import Kind


@dataclass(frozen=True)
class Rule:
    """One rule of a Role. resources: plural, or plural/subresource; "*": any; namespace: "" for everywhere."""

    verbs: tuple[str, ...] = ("*",)
    groups: tuple[str, ...] = ("*",)
    resources: tuple[str, ...] = ("*",)
    namespace: str = ""

    def allows(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether it lets this pass."""
        asked = ((verb, self.verbs), (group, self.groups), (resource, self.resources))
        return self.namespace in ("", namespace) and all("*" in known or one in known for one, known in asked)


@dataclass
class User:
    """name: as messages call it; rules: none of them is enough for nothing."""

    name: str
    rules: tuple[Rule, ...] = (Rule(),)

    def may(self, verb: str, group: str, resource: str, namespace: str) -> bool:
        """Whether any rule lets this pass."""
        return any(rule.allows(verb, group, resource, namespace) for rule in self.rules)


@dataclass
class Access:
    """Users by token."""

    users: dict[str, User] = field(default_factory=dict)

    def user(self, authorization: str) -> User:
        """The user of a header. Raises ApiError 401."""
        scheme, _, token = authorization.partition(" ")
        found = self.users.get(token.strip()) if scheme.lower() == "bearer" else None
        if found is None:
            raise unauthorized()
        return found


def check(user: User, verb: str, kind: Kind, subresource: str, namespace: str, name: str) -> None:
    """Raise ApiError 403 in the words of the API server."""
    resource = f"{kind.plural}/{subresource}" if subresource else kind.plural
    if user.may(verb, kind.group, resource, namespace):
        return
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    shown = f'{kind.resource} "{name}"' if name else kind.resource
    said = f'{shown} is forbidden: User "{user.name}" cannot {verb} resource "{resource}" in API group "{kind.group}"'
    raise ApiError(403, "Forbidden", f"{said} {where}", kind, name)
