"""Which column is the label, and which columns would tell the answer if they were features."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from features.guess.columns import Column
from features.guess.keys import Role

_STRONG = ("label", "labels", "anomaly", "anomalies", "anomalous", "abnormal", "outlier", "fault", "faulty", "failure",
           "failed", "attack", "defect")  # fmt: skip
_WEAK = ("target", "class", "y")  # only as the whole name: a target speed is a measurement
_TELLING = {*_STRONG, "changepoint", "faults", "failures", "groundtruth"}
_FILLERS = {"is", "has", "flag", "the"}


def guess_label(columns: Sequence[Column]) -> Role:
    """The column with the likeliest name among those that hold nothing but 1, 0 (yes, no) and missing."""
    named = sorted((c for c in columns if _rank(c) is not None), key=lambda c: _rank(c) or 0)
    rejected = []
    for column in named:
        wrong = _why_not(column)
        if not wrong:
            return Role(column.name, f"named like a label, {_counts(column)}")
        rejected.append(f"{column.name!r} is named like one but holds {wrong}")
    return Role(None, "; ".join(rejected) or "no column is named like one: nothing is selected by labels")


_STRANGE_SHARE = 0.02


def tells(column: Column) -> bool:
    """True for a name that says a judgement: as a feature it would tell the answer."""
    return bool(_TELLING & set(column.words)) or _core(column) in (("class",), ("target",), ("change", "point"))


def _core(column: Column) -> tuple[str, ...]:
    return tuple(word for word in column.words if word not in _FILLERS)


def _rank(column: Column) -> int | None:
    core = _core(column)
    if len(core) == 1 and core[0] in _STRONG:
        return _STRONG.index(core[0])
    if len(core) == 1 and core[0] in _WEAK:
        return 50 + _WEAK.index(core[0])
    if core == ("ground", "truth"):
        return 0
    return 20 + len(core) if 1 < len(core) <= 3 and core[-1] in _STRONG else None


def _why_not(column: Column) -> str:
    """What it holds besides 1, 0 (or yes, no) and missing; "" for nothing."""
    if column.kind == "truth" or not column.known:
        return ""
    if column.kind not in ("number", "text"):
        return "no numbers"
    strange = column.cells.filter(pa.array(~np.isin(column.judgements, [0.0, 1.0]))).drop_null()
    if len(strange) <= _STRANGE_SHARE * column.known:  # validation speaks of them, row by row
        return ""
    others = strange.unique().to_pylist()
    shown = ", ".join(str(value) for value in others[:3]) + (" …" if len(others) > 3 else "")
    return f"{shown} where a label is 1 or yes (anomalous), 0, no or missing" if others else ""


def _counts(column: Column) -> str:
    if not column.known:
        return "though the sample has no judged row"
    ones = float(np.mean(column.judgements[np.isfinite(column.judgements)] == 1))
    doubt = "; is 1 the anomaly?" if ones > 0.5 else ""
    missing = f", {1 - column.known / len(column):.1%} unknown" if column.known < len(column) else ""
    return f"{ones:.1%} of the judged rows are 1{missing}{doubt}"
