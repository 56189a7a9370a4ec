"""Configuration of `vigia train`: frozen models with range-checked fields; the defaults are a whole configuration."""

from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from flows.config.data import Data, Validation
from flows.config.judging import Alerts, Drift, Gate, Injection
from flows.config.model import Config, Duration, Share


class History(Config):
    """Past rows of its series that count among the features of a row."""

    rows: int = Field(0, ge=0, le=1_000, description="past rows; 0: none")
    reducers: list[Literal["lags", "mean", "std", "slope"]] = Field(
        ["mean", "std"], min_length=1, description="lags: the past rows; the others: over them and the row itself"
    )
    max_gap: Duration | None = Field(
        None, description="longest step that history spans; null: 3 times the usual one of the reference window"
    )

    @model_validator(mode="after")
    def _sound(self) -> "History":
        if len(set(self.reducers)) < len(self.reducers):
            raise ValueError("reducers must not occur twice")
        if self.max_gap == timedelta(0):
            raise ValueError("max_gap must be above 0")
        return self


class Split(Config):
    """Windows as shares of the rows in time order, and the gap dropped after each cut."""

    reference: Share = 0.5
    selection: Share = 0.1
    calibration: Share = 0.2
    test: Share = 0.2
    gap: Duration = Field("6h", validate_default=True)
    between_series: bool = Field(False, description="cut only between whole series (experiments)")

    @model_validator(mode="after")
    def _whole(self) -> "Split":
        shares = (self.reference, self.selection, self.calibration, self.test)
        if abs(sum(shares) - 1) > 1e-9 or min(shares) <= 0:
            raise ValueError("reference, selection, calibration and test must be above 0 and sum to 1")
        return self


class Baselines(Config):
    """Centre and scale of each series (and operating state), from which its rows are seen as deviations."""

    use: Literal["auto", "always", "never"] = Field(
        "auto", description="auto: with times and lasting series, chosen by the search against the fleet's own scaling"
    )
    min_rows: int = Field(288, ge=2, description="reference rows that make a series mature")
    min_hours: float = Field(23.0, ge=0, description="and the time that they span")
    shrinkage: float = Field(
        50.0, gt=0, description="independent rows of a young series that weigh as much as the fleet"
    )
    floor: float = Field(0.25, ge=0, lt=1, description="lowest scale, as a share of a mature series' usual one")


class Search(Config):
    """Trials over detector families, ranked by the labels of the selection window.

    Where there is time: by episode recall at the alert budget, then average precision; where there is none: by average
    precision. With too few labels nothing is selected: the first family is taken with its default parameters.
    """

    families: list[Literal["isolation_forest", "extended_forest", "linear_autoencoder", "autoencoder"]] = Field(
        ["extended_forest", "isolation_forest", "linear_autoencoder", "autoencoder"],
        min_length=1,
        description="the first is the default; the linear autoencoder, where it is one of them, is trial 0",
    )
    trials: int = Field(8, ge=1, le=1_000)
    time_budget: Duration | None = Field(
        None, description="no new batch of trials after it; such a search does not repeat; null: none"
    )
    max_rows: int = Field(50_000, ge=100, description="rows of the reference window that a detector is fitted on")
    min_labels: int = Field(
        10, ge=2, description="labelled episodes (rows of either label without time) below which nothing is selected"
    )
    metric: Literal["auto", "average_precision"] = Field(
        "auto", description="auto: episode recall at the budget where there is time, else average precision"
    )
    compare: bool = Field(False, description="with too few labels: list every family's default, without a winner")
    max_alerts: float | None = Field(
        None, gt=0, description="limit of a trial: alerts on the selection window, real faults included, in the unit "
        "of the alert budget (onsets per series and day, or alerts a row)"
    )  # fmt: skip
    max_operations: int | None = Field(
        None, ge=1, description="limit of a trial: multiply-adds and comparisons to score a row, at most"
    )
    max_bundle_bytes: int | None = Field(None, ge=1, description="limit of a trial: size of its model.onnx")


class Fit(Config):
    """The final fit of the chosen configuration."""

    distributed: bool = Field(False, description="fit an autoencoder in several processes; others fit in one")
    workers: int = Field(2, ge=2, le=1_000, description="of a distributed fit; part of what its result depends on")


class TrainConfig(Config):
    """One training run."""

    model: str = Field("anomaly-detector", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", description="registered name")
    seed: int = Field(7, ge=0, le=2**31 - 1)
    data: Data = Field(default_factory=Data)
    validation: Validation = Validation()
    history: History = History()
    split: Split = Split()
    baselines: Baselines = Baselines()
    search: Search = Search()
    fit: Fit = Fit()
    alerts: Alerts = Alerts()
    drift: Drift = Drift()
    injection: Injection = Injection()
    gate: Gate = Gate()
