"""From a guess and its sample to the settings worth writing down, each with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from evaluation.calibration import usual_period
from features.errors import InputError
from features.guess.roles import Guess
from features.rows import Rows, from_blocks
from features.split import Split, Window, assign
from features.typed import Clock, TypedBlock, type_block
from flows.config.train import TrainConfig

_STEPS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200, 86_400,
          172_800, 259_200, 604_800, 2_592_000]  # fmt: skip
"""Round durations in seconds."""
_MOST_DROPPED = 0.15
_FEW_DROPPED = 0.1
_EXPERIMENTS = 8
_SIDE_BY_SIDE = 1.5
_DEFAULT = TrainConfig()


@dataclass(frozen=True)
class Setting:
    """A value of the configuration under ``section.key`` (under ``section`` without a key), and why, line by line."""

    section: str
    key: str
    value: Any
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestion:
    """Settings in the order to write them; nonnegative: features of which the sample holds no negative value."""

    settings: tuple[Setting, ...]
    nonnegative: tuple[str, ...]


def suggest(guess: Guess, sample: pa.RecordBatch, *, whole: bool) -> Suggestion:
    """Roles always, other settings where the default would not do. ``whole``: the sample is the whole table.

    Raises InputError when the sample cannot be typed by the guessed roles.
    """
    typed = type_block(sample, guess.schema, Clock())
    ranges = {name: bounds for k, name in enumerate(guess.features) if (bounds := _range(typed.values[:, k]))}
    settings = [*_roles(guess)]
    if ranges:
        why = "Plausible [lowest, highest]: median ± 10 robust standard deviations, or what the sample spans if wider;"
        settings.append(Setting("data", "ranges", ranges, (f"{why} rows outside are flagged, not lost.",)))
    settings += _validation(typed, whole)
    if whole:
        settings += _windows(from_blocks([typed], guess.schema))
    low = [np.min(column[np.isfinite(column)], initial=0.0) for column in typed.values.T]
    continuous = [len(np.unique(column[np.isfinite(column)])) > 2 for column in typed.values.T]
    known = zip(guess.features, low, continuous, strict=True)
    return Suggestion(tuple(settings), tuple(name for name, least, varies in known if least >= 0 and varies))


def _roles(guess: Guess) -> Iterator[Setting]:
    yield Setting("data", "timestamp", guess.timestamp.column, (guess.timestamp.reason,))
    if guess.timestamp_format:
        yield Setting("data", "timestamp_format", guess.timestamp_format)
    yield Setting("data", "series", guess.series.column, (guess.series.reason,))
    if guess.group.column:
        yield Setting("data", "group", guess.group.column, (guess.group.reason,))
    if guess.regime.column:
        yield Setting("data", "regime", guess.regime.column, (guess.regime.reason,))
    yield Setting("data", "label", guess.label.column, (guess.label.reason,))
    left_out = [f"left out: {name}: {why}" for name, why in guess.left_out.items()]
    yield Setting("data", "features", list(guess.features), ("numeric, varying, without another role", *left_out))


def _validation(typed: TypedBlock, whole: bool) -> Iterator[Setting]:
    rules, n = _DEFAULT.validation, len(typed)
    invalid = ~np.isfinite(typed.values).all(axis=1) | ~typed.has_time
    for key in (typed.series, typed.groups):
        if key is not None:
            invalid |= key.is_null().to_numpy(zero_copy_only=False)
    share = float(invalid.mean())
    if share > rules.max_quarantined_share:
        why = f"{share:.0%} of the sampled rows miss a key or a feature; look at them before you accept this"
        yield Setting("validation", "max_quarantined_share", min(1.0, float(np.ceil(share * 110)) / 100), (why,))
    valid = n - int(invalid.sum())
    if whole and valid < 1.1 * rules.min_rows:
        least = max(1, _two_digits(0.9 * valid))
        yield Setting(
            "validation", "min_rows", least, (f"the table has {n:,} rows, the default asks {rules.min_rows:,}",)
        )


def _windows(rows: Rows) -> Iterator[Setting]:
    """What a short or slow table needs: cuts between experiments, a smaller gap, another merge, another row rate."""
    shares = _DEFAULT.split
    split = Split((shares.reference, shares.selection, shares.calibration, shares.test), 0, False, _DEFAULT.seed)
    step_s, durations = usual_period(rows) / 1e6, _durations(rows)
    if durations is not None and step_s > 0:
        if _experiments(rows, durations, split):
            why = f"{len(durations)} series that follow one another as experiments do: a cut within one would share it"
            yield Setting("split", "between_series", True, (why,))
        elif gap := _gap(rows, split):
            yield gap
        yield from _merge(step_s, float(np.median(durations)))
    calibrated = len(rows) * shares.calibration * (1 - float(rows.anomalous.mean()))
    needed = 1.25 / max(calibrated, 2.0)
    if needed > _DEFAULT.alerts.row_rate and needed < 1:
        why = f"about {calibrated:.0f} normal rows to calibrate on cannot tell a rarer alert"
        yield Setting("alerts", "row_rate", float(np.ceil(needed * 100) / 100), (why,))


def _durations(rows: Rows) -> NDArray[np.float64] | None:
    """Seconds from the first to the last row of each series; None without time."""
    if rows.times is None:
        return None
    starts = np.flatnonzero(np.r_[True, np.diff(rows.series) != 0])
    last = np.r_[starts[1:], len(rows)] - 1
    return np.asarray((rows.times[last] - rows.times[starts]) / 1e6)


def _experiments(rows: Rows, durations: NDArray[np.float64], split: Split) -> bool:
    assert rows.times is not None
    units = len(np.unique(rows.independent))
    together = durations.sum() / max(np.ptp(rows.times) / 1e6, 1e-6)
    return (
        units >= _EXPERIMENTS and together <= _SIDE_BY_SIDE and _dropped(rows, replace(split, between_series=True)) < 1
    )


def _gap(rows: Rows, split: Split) -> Setting | None:
    """The largest round gap that drops few rows, where the default one drops many or leaves a window empty."""
    usual = int(_DEFAULT.split.gap.total_seconds())
    dropped = _dropped(rows, replace(split, gap_us=usual * 10**6))
    if dropped <= _MOST_DROPPED:
        return None
    judged = replace(rows, labels=None)  # an episode may empty a window whatever the gap
    smaller = (s for s in reversed(_STEPS) if s < usual)
    gap = next((s for s in smaller if _dropped(judged, replace(split, gap_us=s * 10**6)) <= _FEW_DROPPED), 0)
    reasons = [f"gaps of {duration(usual)} would drop " + (f"{dropped:.0%} of the rows" if dropped < 1 else "a window")]
    if _dropped(rows, replace(split, gap_us=gap * 10**6)) == 1:
        reasons.append(
            "A window is still empty, since a run of anomalous rows that crosses a cut belongs whole to the later "
            "window: change the shares of reference, selection, calibration and test."
        )
    return Setting("split", "gap", duration(gap), tuple(reasons))


def _dropped(rows: Rows, split: Split) -> float:
    """Share of the rows that lie in no window, 1 where a window is empty."""
    try:
        return float(np.mean(assign(rows, split) == Window.DROPPED))
    except InputError:
        return 1.0


def _merge(step_s: float, series_s: float) -> Iterator[Setting]:
    usual = _DEFAULT.alerts.merge.total_seconds()
    if 3 * step_s > usual:
        merge = next((s for s in _STEPS if s >= 3 * step_s), _STEPS[-1])
        yield Setting(
            "alerts", "merge", duration(merge), (f"rows are {_span(step_s)} apart: an hour would join no two alerts",)
        )
    elif series_s < 12 * usual:
        merge = min(next((s for s in _STEPS if s >= 30 * step_s), _STEPS[-1]), int(usual))
        if merge < usual:
            why = (
                f"a series lasts {_span(series_s)} with a row each {_span(step_s)}; an hour would join unrelated alerts"
            )
            yield Setting("alerts", "merge", duration(merge), (why,))


def duration(seconds: int) -> str:
    """As configurations write it: 30s, 5m, 6h, 2d."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds and seconds % size == 0:
            return f"{seconds // size}{unit}"
    return f"{seconds}s"


def _span(seconds: float) -> str:
    sizes = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))
    unit, size = next(((unit, size) for unit, size in sizes if seconds >= size), ("s", 1))
    return f"{seconds / size:.3g} {unit}"


def _range(values: NDArray[np.float64]) -> list[float] | None:
    """[lowest, highest] outward to two digits of their distance; None for switches, states and mostly constant ones."""
    finite = values[np.isfinite(values)]
    if len(np.unique(finite)) < 10:
        return None
    least, lower, middle, upper, most = np.quantile(finite, [0.001, 0.25, 0.5, 0.75, 0.999])
    sd = (upper - lower) / 1.349
    low, high = min(middle - 10 * sd, least), max(middle + 10 * sd, most)
    if not sd > 0 or not np.isfinite(high - low):
        return None
    digits = 1 - int(np.floor(np.log10(high - low)))
    return [outward(low, digits, np.floor), outward(high, digits, np.ceil)]


def outward(value: float, digits: int, direction: Any) -> float:
    """``value`` to that many decimals (negative: tens, hundreds), up or down."""
    scaled = float(direction(value * 10.0**digits))
    rounded = round(scaled / 10.0**digits, max(digits, 0))
    return int(rounded) if digits <= 0 and abs(rounded) < 2**53 else rounded


def _two_digits(value: float) -> int:
    size = 10 ** max(0, len(str(int(value))) - 2)
    return int(int(value) // size * size)
