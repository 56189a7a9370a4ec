"""Configuration of a table: where its rows are, what its columns mean, and what it must be like."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from features.sources.opening import refuse_secrets
from features.vibration.record import FEATURE_NAMES
from flows.config.model import Config, Duration, Share


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
