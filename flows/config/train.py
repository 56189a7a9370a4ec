"""Configuration of `vigia train`: frozen models with range-checked fields; the defaults are a whole configuration."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, model_validator

from flows.config.model import Config, Duration

Share = Annotated[float, Field(ge=0, le=1)]


class Data(Config):
    """Where the rows are and which column plays which role."""

    uri: str = Field("fleet://?sensors=30&days=10&seed=7", description="file, folder, glob, file:// or fleet://")
    separator: str | None = Field(None, min_length=1, max_length=1, description="of CSV files; sniffed without")
    series: str | None = Field("series", description="column that names the series; null for a table without")
    timestamp: str | None = Field("timestamp", description="column of times; null for a table without")
    features: list[str] | Literal["*"] = Field("*", description='numeric columns, or "*" for all without a role')
    label: str | None = Field("label", description="column of labels 1, 0 or missing (unknown); null for none")


class Validation(Config):
    """Table rules; a table that breaks one is refused."""

    min_rows: int = Field(1_000, ge=1)
    max_quarantined_share: Share = 0.1


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


class Search(Config):
    """Trials over detector families; needs labels in the selection window, else the first family's default is taken."""

    families: list[Literal["isolation_forest", "autoencoder"]] = Field(
        ["isolation_forest", "autoencoder"], min_length=1
    )
    trials: int = Field(8, ge=1, le=1_000)
    max_rows: int = Field(50_000, ge=100, description="rows of the reference window that a detector is fitted on")
    min_labels: int = Field(10, ge=2, description="anomalous rows below which nothing is selected by labels")


class Alerts(Config):
    """The alert budget that sets the threshold."""

    budget: Literal["auto", "rows"] = Field("auto", description="auto: onsets where they can be counted, else rows")
    onsets_per_series_day: float = Field(0.1, gt=0)
    row_rate: float = Field(0.01, gt=0, lt=1)
    merge: Duration = Field(
        "1h", validate_default=True, description="alert rows of one series closer than this are one"
    )


class Drift(Config):
    """The drift report of test against reference."""

    max_rows: int = Field(10_000, ge=100, description="seeded sample of each window")


class TrainConfig(Config):
    """One training run."""

    model: str = Field("anomaly-detector", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$", description="registered name")
    seed: int = Field(7, ge=0, le=2**31 - 1)
    data: Data = Data()
    validation: Validation = Validation()
    history: History = History()
    split: Split = Split()
    search: Search = Search()
    alerts: Alerts = Alerts()
    drift: Drift = Drift()
