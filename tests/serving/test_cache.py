"""A node keeps bundles: fetched once, whole or absent, held to their digest, and not more than fit."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from features.errors import InputError, UnreachableError
from serving.bundle import digest_of
from serving.cache import Cache, Files

FILES = {"a": b"content", "b": b"x" * 100}
DIGEST = digest_of(FILES)


def never() -> Files:
    raise AssertionError("must not be fetched")


def away() -> Files:
    raise UnreachableError("the store is away")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache", 1_000)


def test_a_bundle_is_fetched_once_and_then_found_without_its_store(cache: Cache) -> None:
    assert cache.files(DIGEST, lambda: FILES) == FILES
    assert cache.files(DIGEST, never) == FILES


def test_what_has_another_digest_is_refused_and_not_kept(cache: Cache) -> None:
    with pytest.raises(InputError, match=r"bundle\.digest: the content must have digest"):
        cache.files(DIGEST, lambda: {"a": b"other"})
    assert not (cache.folder / DIGEST).exists()
    assert cache.files(DIGEST, lambda: FILES) == FILES


def test_what_a_disk_changed_is_fetched_again(cache: Cache) -> None:
    cache.files(DIGEST, lambda: FILES)
    (cache.folder / DIGEST / "a").write_bytes(b"rotten")
    assert cache.files(DIGEST, lambda: FILES) == FILES
    assert (cache.folder / DIGEST / "a").read_bytes() == b"content"


def test_a_store_that_is_away_says_so_and_nothing_is_kept(cache: Cache) -> None:
    with pytest.raises(UnreachableError, match="the store is away"):
        cache.files(DIGEST, away)
    assert not (cache.folder / DIGEST).exists()


def of_size(size: int, name: str) -> Files:
    return {name: b"x" * size}


def keep(cache: Cache, files: Files) -> str:
    digest = digest_of(files)
    cache.files(digest, lambda: files)
    time.sleep(0.02)  # so that times of use differ
    return digest


def test_the_bundles_used_longest_ago_make_room(cache: Cache) -> None:
    first, second = keep(cache, of_size(400, "1")), keep(cache, of_size(400, "2"))
    cache.files(first, never)
    third = keep(cache, of_size(400, "3"))
    assert {name for name in os.listdir(cache.folder) if name[0] != "."} == {first, third}
    assert second not in os.listdir(cache.folder)


def test_a_bundle_larger_than_the_cache_is_served_and_not_kept(cache: Cache) -> None:
    small, large = keep(cache, of_size(400, "1")), of_size(1_001, "2")
    assert cache.files(digest_of(large), lambda: large) == large
    assert [name for name in os.listdir(cache.folder) if name[0] != "."] == [small]


def test_a_folder_that_cannot_be_written_is_no_reason_to_fail(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    assert Cache(tmp_path / "file" / "cache", 1_000).files(DIGEST, lambda: FILES) == FILES


def test_what_a_killed_process_left_half_written_goes_in_time(cache: Cache) -> None:
    cache.files(DIGEST, lambda: FILES)
    old, young = cache.folder / ".dead.1", cache.folder / ".busy.1"
    for folder in (old, young):
        folder.mkdir()
        (folder / "model.onnx").write_bytes(b"half")
    os.utime(old, (0, 0))
    keep(cache, of_size(10, "1"))
    assert (old.exists(), young.exists()) == (False, True)


def test_threads_that_want_the_same_bundle_fetch_it_once(cache: Cache) -> None:
    fetched: list[int] = []

    def fetch() -> Files:
        fetched.append(1)
        time.sleep(0.1)
        return FILES

    threads = [threading.Thread(target=cache.files, args=(DIGEST, fetch)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1


def _ask(folder: str, count: Callable[[], None]) -> None:
    def fetch() -> Files:
        count()
        time.sleep(0.1)
        return FILES

    for _ in range(20):
        assert Cache(Path(folder), 1_000).files(DIGEST, fetch) == FILES


def _tally(path: str) -> None:
    with open(path, "a") as file:
        file.write("x")


def _process(folder: str, tally: str) -> None:
    _ask(folder, lambda: _tally(tally))


def test_processes_that_want_the_same_bundle_fetch_it_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [
        context.Process(target=_process, args=(str(tmp_path / "cache"), str(tmp_path / "tally"))) for _ in range(4)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0] * 4
    assert (tmp_path / "tally").read_text() == "x"
