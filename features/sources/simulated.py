"""``fleet://?sensors=24&days=10&seed=7``: the simulated fleet as a source, generated anew or read from its cache."""

import hashlib
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pyarrow.parquet as pq

from features.errors import InputError, UnreachableError
from features.fleet.drift import DRIFTS
from features.fleet.simulator import MODEL_VERSION, SCHEMA, Fleet, injected_drift, simulate_fleet

_LIMITS = {"sensors": (1, 100_000), "days": (1, 3_650), "seed": (0, 2**32 - 1), "drift_day": (0, 3_650)}
_KNOWN = ("sensors", "days", "seed", "drift", "drift_day")


@dataclass(frozen=True)
class FleetSource:
    """Rows of a simulated fleet, one block a series; ``cache``: the folder that keeps it, None to draw them anew."""

    uri: str
    fleet: Fleet
    cache: Path | None = None
    simulated: bool = True

    @property
    def schema(self) -> pa.Schema:
        """Series, timestamp, machine, shaft speed, load, ten features, label, fault."""
        return SCHEMA

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """One record batch a series, in order of the clock of its machine; the same bits with a cache and without.

        Raises UnreachableError when the cache cannot be written or read.
        """
        names = list(columns)
        if self.cache is None:
            for batch in simulate_fleet(self.fleet):
                yield batch.select(names)
            return
        path = self.cache / f"fleet-{cache_key(self.fleet)}.parquet"
        try:
            if not path.exists():
                _write(self.fleet, path)
            with pq.ParquetFile(path) as file:
                for group in range(file.num_row_groups):
                    table = file.read_row_group(group, columns=names).select(names).combine_chunks()
                    yield from table.to_batches()
        except (OSError, pa.ArrowException) as error:
            raise UnreachableError(f"cache of the simulated fleet {path}: {error}") from error


def open_fleet(uri: str, cache: Path | None = None) -> FleetSource:
    """Parse the query of a fleet URI. Raises InputError naming the parameter and its rule.

    ``drift`` is a kind of ``features.fleet.drift.DRIFTS``; ``drift_day`` the day it begins, by default at 80 % of the
    days. With a ``cache`` folder the fleet is written there once and read from there.
    """
    values: dict[str, int] = {}
    kind = None
    for name, text in parse_qsl(urlsplit(uri).query, keep_blank_values=True):
        if name not in _KNOWN:
            raise InputError(f"data.uri {name}", f"unknown parameter of fleet:// (known: {', '.join(_KNOWN)})", text)
        if name == "drift":
            if text not in DRIFTS:
                raise InputError("data.uri drift", f"must be one of {', '.join(DRIFTS)}", text)
            kind = text
            continue
        low, high = _LIMITS[name]
        if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
            raise InputError(f"data.uri {name}", f"must be a whole number from {low} to {high}", text)
        values[name] = int(text)
    day = values.pop("drift_day", None)
    if day is not None and kind is None:
        raise InputError("data.uri drift_day", "needs a drift", day)
    fleet = Fleet(**values)  # type: ignore[arg-type]
    return FleetSource(uri, fleet if kind is None else injected_drift(fleet, kind, day), cache)


def cache_key(fleet: Fleet) -> str:
    """16 hexadecimal digits that change with any parameter of the fleet and with the model behind it."""
    return hashlib.sha256(f"{MODEL_VERSION} {fleet!r}".encode()).hexdigest()[:16]


def _write(fleet: Fleet, path: Path) -> None:
    """One row group a series into a hidden sibling, renamed in one step: the file is absent or whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with pq.ParquetWriter(staging, SCHEMA) as writer:
            for batch in simulate_fleet(fleet):
                writer.write_batch(batch, row_group_size=max(batch.num_rows, 1))
        os.replace(staging, path)
    finally:
        staging.unlink(missing_ok=True)
