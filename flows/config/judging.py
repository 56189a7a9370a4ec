"""Configuration of judgement: alert budget, drift, injected faults, gate."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from flows.config.model import Config, Duration, Share

ENVIRONMENT = "{environment}"
"""Stands for the name of the environment that is trained for."""


class Alerts(Config):
    """The alert budget that sets the threshold."""

    budget: Literal["auto", "rows"] = Field("auto", description="auto: onsets where they can be counted, else rows")
    onsets_per_series_day: float = Field(0.1, gt=0)
    row_rate: float = Field(0.01, gt=0, lt=1)
    merge: Duration = Field(
        "1h", validate_default=True, description="alert rows of one series closer than this are one"
    )


class Drift(Config):
    """The drift report, and from where on it says watch or retrain; an interval must lie wholly beyond a limit."""

    max_rows: int = Field(10_000, ge=100, description="seeded sample of the current rows; the bundle holds the other")
    watch_shift: float = Field(0.25, gt=0, description="of a feature's median, in robust deviations of the reference")
    retrain_shift: float = Field(1.0, gt=0)
    watch_spread: float = Field(1.5, gt=1, description="of a feature: the wider spread over the narrower one")
    retrain_spread: float = Field(2.5, gt=1)
    retrain_features_share: float = Field(0.5, gt=0, le=1, description="features beyond a limit that make it retrain")
    series_shift: float = Field(3.0, gt=0, description="from which a series has moved, in its own robust deviations")
    watch_series_share: float = Field(0.02, gt=0, le=1, description="series that moved")
    retrain_series_share: float = Field(0.2, gt=0, le=1)

    @model_validator(mode="after")
    def _ordered(self) -> "Drift":
        for name in ("shift", "spread", "series_share"):
            if getattr(self, f"watch_{name}") > getattr(self, f"retrain_{name}"):
                raise ValueError(f"watch_{name} must not be above retrain_{name}")
        return self


class Injection(Config):
    """Faults put into test rows, so that something is found or missed where no label says what is anomalous."""

    kinds: list[Literal["scale", "offset", "impulse", "noise"]] = Field(
        ["scale", "offset", "impulse", "noise"], min_length=1
    )
    sizes: list[Annotated[float, Field(gt=0)]] = Field(
        [4.0, 8.0, 16.0], min_length=1, max_length=10, description="in robust standard deviations within a series"
    )
    faults: int = Field(240, ge=10, le=10_000, description="of each kind and size")
    rows: int = Field(12, ge=1, le=1_000, description="neighbouring rows of a fault; one without time")


class Gate(Config):
    """What a challenger must keep to be registered under the alias ``challenger``."""

    champion: str | None = Field(
        f"champion-{ENVIRONMENT}",
        description="alias of the version to compare with, {environment} as --env says; null: compare with none",
    )
    margin: float = Field(0.05, gt=0, lt=1, description="loss of the compared measure that is still accepted")
    on_inconclusive: Literal["register", "refuse"] = Field(
        "register", description="what becomes of a challenger that these rows cannot tell from a worse one"
    )
    max_operations: float = Field(1e6, gt=0, description="multiply-adds and comparisons to score a row")
    max_bundle_bytes: int = Field(500_000_000, ge=1)
    min_exceedances: int = Field(5, ge=0, description="independent calibration events that each threshold must rest on")
    max_worst_tenth: Share = Field(0.8, description="share of the alerts in the worst tenth of the series")
    min_alerts_per_series: float = Field(0.5, ge=0, description="fewer alerts than this say nothing of where they lie")
    leak_auroc: float = Field(0.995, gt=0.5, le=1, description="of one feature alone, above which a leak is suspected")
    allowed_features: list[str] = Field([], description="features that are known to tell the labels")
    max_unit_ratio: float = Field(5.0, gt=1, description="of a feature's spread to that in the champion's reference")
    max_level_shift: float = Field(20.0, gt=0, description="of a feature's centre, in the champion's spreads")
    allow_schema_change: bool = Field(False, description="those who send rows change along with the model")
