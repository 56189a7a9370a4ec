"""A bundle on its way into service: from its store, by way of the node's cache, opened and tried once."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from features.errors import InputError, RetryError
from features.storage import read_folder
from serving.bundle import Bundle, open_bundle
from serving.cache import Cache, verified
from serving.scorer import score
from serving.settings import BundleRef
from serving.verdict import judge

_DIGEST = re.compile(r"[0-9a-f]{64}")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*(?=:)", re.IGNORECASE)
_SCHEMES = ("file", "s3")
_TRIES, _PATIENCE_S = 3, 60.0


@dataclass(frozen=True)
class Served:
    """A bundle in service."""

    ref: BundleRef
    bundle: Bundle
    since: float

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


@dataclass(frozen=True)
class Depot:
    """Where bundles come from: the store that a reference names, and the node's cache before it, if any.

    endpoint, region: of the S3 store; empty for Amazon's, or what the AWS profile says.
    """

    endpoint: str = ""
    region: str = ""
    cache: Cache | None = None

    def load(self, ref: BundleRef, field: str) -> Served:
        """Fetch, hold to its digest, open and warm a bundle; ``field`` of ``user_config`` names it.

        Raises UnreachableError where the store does not answer, InputError where reference or bundle are no good.
        """
        if not ref.uri or not ref.digest:
            raise InputError(field, "must name a uri and a digest", ref.uri)
        if not _DIGEST.fullmatch(ref.digest):
            raise InputError(f"{field}.digest", "must be 64 hexadecimal digits", ref.digest)
        scheme = _SCHEME.match(ref.uri)
        if scheme and scheme[0] not in _SCHEMES:
            rule = f"{scheme[0]}: is no scheme a replica loads from; it must be file:// or s3://"
            raise InputError(f"{field}.uri", rule, ref.uri)
        files = self.cache.files(ref.digest, lambda: self._fetched(ref)) if self.cache else self._fetched(ref)
        return _warmed(Served(ref, open_bundle(files), time.time()))

    def load_patiently(self, ref: BundleRef, field: str) -> Served:
        """The same, a bounded number of times where the store does not answer."""
        end = time.monotonic() + _PATIENCE_S
        for attempt in range(1, _TRIES + 1):
            try:
                return self.load(ref, field)
            except RetryError:
                if attempt == _TRIES or time.monotonic() > end:
                    raise
                time.sleep(0.2 * 2**attempt)
        raise AssertionError

    def _fetched(self, ref: BundleRef) -> Mapping[str, bytes]:
        files = read_folder(ref.uri, endpoint=self.endpoint or None, region=self.region or None)
        return verified(files, ref.digest)


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
    _ = served.bundle.judge.scales, served.ranges
    return served
