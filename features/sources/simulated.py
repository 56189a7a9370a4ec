"""``fleet://?sensors=24&days=10&seed=7``: the simulated fleet as a source."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa

from features.errors import InputError
from features.fleet.simulator import SCHEMA, Fleet, simulate_series


@dataclass(frozen=True)
class FleetSource:
    """Rows of a simulated fleet, one block a series."""

    uri: str
    fleet: Fleet
    simulated: bool = True

    @property
    def schema(self) -> pa.Schema:
        """Series, timestamp, ten features, label, fault."""
        return SCHEMA

    def blocks(self, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """One record batch a series, in time order."""
        for sensor in range(self.fleet.sensors):
            for batch in simulate_series(self.fleet, sensor):
                yield batch.select(list(columns))


def open_fleet(uri: str) -> FleetSource:
    """Parse the query of a fleet URI. Raises InputError naming the parameter and its rule."""
    values: dict[str, int] = {}
    limits = {"sensors": (1, 100_000), "days": (1, 3_650), "seed": (0, 2**32 - 1)}
    for name, text in parse_qsl(urlsplit(uri).query, keep_blank_values=True):
        if name not in limits:
            raise InputError(f"data.uri {name}", f"unknown parameter of fleet:// (known: {', '.join(limits)})", text)
        low, high = limits[name]
        if not text.isdigit() or not low <= int(text) <= high:
            raise InputError(f"data.uri {name}", f"must be a whole number from {low} to {high}", text)
        values[name] = int(text)
    return FleetSource(uri, Fleet(**values))
