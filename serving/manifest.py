"""``bundle.json``: every constant of a bundle that is not in its graph."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from serving.verdict import Calibration

FORMAT = 1


class RobustScaling(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag_field="kind", tag="robust"):
    """Constants of serving.scorer.Transform."""

    centre: list[float]
    scale: list[Annotated[float, Meta(gt=0)]]
    limit: Annotated[float, Meta(gt=0)]


class PastRows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Constants of features.history.History."""

    rows: Annotated[int, Meta(ge=1)]
    reducers: Annotated[list[Literal["lags", "mean", "std", "slope"]], Meta(min_length=1)]
    max_gap_s: Annotated[float, Meta(gt=0)]


class Budget(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What operators accept, and what the threshold delivers on the calibration window.

    limit, realised, low and high (90 % range of the realised rate) are onsets per series and day, or a share of rows;
    exceedances: runs of alert rows, or alert rows where there is no time, of the calibration window, taken for
    independent; ``reason`` says why rows, where they are used.
    """

    kind: Literal["onsets_per_series_day", "row_rate"]
    limit: float
    realised: float
    merge_s: float
    reason: str = ""
    exceedances: int = 0
    low: float = 0.0
    high: float = 1.0


class StratumThreshold(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The threshold of rows whose baseline is not mature."""

    threshold: float
    alpha: Annotated[float, Meta(gt=0, le=1)]
    calibration: Calibration
    budget: Budget


class Strata(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """There are baselines; the manifest's own threshold is that of mature ones, these are the others'."""

    young: StratumThreshold
    unseen: StratumThreshold


class Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """``bundle.json``. Scores are float32; ``alert <=> score >= threshold <=> p <= alpha``.

    ranges: lowest and highest plausible value of a feature, in its unit; units: by feature; both where they are known.
    """

    format: int
    family: str
    parameters: dict[str, int | float | bool]
    features: Annotated[list[str], Meta(min_length=1)]
    transform: RobustScaling
    threshold: float
    alpha: Annotated[float, Meta(gt=0, le=1)]
    calibration: Calibration
    budget: Budget
    seed: int
    simulated: bool
    history: PastRows | None = None
    baselines: Strata | None = None
    ranges: dict[str, tuple[float, float]] = {}
    units: dict[str, str] = {}

    def __post_init__(self) -> None:
        for name in (*self.ranges, *self.units):
            if name not in self.features:
                raise ValueError(f"ranges and units must be of features, got {name!r}")
        for name, (low, high) in self.ranges.items():
            if not low < high:
                raise ValueError(f"the range of {name!r} must go from a lower to a higher value, got {low} to {high}")
