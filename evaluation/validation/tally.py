"""What rows of a table broke: by row, as tuples of names, and by rule, as counts with a few examples."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.validation.rules import MISTYPED
from evaluation.validation.verdict import Finding, Rule
from features.schema import Schema
from features.typed import TypedBlock

_EXAMPLES = 3
_LOOKED_AT = 30

Broken = tuple[Rule, NDArray[np.bool_]]
"""A rule and (n,) True where a row of a block breaks it."""


@dataclass
class _Count:
    failing: int = 0
    looked_at: int = 0
    examples: list[str] = field(default_factory=list)


class Tally:
    """How many rows broke each rule, block after block; the examples are the same however the table is cut."""

    def __init__(self, schema: Schema) -> None:
        self._schema, self._counts = schema, dict[Rule, _Count]()

    def add(self, judged: Sequence[Broken], batch: pa.RecordBatch, typed: TypedBlock) -> None:
        """Count the rows of one block."""
        for rule, broken in judged:
            count, rows = self._counts.setdefault(rule, _Count()), np.flatnonzero(broken)
            count.failing += len(rows)
            if rule.name not in ("present", "key_present"):
                self._exemplify(count, rule, rows, batch, typed)

    def findings(self, rows: int, spared: Callable[[Rule], str]) -> list[Finding]:
        """What was counted in ``rows`` rows; spared: why a rule is not held against its column, or ""."""
        return [
            Finding(rule, rows, count.failing, tuple(count.examples), spared(rule))
            for rule, count in self._counts.items()
        ]

    def _exemplify(
        self, count: _Count, rule: Rule, rows: NDArray[np.int64], batch: pa.RecordBatch, typed: TypedBlock
    ) -> None:
        looked_at, count.looked_at = count.looked_at, count.looked_at + len(rows)
        for row in rows[: max(0, _LOOKED_AT - looked_at)]:
            if len(count.examples) == _EXAMPLES:
                return
            text = " ".join(
                self._cell(name, int(row), rule, batch, typed) for name in rule.columns if name in batch.schema.names
            )
            if text not in count.examples:
                count.examples.append(text)

    def _cell(self, name: str, row: int, rule: Rule, batch: pa.RecordBatch, typed: TypedBlock) -> str:
        if name in self._schema.features and rule.name != MISTYPED:
            return f"{typed.values[row, self._schema.features.index(name)]:g}"
        return str(batch.column(name)[row].as_py())


@dataclass(frozen=True)
class Named:
    """(n,) tuples of rule names by row, and (n,) True where there are any."""

    names: NDArray[np.object_]
    any: NDArray[np.bool_]


def named_rules(judged: Sequence[Broken], grade: str, n: int) -> Named:
    """The rules of one grade that each of n rows breaks; rows that break the same ones share a tuple."""
    names = np.empty(n, dtype=object)
    names[:] = [()] * n
    found = [(rule.label, broken) for rule, broken in judged if rule.grade == grade and broken.any()]
    if not found:
        return Named(names, np.zeros(n, bool))
    broken = np.column_stack([mask for _, mask in found])
    rows = np.flatnonzero(broken.any(axis=1))
    patterns, place = np.unique(np.packbits(broken[rows], axis=1), axis=0, return_inverse=True)
    held = np.unpackbits(patterns, axis=1, count=len(found)).astype(bool)
    texts = np.empty(len(patterns), dtype=object)
    texts[:] = [tuple(label for (label, _), has in zip(found, pattern, strict=True) if has) for pattern in held]
    names[rows] = texts[place.ravel()]
    mask = np.zeros(n, bool)
    mask[rows] = True
    return Named(names, mask)
