"""The prediction log: what was answered, as hourly Parquet files, written in the background from a bounded queue.

No request waits for it or fails because of it. Rows that do not fit are dropped and counted; so are those that a killed
replica still owed, by the next replica of its node.
"""

import random
import threading
import time
import zlib
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from features.errors import VigiaError
from features.storage import open_filesystem, publish_file
from serving.events import emit
from serving.journal import Journal, settle_the_dead
from serving.loading import Served
from serving.predict import Judged
from serving.prediction_table import Answered, Part, file_of, part_of, rows_of
from serving.retention import delete_old_days
from serving.settings import LogSettings

_TICK_S = 0.5  # how often answers become columns, which take a tenth of the memory
_EARLY = 0.25  # of the queue: rows are written before their time, and pressure means a store that does not keep up
_PAUSE_S = 5.0  # between tries while the store is away
_TIMEOUT_S = 10.0
_CLEAN_S = 3_600.0


@dataclass(frozen=True)
class LogCounts:
    """Rows since this replica started: written; waiting; left out by the sample; dropped for want of room; lost by
    replicas of this node that were killed."""

    written: int
    waiting: int
    left_out: int
    dropped: int
    lost: int


class PredictionLog:
    """``offer`` is called by the event loop alone; files are written by a thread, the first time there is a ``uri``.

    name: of this replica, begins its files' names; journals: a folder of the node; endpoint, region: of an S3 store.
    """

    def __init__(self, name: str, journals: Path, endpoint: str = "", region: str = "") -> None:
        self._name, self._endpoint, self._region, self._journals = name, endpoint, region, journals
        self._settings = LogSettings()
        self._answers: deque[Answered] = deque()
        self._parts: dict[Part, list[pa.Table]] = {}
        self._accepted = self._left_out = self._dropped = 0  # by the event loop
        self._written = self._spoiled = self._lost = self._files = 0  # by the thread
        self._journal: Journal | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._away = False

    def configure(self, settings: LogSettings) -> None:
        """Follow new settings; rows that wait go to the new place. Returns at once."""
        self._settings = settings if settings.uri else LogSettings(uri=self._settings.uri, sample=0.0)
        if settings.uri and self._thread is None:
            with suppress(OSError):  # without a journal the log works, and a kill goes uncounted
                self._journal = Journal(self._journals, self._name)
            self._thread = threading.Thread(target=self._run, name="vigia-prediction-log", daemon=True)
            self._thread.start()

    def offer(self, request_id: str, served: Served, judged: Judged) -> None:
        """Log an answer, unless the sample or a full queue leave it out. Takes microseconds and never raises."""
        settings, rows = self._settings, len(judged.scores)
        if self._thread is None:
            return
        if settings.sample < 1 and zlib.crc32(request_id.encode()) >= settings.sample * 2**32:
            self._left_out += rows
            return
        waiting = self._waiting
        # From half full on requests are dropped at random, ever more of them, so that what is kept stays a fair sample.
        if waiting + rows > settings.queue_rows or 2 * waiting > settings.queue_rows * (1 + random.random()):
            self._dropped += rows
            return
        self._accepted += rows
        self._answers.append(Answered(time.time(), request_id, served, judged))
        if self._journal:
            self._journal.accept(self._accepted)

    def counts(self) -> LogCounts:
        """Where the rows offered so far are."""
        return LogCounts(self._written, self._waiting, self._left_out, self._dropped + self._spoiled, self._lost)

    @property
    def _waiting(self) -> int:
        return self._accepted - self._written - self._spoiled

    def close(self, timeout_s: float) -> None:
        """Write what waits and end; what cannot be written in time is left to the journal."""
        self._closing.set()
        thread, self._thread = self._thread, None  # nothing is accepted from here on
        if thread:
            thread.join(timeout_s)
            if self._journal and not thread.is_alive():
                self._journal.close()

    def _run(self) -> None:
        self._lost = settle_the_dead(self._journals)
        if self._lost:
            emit("log_rows_lost", error=True, rows=self._lost)
        due, clean = time.monotonic() + self._settings.flush_s, 0.0
        while not self._closing.wait(min(_TICK_S, self._settings.flush_s)):
            self._sort()
            now = time.monotonic()
            if now >= due or (self._waiting >= _EARLY * self._settings.queue_rows and not self._away):
                due = now + (self._settings.flush_s if self._flush() else _PAUSE_S)
            if now >= clean:
                clean = now + _CLEAN_S
                with suppress(VigiaError, OSError):  # a place that cannot be understood; writing to it says so
                    delete_old_days(*self._store(), self._settings.keep_days)
        self._sort()
        self._flush()

    def _sort(self) -> None:
        """Answers that wait become columns of their parts."""
        answers = [self._answers.popleft() for _ in range(len(self._answers))]
        parts: dict[Part, list[Answered]] = {}
        for answer in answers:
            parts.setdefault(part_of(answer), []).append(answer)
        for part, rows in parts.items():
            try:
                table = rows_of(rows)
            except Exception as error:  # text that is no UTF-8, say: these rows are given up, not the log
                emit("log_rows_spoiled", error=True, reason=str(error).splitlines()[0][:300])
                self._spoiled += sum(len(answer.judged.scores) for answer in rows)
                self._settle()
            else:
                self._parts.setdefault(part, []).append(table)

    def _flush(self) -> bool:
        """One file a part; False where the store did not take one, which then waits on."""
        for part in list(self._parts):
            try:
                filesystem, root = self._store()
                path = f"{root}/{part.folder}/{self._name}-{self._files:06d}.parquet"
                publish_file(filesystem, path, file_of(part, self._parts[part]))
            except Exception as error:  # a log must outlive whatever a store does
                if not self._away:
                    emit("log_store_away", error=True, reason=str(error).splitlines()[0][:300])
                self._away = True
                return False
            self._files += 1
            self._written += sum(map(len, self._parts.pop(part)))
            self._settle()
        if self._away:
            self._away = False
            emit("log_store_back")
        return True

    def _settle(self) -> None:
        if self._journal:
            self._journal.settle(self._written + self._spoiled)

    def _store(self) -> tuple[pa.fs.FileSystem, str]:
        place = {"endpoint": self._endpoint or None, "region": self._region or None}
        return open_filesystem(self._settings.uri, **place, timeout_s=_TIMEOUT_S)
