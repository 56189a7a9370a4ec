"""The prediction log: every accepted row is written or counted, no file is torn, and no request waits."""

import json
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.dataset as ds
import pyarrow.fs as fs
import pyarrow.parquet as pq
import pytest

from serving.holder import Holder
from serving.journal import Journal, settle_the_dead
from serving.predict import judge_rows
from serving.prediction_log import LogCounts, PredictionLog
from serving.requests import Asked
from serving.retention import delete_old_days
from serving.settings import LogSettings
from tests.serving.service import Service, publish, serve

ROW = [5.0, 5.0, 5.0]
FAST = 0.1  # seconds between files


@pytest.fixture(scope="module")
def holder(tmp_path_factory: pytest.TempPathFactory) -> Holder:
    return serve(publish(tmp_path_factory.mktemp("bundles"), ranges={"a": (0.0, 10.0)}))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PredictionLog]:
    made = PredictionLog("replica-1", tmp_path / "journals")
    yield made
    made.close(5)


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def rows(folder: Path) -> list[dict[str, Any]]:
    if not folder.exists():
        return []
    found: list[dict[str, Any]] = ds.dataset(folder, partitioning="hive", format="parquet").to_table().to_pylist()
    return sorted(found, key=lambda row: (row["time"], row["row"]))


def settings(folder: Path, **more: Any) -> LogSettings:
    return LogSettings(uri=folder.as_uri(), **{"flush_s": FAST, **more})


def test_without_a_place_nothing_is_kept_or_started(holder: Holder, log: PredictionLog) -> None:
    log.configure(LogSettings())
    assert Service(holder, log=log).predict({"data": [ROW]}).status == 200
    assert log.counts() == LogCounts(0, 0, 0, 0, 0)


def test_every_answered_row_is_logged_with_what_was_found_and_by_what(
    holder: Holder, log: PredictionLog, tmp_path: Path
) -> None:
    log.configure(settings(tmp_path / "log"))
    service, begun = Service(holder, log=log), datetime.now(UTC)
    answer = service.predict({"data": [ROW, [50, -50, 50]]}, x_request_id="one").json
    body = {"data": [ROW, ROW], "series_ids": ["s", None], "regime": ["off", "on"]}
    service.predict(body, x_request_id="two")
    service.predict({"data": [[1]]})  # refused
    wait_for(lambda: log.counts().written == 4)
    found = rows(tmp_path / "log")
    assert [(row["request_id"], row["row"]) for row in found] == [("one", 0), ("one", 1), ("two", 0), ("two", 1)]
    for key, column in (("score", "scores"), ("p_value", "p_values"), ("severity", "severity"), ("alert", "alerts")):
        assert [row[key] for row in found[:2]] == pytest.approx(answer[column])
    assert [row["alert"] for row in found] == [False, True, False, False]
    assert [row["score"] is None for row in found] == [False, False, True, False]
    assert [(row["series"], row["regime"], row["stratum"]) for row in found[2:]] == [
        ("s", "off", None),
        (None, "on", None),
    ]
    assert [row["out_of_range"] for row in found] == [False, True, False, False]
    assert found[1]["features"] == {"a": 50.0, "b": -50.0, "c": 50.0}
    assert holder.served
    assert {(row["model"], row["version"], row["digest"]) for row in found} == {("m", "1", holder.served.bundle.digest)}
    assert begun <= found[0]["time"] <= datetime.now(UTC)


def test_files_lie_in_hourly_partitions_in_utc(holder: Holder, log: PredictionLog, tmp_path: Path) -> None:
    log.configure(settings(tmp_path / "log"))
    begun = datetime.now(UTC)
    Service(holder, log=log).predict({"data": [ROW]})
    wait_for(lambda: log.counts().written == 1)
    (file,) = (tmp_path / "log").rglob("*.parquet")
    names = {f"date={at:%Y-%m-%d}/hour={at:%H}" for at in (begun, datetime.now(UTC))}
    assert str(file.parent.relative_to(tmp_path / "log")) in names
    assert file.name == "replica-1-000000.parquet"
    assert str(pq.read_schema(file).field("features").type.field("a").type) == "float"


def test_closing_writes_what_waits(holder: Holder, log: PredictionLog, tmp_path: Path) -> None:
    log.configure(settings(tmp_path / "log", flush_s=3600))
    Service(holder, log=log).predict({"data": [ROW] * 7})
    assert log.counts().waiting == 7
    log.close(5)
    assert (log.counts().written, log.counts().waiting, len(rows(tmp_path / "log"))) == (7, 0, 7)
    assert list((tmp_path / "journals").iterdir()) == []


def test_a_queue_that_fills_up_is_written_before_its_time(holder: Holder, log: PredictionLog, tmp_path: Path) -> None:
    log.configure(settings(tmp_path / "log", flush_s=3600, queue_rows=400))
    Service(holder, log=log).predict({"data": [ROW] * 100})
    wait_for(lambda: log.counts().written == 100)
    assert len(rows(tmp_path / "log")) == 100


def test_a_sample_keeps_whole_requests_and_counts_the_others(
    holder: Holder, log: PredictionLog, tmp_path: Path
) -> None:
    log.configure(settings(tmp_path / "log", sample=0.25))
    service = Service(holder, log=log)
    for number in range(200):
        service.predict({"data": [ROW] * 2}, x_request_id=f"id-{number}")
    log.close(5)
    counts = log.counts()
    assert counts.written + counts.left_out == 400
    assert counts.written == len(rows(tmp_path / "log"))
    assert 60 < counts.written < 140  # 100 expected


def test_a_store_that_is_away_costs_no_request_anything_and_memory_stays_bounded(
    holder: Holder, log: PredictionLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "log").write_text("in the way")
    log.configure(settings(tmp_path / "log", queue_rows=1_000))
    service = Service(holder, log=log)
    slowest = 0.0
    for _ in range(300):
        begun = time.perf_counter()
        assert service.predict({"data": [ROW] * 10}).status == 200
        slowest = max(slowest, time.perf_counter() - begun)
    wait_for(lambda: "log_store_away" in caplog.text)
    counts = log.counts()
    assert counts.waiting <= 1_000
    assert counts.waiting + counts.dropped == 3_000
    assert slowest < 0.5
    (tmp_path / "log").unlink()
    log.close(5)
    counts = log.counts()
    assert (counts.waiting, counts.written) == (0, len(rows(tmp_path / "log")))
    assert counts.written + counts.dropped == 3_000
    assert caplog.text.count("log_store_away") == 1


def test_what_is_dropped_under_pressure_is_spread_over_the_requests(
    holder: Holder, log: PredictionLog, tmp_path: Path
) -> None:
    (tmp_path / "log").write_text("in the way")
    log.configure(settings(tmp_path / "log", flush_s=3600, queue_rows=400))
    service = Service(holder, log=log)
    for number in range(1_000):
        service.predict({"data": [ROW]}, x_request_id=f"{number}")
    (tmp_path / "log").unlink()
    log.close(5)
    kept = [int(row["request_id"]) for row in rows(tmp_path / "log")]
    assert kept[:200] == list(range(200))
    assert 300 < len(kept) <= 400
    assert kept != list(range(len(kept)))


def test_rows_that_cannot_be_written_are_given_up_and_counted_not_the_log(
    holder: Holder, log: PredictionLog, tmp_path: Path
) -> None:
    log.configure(settings(tmp_path / "log"))
    service = Service(holder, log=log)
    assert holder.served
    log.offer("\ud800", holder.served, judge_rows(Asked(np.array([ROW])), holder.served))
    wait_for(lambda: log.counts().dropped == 1)
    assert service.predict({"data": [ROW]}).status == 200
    wait_for(lambda: log.counts().written == 1)


def test_rows_wait_while_the_place_makes_no_sense_and_go_to_the_one_that_mends_it(
    holder: Holder, log: PredictionLog, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log.configure(LogSettings(uri="ftp://elsewhere/log", flush_s=FAST))
    service = Service(holder, log=log)
    service.predict({"data": [ROW]})
    wait_for(lambda: "log_store_away" in caplog.text)
    time.sleep(2 * FAST)
    log.configure(settings(tmp_path / "log"))
    service.predict({"data": [ROW]})
    log.close(5)
    assert log.counts().written == len(rows(tmp_path / "log")) == 2


@pytest.mark.usefixtures("aws")
def test_the_log_goes_to_s3_too(holder: Holder, s3_endpoint: str, tmp_path: Path) -> None:
    host = s3_endpoint.removeprefix("http://")
    store = fs.S3FileSystem(scheme="http", endpoint_override=host, region="us-east-1", allow_bucket_creation=True)
    store.create_dir("predictions")
    made = PredictionLog("r", tmp_path / "journals", s3_endpoint)
    made.configure(LogSettings(uri="s3://predictions/vigia", flush_s=3600))
    Service(holder, log=made).predict({"data": [ROW] * 3})
    made.close(10)
    found = ds.dataset("predictions/vigia", filesystem=store, partitioning="hive", format="parquet").to_table()
    assert (len(found), made.counts().written) == (3, 3)


def _serve_and_hang(folder: str, told: Any) -> None:
    """A replica that is killed: three rows written, two owed."""
    bundle = serve(publish(Path(folder) / "bundles"))
    made = PredictionLog("killed", Path(folder) / "journals")
    made.configure(settings(Path(folder) / "log"))
    service = Service(bundle, log=made)
    service.predict({"data": [ROW] * 3})
    wait_for(lambda: made.counts().written == 3)
    made.configure(settings(Path(folder) / "log", flush_s=3600))
    time.sleep(3 * FAST)
    service.predict({"data": [ROW] * 2})
    told.send("ready")
    time.sleep(60)


def test_rows_that_a_killed_replica_owed_are_counted_once_by_the_next_one(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_serve_and_hang, args=(str(tmp_path), theirs))
    process.start()
    assert ours.poll(60)
    living = PredictionLog("living", tmp_path / "journals")
    living.configure(settings(tmp_path / "log"))
    assert process.pid
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert len(rows(tmp_path / "log")) == 3
    assert not [file for file in (tmp_path / "log").rglob("*") if file.is_file() and file.suffix != ".parquet"]
    found = []
    for name in ("next", "one-more"):
        log = PredictionLog(name, tmp_path / "journals")
        log.configure(settings(tmp_path / "log"))
        log.close(5)
        found.append(log.counts().lost)
    assert found == [2, 0]
    living.close(5)
    assert living.counts().lost == 0
    assert list((tmp_path / "journals").iterdir()) == []


def test_a_journal_that_is_held_is_of_a_living_process(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "one")
    journal.accept(5)
    assert settle_the_dead(tmp_path) == 0
    journal.close()
    assert settle_the_dead(tmp_path) == 5


def test_days_older_than_asked_are_deleted_and_nothing_else(tmp_path: Path) -> None:
    today = datetime.now(UTC).date()
    days = {age: f"date={today - timedelta(days=age)}" for age in (0, 6, 7, 8, 400)}
    for name in (*days.values(), "notes", "date=unknown"):
        (tmp_path / name / "hour=03").mkdir(parents=True)
        (tmp_path / name / "hour=03" / "x.parquet").write_bytes(b"")
    assert delete_old_days(fs.LocalFileSystem(), str(tmp_path), 0) == []
    gone = delete_old_days(fs.LocalFileSystem(), str(tmp_path), 7)
    assert set(gone) == {days[8], days[400]}
    assert {entry.name for entry in tmp_path.iterdir()} == {days[0], days[6], days[7], "notes", "date=unknown"}


def test_metrics_say_where_the_rows_are(holder: Holder, log: PredictionLog, tmp_path: Path) -> None:
    log.configure(settings(tmp_path / "log", flush_s=3600))
    service = Service(holder, log=log)
    service.predict({"data": [ROW] * 4})
    text = service.call("GET", "/metrics").body.decode()
    assert "vigia_log_waiting_rows 4\n" in text
    outcomes = {"written", "left_out", "dropped", "lost"}
    assert outcomes == {line.split('"')[1] for line in text.splitlines() if line.startswith("vigia_log_rows_total{")}
    assert json.loads(service.predict({"data": [ROW]}).body)["scores"]
