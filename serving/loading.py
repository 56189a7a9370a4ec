"""A bundle on its way into service: how ``user_config`` names it, loading it, and trying it once."""

import re
import time
from dataclasses import dataclass
from functools import cached_property

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.errors import InputError, RetryError
from serving.bundle import Bundle, load_bundle
from serving.scorer import score
from serving.verdict import judge

_TRIES = 3


class BundleRef(msgspec.Struct, frozen=True):
    """A published bundle as ``user_config`` names it; empty where nothing was promoted."""

    uri: str = ""
    digest: str = ""
    model: str = ""
    version: str = ""


@dataclass(frozen=True)
class Served:
    """A bundle in service."""

    ref: BundleRef
    bundle: Bundle
    since: float

    @cached_property
    def thresholds(self) -> NDArray[np.float64]:
        """By stratum, to divide scores by; NaN where one is not above 0 and no ratio has a meaning."""
        found = np.asarray(self.bundle.judge.thresholds, np.float64)
        return np.where(found > 0, found, np.nan)

    @cached_property
    def ranges(self) -> NDArray[np.float64] | None:
        """(2, d) lowest and highest plausible values, ±inf where a feature has no range; None where none has one."""
        manifest = self.bundle.manifest
        if not manifest.ranges:
            return None
        return np.array([manifest.ranges.get(name, (-np.inf, np.inf)) for name in manifest.features]).T

    @cached_property
    def centre(self) -> NDArray[np.float64]:
        """(d,) an ordinary row, in the units of the features; of the whole fleet where there are baselines."""
        scorer, d = self.bundle.scorer, len(self.bundle.manifest.features)
        return scorer.transform.centre[:d] if scorer.baselines is None else scorer.baselines.centre[-1]


def load(ref: BundleRef, field: str) -> Served:
    """Load and warm a bundle, a bounded number of times where a store does not answer.

    field: of ``user_config``. Raises UnreachableError then, InputError where the reference or the bundle is no good.
    """
    if not ref.uri or not ref.digest:
        raise InputError(field, "must name a uri and a digest", ref.uri)
    scheme = re.match(r"[a-z][a-z0-9+.-]*(?=:)", ref.uri, re.IGNORECASE)
    if scheme and scheme[0] != "file":
        raise InputError(f"{field}.uri", f"{scheme[0]}: is no scheme a replica loads from; it must be file://", ref.uri)
    for attempt in range(1, _TRIES + 1):
        try:
            return _warmed(Served(ref, load_bundle(ref.uri, ref.digest), time.time()))
        except RetryError:
            if attempt == _TRIES:
                raise
            time.sleep(0.2 * 2**attempt)
    raise AssertionError


def _warmed(served: Served) -> Served:
    """The same, after its ordinary row was scored. Raises InputError where that cannot be."""
    scorer, row = served.bundle.scorer, served.centre[None]
    past = np.repeat(row[:, None], scorer.history.rows, axis=1) if scorer.history.rows else None
    try:
        scores = score(scorer, row, past)
    except Exception as error:  # onnxruntime raises a family of its own without a common base
        raise InputError("model.onnx", f"must score a row ({str(error).splitlines()[0]})") from error
    if not np.isfinite(scores).all():
        raise InputError("model.onnx", "must give a finite score at the centre of the features", float(scores[0]))
    judge(served.bundle.judge, scores)
    _ = served.thresholds, served.ranges
    return served
