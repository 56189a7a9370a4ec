"""Configuration of `vigia train`: frozen models with range-checked fields; the defaults are a whole configuration."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from features.sources.opening import refuse_secrets
from features.vibration.record import FEATURE_NAMES
from flows.config.model import Config, Duration

Share = Annotated[float, Field(ge=0, le=1)]
ENVIRONMENT = "{environment}"
"""Stands for the name of the environment that is trained for."""


class RegimeRule(Config):
    """Operating state from a speed or load column: off, low, high."""

    column: str
    off_below: float = Field(description="below this the machine stands still: off")
    high_from: float = Field(description="from here on: high; between the two: low")

    @model_validator(mode="after")
    def _ordered(self) -> "RegimeRule":
        if not self.off_below <= self.high_from:
            raise ValueError("off_below must not be above high_from")
        return self


class Record(Config):
    """A raw vibration record in each row, which becomes the ten features of features.vibration."""

    waveform: str | None = Field(None, description="column of lists: the points of a record, in g")
    real: str | None = Field(None, description="column of lists: real part of the one-sided FFT")
    imaginary: str | None = Field(None, description="column of lists: imaginary part of the one-sided FFT")
    normalisation: Literal["amplitude", "unnormalised"] = Field("amplitude", description="of the FFT")
    points: int | None = Field(
        None, ge=16, description="of the waveform behind the FFT; null: twice the lines less two"
    )
    rate_hz: Annotated[float, Field(ge=500, le=32_000)] | str = Field(
        description="points a second (500 to 32,000), or the column that holds it"
    )

    @model_validator(mode="after")
    def _one_form(self) -> "Record":
        if (self.waveform is None) == (self.real is None) or (self.real is None) != (self.imaginary is None):
            raise ValueError("must name either waveform, or real and imaginary")
        return self


class Data(Config):
    """Where the rows are and which column plays which role."""

    uri: str = Field(
        "fleet://?sensors=30&days=10&seed=7",
        description="CSV or Parquet file, folder or glob (path, file://, s3://), postgresql://, fleet://",
    )
    separator: str | None = Field(None, min_length=1, max_length=1, description="of CSV files; sniffed without")
    endpoint: str | None = Field(None, description="of an S3 server other than AWS, http(s)://host:port")
    region: str | None = Field(None, description="of the S3 bucket")
    series: str | None = Field("series", description="column that names the series; null for a table without")
    timestamp: str | None = Field("timestamp", description="column of times; null for a table without")
    timestamp_format: str | None = Field(
        None, description="strptime pattern, or s, ms, us since 1970; ISO 8601 without"
    )
    group: str | None = Field(None, description="column of the unit of independence (machine); the series without")
    regime: str | RegimeRule | None = Field(
        None, description="column of operating states, or a rule from a speed or load"
    )
    record: Record | None = Field(None, description="raw records in place of features")
    features: list[str] | Literal["*"] = Field("*", description='numeric columns, or "*" for all without a role')
    ranges: dict[str, tuple[float, float]] = Field({}, description="plausible [lowest, highest] by feature")
    label: str | None = Field("label", description="column of labels 1, 0 or missing (unknown); null for none")
    kind: str | None = Field(
        None, description="column that names kinds of anomaly, for recall by kind; never a feature"
    )

    @field_validator("uri")
    @classmethod
    def _no_secret(cls, uri: str) -> str:
        refuse_secrets(uri)
        return uri

    @model_validator(mode="before")
    @classmethod
    def _fleet(cls, values: Any) -> Any:
        """The columns of the simulated fleet are known; what is configured comes first."""
        if isinstance(values, dict) and str(values.get("uri", "fleet://")).startswith("fleet://"):
            regime = {"column": "speed_hz", "off_below": 1.0, "high_from": 25.0}
            return {"group": "machine", "kind": "fault", "regime": regime, "features": list(FEATURE_NAMES), **values}
        return values


class Expectation(Config):
    """An expectation of your own, type and kwargs as in a Great Expectations suite."""

    type: str = Field(examples=["expect_column_values_to_be_between"])
    kwargs: dict[str, Any] = Field(examples=[{"column": "rms", "min_value": 0}])
    grade: Literal["invalid", "implausible", "table"] = Field(
        "invalid", description="invalid: quarantine; implausible: flag; table: refuse beyond a share of 1 - mostly"
    )

    @model_validator(mode="after")
    def _mostly(self) -> "Expectation":
        if "mostly" in self.kwargs:
            mostly = self.kwargs["mostly"]
            if isinstance(mostly, bool) or not isinstance(mostly, int | float) or not 0 <= mostly <= 1:
                raise ValueError(f"mostly must be a number from 0 to 1, got {mostly!r}")
            if self.grade != "table":
                raise ValueError("mostly is for grade table; other grades judge each row")
        return self


class Validation(Config):
    """What a table must be like. Invalid rows go to quarantine, implausible ones are flagged, bad tables refused."""

    min_rows: int = Field(1_000, ge=1, description="valid rows")
    min_days: float = Field(0.0, ge=0, description="from the first row to the last")
    max_quarantined_share: Share = 0.1
    max_age: Duration | None = Field(None, description="of the latest row; null: any")
    constant_features: Literal["refuse", "allow"] = "refuse"
    unordered: Literal["tolerate", "refuse"] = Field("tolerate", description="rows of a series out of time order")
    stuck_rows: int = Field(12, ge=0, description="rows of a series with one value from which it is stuck; 0: never")
    clipped_rows: int = Field(3, ge=0, description="rows of a series at the table's extreme; 0: never")
    gap_factor: float = Field(3.0, gt=1, description="usual steps that make a gap")
    sensor_health: list[str] = Field([], description="rules whose quarantined rows a person hears of, e.g. finite:rms")
    expectations: list[Expectation] = Field([], description="your own")


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
