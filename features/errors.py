"""The error tree, named by what the caller should do next.

    VigiaError
    ├── InputError             fix the input, the configuration or the data         exit 2
    │   └── NotEnoughDataError     bring more rows or days
    ├── RefusedError           a gate said no; read the reasons                     exit 3
    ├── RetryError             try again later                                      exit 4
    │   ├── UnreachableError       a platform did not answer
    │   └── UnverifiedError        a truth could not be established
    ├── RolloutError           the rollout was bad and reverted, or superseded      exit 5
    └── DisagreementError      git, registry and replicas say different things      exit 6

Anything else that escapes is a bug (exit 1). Vendor exceptions are translated at the door, always ``raise … from``.
The numbers themselves live in ``flows.exit_codes``.
"""


class VigiaError(Exception):
    """Every error this project raises on purpose."""


class InputError(VigiaError):
    """Bad input: says the field, the rule and, where there is one, the value."""

    def __init__(self, field: str, rule: str, value: object = ...) -> None:
        self.field, self.rule, self.value = field, rule, value
        super().__init__(f"{field}: {rule}" + ("" if value is ... else f", got {_short(value)}"))

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.field, self.rule, self.value)


class NotEnoughDataError(InputError):
    """The data are sound but too few for what was asked."""


class RefusedError(VigiaError):
    """A gate refused; the message lists its reasons."""


class RetryError(VigiaError):
    """Worth trying again later."""


class UnreachableError(RetryError):
    """A platform (registry, store, git remote, Ray) did not answer."""


class UnverifiedError(RetryError):
    """A truth could not be established, so nothing was changed."""


class RolloutError(VigiaError):
    """A rollout was bad and reverted, or another one came after it."""


class DisagreementError(VigiaError):
    """Git, registry, controller and replicas disagree for longer than allowed."""


def _short(value: object, limit: int = 120) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"
