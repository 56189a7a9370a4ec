"""What the checker says: one rule that one place of one resource breaks."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Finding:
    """Reads as ``kind/name path: rule, got value``. path: dotted, with ``[index]``."""

    resource: str
    path: str
    rule: str
    value: str

    def __str__(self) -> str:
        return f"{self.resource} {self.path}: {self.rule}, got {self.value}"
