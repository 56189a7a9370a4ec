"""Where a bundle comes from: data, windows, code, lock, configuration and run, as a value that is kept beside it."""

import hashlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from evaluation.used import Used
from features.history import Scorable
from features.rows import Rows
from features.split import Window
from flows.adapters.checkout import read_built, read_checkout
from flows.runs import CONFIG

LINEAGE = "lineage.json"
_PROJECT = Path(__file__).resolve().parents[2]
_IMAGE = Path(sys.prefix)
"""Holds commit and lock where the project is installed without its checkout (scripts/image-install.sh)."""
_LOCK = "requirements.lock"
REFRESHED = "baselines"
"""The rows that baselines were renewed by."""
_TRAINING = ("reference", "selection", "calibration", REFRESHED)


@dataclass(frozen=True)
class Span:
    """Rows of one window, its first and last time in microseconds (None without time), and its series where the cut
    goes between series."""

    rows: int
    first_us: int | None = None
    last_us: int | None = None
    series: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Lineage:
    """What a bundle was made of. Hashes are SHA-256.

    fingerprint: of the valid rows; commit: of the checkout, or that which the image was built from, "" without; dirty:
    it held other changes; lock: of requirements.lock, "" where there is none; configuration: of the run's config.yaml;
    before: digest of the bundle that this one was made from, "" for a training.
    """

    data: str
    fingerprint: str
    windows: Mapping[str, Span]
    commit: str
    dirty: bool
    lock: str
    configuration: str
    run: str
    run_id: str
    digest: str
    before: str = ""


def trace(
    data: str,
    fingerprint: str,
    windows: Mapping[str, Span],
    folder: Path,
    *,
    run_id: str,
    digest: str,
    before: str = "",
) -> Lineage:
    """The lineage of a bundle made in a run's folder, by the code that runs now."""
    checkout = read_checkout(_PROJECT) or read_built(_IMAGE)
    return Lineage(
        data,
        fingerprint,
        windows,
        "" if checkout is None else checkout.commit,
        checkout is not None and checkout.dirty,
        _sha256(_PROJECT / _LOCK) or _sha256(_IMAGE / _LOCK),
        _sha256(folder / CONFIG),
        folder.name,
        run_id,
        digest,
        before,
    )


def spans(windows: Mapping[Window, Scorable], between_series: bool) -> dict[str, Span]:
    """The span of every window by its name."""
    return {window.name.lower(): span(part.rows, between_series) for window, part in windows.items()}


def span(rows: Rows, between_series: bool) -> Span:
    """Where rows lie."""
    first, last = (None, None) if rows.times is None else (int(rows.times.min()), int(rows.times.max()))
    names = tuple(rows.series_names[code] for code in np.unique(rows.series)) if between_series else None
    return Span(len(rows), first, last, names)


def training_windows(lineage: Lineage) -> tuple[Used, ...]:
    """The windows that a bundle was made of; none of a table without times."""
    made_of = [span for name, span in lineage.windows.items() if name in _TRAINING]
    return tuple(
        Used(span.first_us, span.last_us, None if span.series is None else frozenset(span.series))
        for span in made_of
        if span.first_us is not None and span.last_us is not None
    )


def stated(lineage: Lineage) -> dict[str, str]:
    """The lineage in words, by name: tags of a model version, lines of a page."""
    commit = f"{lineage.commit} (with other changes)" if lineage.dirty else lineage.commit
    return {
        "data": lineage.data,
        "data_fingerprint": lineage.fingerprint,
        "windows": "; ".join(f"{name}: {_in_words(span)}" for name, span in lineage.windows.items()),
        "commit": commit or "not in git",
        "lock": lineage.lock or "none",
        "configuration": lineage.configuration,
        "run": lineage.run,
        **({"before": lineage.before} if lineage.before else {}),
    }


def _in_words(span: Span) -> str:
    text = f"{span.rows:,} rows"
    if span.first_us is not None and span.last_us is not None:
        first, last = (np.datetime64(us, "us").astype("datetime64[s]") for us in (span.first_us, span.last_us))
        text += f" from {first}Z to {last}Z"
    return text if span.series is None else f"{text}, {len(span.series):,} series"


def _sha256(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
