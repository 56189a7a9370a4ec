"""``fleet://``: parameters, and a cache that holds the same bits."""

import os
import threading
from pathlib import Path

import pyarrow as pa
import pytest

from features.errors import InputError, UnreachableError
from features.fleet.drift import InjectedDrift
from features.fleet.simulator import FEATURES, SCHEMA, Fleet
from features.sources.simulated import FleetSource, cache_key, open_fleet

URI = "fleet://?sensors=4&days=2&seed=5"


def batches(source: FleetSource, columns: list[str] = SCHEMA.names) -> list[pa.RecordBatch]:
    return list(source.blocks(columns))


def digest(found: list[pa.RecordBatch]) -> list[bytes]:
    """Bytes of every column a batch: unlike ``equals``, a NaN is itself."""
    sink = []
    for batch in found:
        whole = pa.Table.from_batches([batch]).combine_chunks().to_batches()[0]
        sink.append(
            b"".join(str(whole[name].to_pylist()).encode() for name in ("series", "timestamp", "label", "fault"))
        )
        sink += [whole[name].to_numpy(zero_copy_only=False).tobytes() for name in FEATURES]
    return sink


def test_parameters_have_defaults() -> None:
    assert open_fleet("fleet://").fleet == Fleet(sensors=30, days=10, seed=7, drift=None)
    assert open_fleet("fleet://?days=20&drift=load").fleet.drift == InjectedDrift("load", 16.0)
    assert open_fleet("fleet://?drift=clock&drift_day=3").fleet.drift == InjectedDrift("clock", 3)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("drift=rust", "data.uri drift: must be one of load, bearing, gain, temperature, clock, got 'rust'"),
        ("drift_day=3", "data.uri drift_day: needs a drift, got 3"),
        ("drift=gain&drift_day=-1", "data.uri drift_day: must be a whole number from 0 to 3650, got '-1'"),
        ("seed=²", "data.uri seed: must be a whole number from 0 to 4294967295, got '²'"),
        ("sensor=3", "data.uri sensor: unknown parameter of fleet:// (known: sensors, days, seed, drift, drift_day)"),
    ],
)
def test_a_wrong_parameter_is_named_with_its_rule(query: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        open_fleet(f"fleet://?{query}")
    assert str(caught.value).startswith(message)


def test_a_block_is_one_series_with_the_columns_asked_for() -> None:
    found = batches(open_fleet(URI), ["rms", "series"])
    assert len(found) == 4 * 3
    assert all(batch.schema.names == ["rms", "series"] for batch in found)


def test_the_cache_has_the_same_blocks_and_bits(tmp_path: Path) -> None:
    plain, cached = open_fleet(URI), open_fleet(URI, tmp_path)
    first, again = batches(cached), batches(cached)
    assert [b.schema for b in first] == [b.schema for b in batches(plain)]
    assert digest(first) == digest(again) == digest(batches(plain))
    assert [b.num_rows for b in batches(cached, ["label", "rms"])] == [b.num_rows for b in first]


def test_the_cache_is_read_and_not_written_twice(tmp_path: Path) -> None:
    batches(open_fleet(URI, tmp_path), ["rms"])
    (file,) = tmp_path.iterdir()
    before = file.stat()
    batches(open_fleet(URI, tmp_path), ["rms"])
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_every_parameter_has_a_file_of_its_own() -> None:
    drifts = [InjectedDrift("load", 1), InjectedDrift("load", 2), InjectedDrift("gain", 1)]
    fleets = [Fleet(), Fleet(31), Fleet(30, 11), Fleet(30, 10, 8), *(Fleet(drift=drift) for drift in drifts)]
    assert len({cache_key(fleet) for fleet in fleets}) == len(fleets)


def test_an_interrupted_write_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(UnreachableError, match="No space left"):
        batches(open_fleet(URI, tmp_path))
    assert not list(tmp_path.iterdir())


def test_writers_at_once_leave_one_whole_file(tmp_path: Path) -> None:
    threads = [threading.Thread(target=lambda: batches(open_fleet(URI, tmp_path))) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(list(tmp_path.iterdir())) == 1
    assert digest(batches(open_fleet(URI, tmp_path))) == digest(batches(open_fleet(URI)))


def test_a_broken_cache_file_is_unreachable_and_names_its_path(tmp_path: Path) -> None:
    file = tmp_path / f"fleet-{cache_key(open_fleet(URI).fleet)}.parquet"
    file.write_bytes(b"not parquet")
    with pytest.raises(UnreachableError, match=str(file)):
        batches(open_fleet(URI, tmp_path))
