"""From a guess and its sample to the settings worth writing down, each with its reason."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from features.guess.roles import Guess
from features.rows import from_blocks
from features.typed import Clock, TypedBlock, type_block
from flows.config.suggestion import Setting, Suggestion
from flows.config.train import TrainConfig
from flows.config.windows import windows

_DEFAULT = TrainConfig()


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
    valid = _valid(typed)
    settings += _validation(valid, whole)
    if whole and valid.any():
        settings += windows(from_blocks([typed.take(valid)], guess.schema))
    nonnegative = [name for k, name in enumerate(guess.features) if _nonnegative(typed.values[:, k])]
    return Suggestion(tuple(settings), tuple(nonnegative))


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


def _valid(typed: TypedBlock) -> NDArray[np.bool_]:
    """(n,) True where a row has its keys and features."""
    valid = np.isfinite(typed.values).all(axis=1) & typed.has_time
    for key in (typed.series, typed.groups):
        if key is not None:
            valid &= key.is_valid().to_numpy(zero_copy_only=False)
    return np.asarray(valid)


_LEAST_ROWS = 100
"""Below this nothing is learned, whatever a configuration says."""


def _validation(valid: NDArray[np.bool_], whole: bool) -> Iterator[Setting]:
    rules, share = _DEFAULT.validation, 1 - float(valid.mean())
    if share > rules.max_quarantined_share:
        why = f"{share:.0%} of the sampled rows miss a key or a feature; look at them before you accept this"
        yield Setting("validation", "max_quarantined_share", min(1.0, float(np.ceil(share * 110)) / 100), (why,))
    if whole and valid.sum() < 1.1 * rules.min_rows:
        least = max(_LEAST_ROWS, _two_digits(0.9 * valid.sum()))
        why = f"the table has {len(valid):,} rows, the default asks {rules.min_rows:,}"
        yield Setting("validation", "min_rows", least, (why,))


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
    return [_outward(low, digits, np.floor), _outward(high, digits, np.ceil)]


def _nonnegative(values: NDArray[np.float64]) -> bool:
    """True for measurements, not switches, without a negative value."""
    finite = values[np.isfinite(values)]
    return bool(np.all(finite >= 0)) and len(np.unique(finite)) > 2


def _outward(value: float, digits: int, direction: Any) -> float:
    """``value`` to that many decimals (negative: tens, hundreds), up or down."""
    scaled = float(direction(value * 10.0**digits))
    rounded = round(scaled / 10.0**digits, max(digits, 0))
    return int(rounded) if digits <= 0 and abs(rounded) < 2**53 else rounded


def _two_digits(value: float) -> int:
    size = 10 ** max(0, len(str(int(value))) - 2)
    return int(int(value) // size * size)
