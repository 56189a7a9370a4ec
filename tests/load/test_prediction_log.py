"""The prediction log under load: every accepted row is in it or counted, through an absent store and a kill."""

import os
import re
import signal
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from features.storage import list_files, open_filesystem
from tests.load import processes
from tests.load.ray_service import RayService, Setup, running
from tests.load.steady import Answered, steady
from tests.load.store import Store
from tests.load.store import store as s3_store
from tests.serving.service import publish

_PER_S, _FLUSH_S, _QUEUE_ROWS = 300, 2.0, 2_000
_ROW = b'{"data": [[5.0, 5.0, 5.0]]}'


def _rows_by_outcome(service: RayService) -> dict[str, float]:
    with urllib.request.urlopen(f"{service.api.url}/metrics", timeout=10) as response:
        text = response.read().decode()
    found = re.findall(r'^vigia_log_rows_total\{outcome="(\w+)"\} (\S+)$', text, re.MULTILINE)
    waiting = re.search(r"^vigia_log_waiting_rows (\S+)$", text, re.MULTILINE)
    assert waiting
    return {name: float(value) for name, value in found} | {"waiting": float(waiting[1])}


def _until(holds: Callable[[], Any], timeout_s: float) -> None:
    end = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def _logged(place: Store) -> list[str]:
    """Request ids of all rows in the log."""
    filesystem, path = open_filesystem(f"s3://{place.bucket}/log", endpoint=place.endpoint)
    tables = [
        pq.read_table(file, columns=["request_id"], filesystem=filesystem) for file in list_files(filesystem, path)
    ]
    ids: list[str] = pa.concat_tables(tables).column("request_id").to_pylist()
    return ids


@pytest.mark.slow
@pytest.mark.timeout(1_000)
@pytest.mark.parametrize(("before_s", "away_s", "after_s"), [(5, 12, 12), (270, 60, 270)])
def test_every_accepted_row_is_in_the_log_or_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before_s: float, away_s: float, after_s: float
) -> None:
    log = {"uri": "s3://vigia/log", "flush_s": _FLUSH_S, "queue_rows": _QUEUE_ROWS}
    answers: list[Answered] = []
    with s3_store() as place:
        for name, value in place.environment.items():
            monkeypatch.setenv(name, value)
        with running(Setup(publish(tmp_path), user={"log": log}), place.environment) as service:
            over = threading.Event()

            def load() -> None:
                url, most = f"{service.api.url}/predict", before_s + away_s + after_s + 120
                answers.extend(steady(url, lambda _: _ROW, per_s=_PER_S, until=over.is_set, at_most_s=most))

            generator = threading.Thread(target=load)
            generator.start()
            try:
                time.sleep(before_s)
                place.behave(away=True)
                time.sleep(away_s)
                place.behave()
                time.sleep(after_s)
                _until(lambda: _rows_by_outcome(service)["waiting"] < _PER_S * _FLUSH_S * 2, 30)
                counted = _rows_by_outcome(service)
                (replica,) = processes.replicas(service.mark)
                os.kill(replica, signal.SIGKILL)
            finally:
                over.set()
                generator.join()
            _until(lambda: processes.replicas(service.mark) not in ([], [replica]), 60)
            service.wait(lambda states: all("served" in state for state in states))
            _until(lambda: _rows_by_outcome(service)["lost"], 30)
            lost = _rows_by_outcome(service)["lost"]
        logged = _logged(place)
    assert len(logged) == len(set(logged))
    assert set(logged) <= {answer.request_id for answer in answers}
    assert counted["dropped"] > 0  # 2,000 rows may wait; more came while the store was away
    answered = {answer.request_id for answer in answers if answer.status == 200}
    unanswered = len(answers) - len(answered)
    assert unanswered < _PER_S  # those that the kill caught
    missing = len(answered - set(logged))
    assert missing <= counted["dropped"] + lost <= missing + unanswered
    assert lost <= _PER_S * (_FLUSH_S + 3)  # at most the last batch, and what came while it was written
