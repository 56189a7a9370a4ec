"""The bundle: a directory with one digest that turns feature values into scores, p-values and alerts.

Files: ``bundle.json`` (serving.manifest), ``model.onnx``, where declared ``baselines.parquet``, and what scores can do
without: ``attribution.npz`` (serving.forest, the trees behind reasons) and ``reference.parquet`` (serving.reference,
rows that drift is measured against; it is not read here). Nothing in it is executable or a pickle, and the digest
depends on names and contents alone: no clock, host, path or run id is in it.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec
import numpy as np
from numpy.typing import NDArray

from features.errors import InputError
from features.history import NO_HISTORY, History
from features.storage import read_folder
from serving.baselines import Baselines, BaselineTable, read_baselines, write_table
from serving.forest import Forest, read_forest
from serving.graph import Graph
from serving.manifest import FORMAT, Manifest, PastRows, RobustScaling
from serving.scorer import Scorer, Transform
from serving.verdict import Judge

_FILES = {"bundle.json", "model.onnx"}
_BASELINES = "baselines.parquet"
ATTRIBUTION = "attribution.npz"
REFERENCE = "reference.parquet"
_OPTIONAL = {ATTRIBUTION, REFERENCE}


@dataclass(frozen=True)
class Bundle:
    """A loaded bundle, ready to score."""

    manifest: Manifest
    scorer: Scorer
    digest: str
    judge: Judge
    forest: Forest | None = None

    def strata(self, at: NDArray[np.int64] | None) -> NDArray[np.int8] | None:
        """(n,) strata of the baseline rows ``at``; None for a bundle without baselines."""
        return None if self.scorer.baselines is None or at is None else self.scorer.baselines.stratum[at]


def digest_of(files: Mapping[str, bytes]) -> str:
    """SHA-256 over the sorted names and contents of a folder, as 64 hexadecimal digits."""
    total = hashlib.sha256()
    for name in sorted(files):
        total.update(f"{name}\0{len(files[name])}\0".encode())
        total.update(files[name])
    return total.hexdigest()


def make_scorer(
    transform: RobustScaling, model: bytes, history: PastRows | None = None, baselines: Baselines | None = None
) -> Scorer:
    """The scorer that these constants and this graph describe."""
    return Scorer(make_transform(transform), Graph(model), make_history(history), baselines)


def make_judge(manifest: Manifest) -> Judge:
    """The thresholds by stratum: one, or three with baselines."""
    others = [manifest.baselines.young, manifest.baselines.unseen] if manifest.baselines else []
    return Judge(
        (manifest.threshold, *(other.threshold for other in others)),
        (manifest.calibration, *(other.calibration for other in others)),
    )


def make_history(declared: PastRows | None) -> History:
    """The history with these constants."""
    if declared is None:
        return NO_HISTORY
    return History(declared.rows, tuple(declared.reducers), round(declared.max_gap_s * 1e6))


def make_transform(constants: RobustScaling) -> Transform:
    """The transform with these constants."""
    return Transform(np.asarray(constants.centre), np.asarray(constants.scale), constants.limit)


def pack(
    manifest: Manifest,
    model: bytes,
    baselines: BaselineTable | None = None,
    beside: Mapping[str, bytes] = MappingProxyType({}),
) -> dict[str, bytes]:
    """The files of a bundle; a manifest that declares baselines needs them. beside: ATTRIBUTION, REFERENCE, or both."""
    table = {} if baselines is None else {_BASELINES: write_table(baselines)}
    return {
        **table,
        **beside,
        "bundle.json": msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n",
        "model.onnx": model,
    }


def beside(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Those files of a bundle that serving scores can do without."""
    return {name: content for name, content in files.items() if name in _OPTIONAL}


def open_bundle(files: Mapping[str, bytes]) -> Bundle:
    """Check and load the files of a bundle. Raises InputError naming the file and the rule."""
    if not _FILES <= set(files) <= {*_FILES, _BASELINES, *_OPTIONAL}:
        rule = f"must hold exactly {sorted(_FILES)}, {_BASELINES} where declared, and perhaps {sorted(_OPTIONAL)}"
        raise InputError("bundle", rule, sorted(files))
    try:
        found = msgspec.json.decode(files["bundle.json"], type=_Format).format
        if found != FORMAT:
            raise InputError("bundle.json format", f"must be {FORMAT}", found)
        manifest = msgspec.json.decode(files["bundle.json"], type=Manifest)
    except msgspec.MsgspecError as error:
        raise InputError("bundle.json", str(error)) from error
    wanted = _FILES | ({_BASELINES} if manifest.baselines else set())
    if set(files) - _OPTIONAL != wanted:
        raise InputError("bundle", f"must hold exactly {sorted(wanted)}", sorted(files))
    d = len(manifest.features)
    baselines = read_baselines(files[_BASELINES], d) if manifest.baselines else None
    scorer = make_scorer(manifest.transform, files["model.onnx"], manifest.history, baselines)
    widths = {
        scorer.history.width(d), len(manifest.transform.centre), len(manifest.transform.scale), scorer.graph.width
    }  # fmt: skip
    if len(widths) != 1:
        raise InputError("bundle", "expanded features, transform and graph must have one width", sorted(widths))
    forest = read_forest(files[ATTRIBUTION], scorer.graph.width) if ATTRIBUTION in files else None
    return Bundle(manifest, scorer, digest_of(files), make_judge(manifest), forest)


def load_bundle(uri: str, digest: str, endpoint: str | None = None) -> Bundle:
    """Read a published bundle and hold it to its digest before anything in it is interpreted.

    endpoint: of an S3 server other than AWS. Raises UnreachableError when it cannot be read, InputError when its
    content is not what the digest promises.
    """
    return open_bundle(read_bundle(uri, digest, endpoint))


def read_bundle(uri: str, digest: str, endpoint: str | None = None) -> dict[str, bytes]:
    """The files of a published bundle, held to its digest; raises as ``load_bundle`` does."""
    files = read_folder(uri, endpoint=endpoint)
    actual = digest_of(files)
    if actual != digest:
        raise InputError("bundle.digest", f"content of {uri} must have digest {digest}", actual)
    return files


class _Format(msgspec.Struct):
    format: int
