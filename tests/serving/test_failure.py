"""Why a bundle is not served, said so that a verifier can tell a bad bundle from a bad day."""

import time
import traceback
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest

from features.errors import UnreachableError, VigiaError
from serving.bundle import digest_of, pack
from serving.describe import state_of
from serving.failure import Failure, Kind, make_failure, read_marks
from serving.holder import Holder
from serving.settings import BundleRef
from tests.serving.service import serve, store_files
from tests.serving.test_bundle import MANIFEST, sum_of

GOOD = pack(MANIFEST, sum_of(2))
BEFORE = pack(msgspec.structs.replace(MANIFEST, seed=99), sum_of(2))
OF_NEXT_YEAR = pack(msgspec.structs.replace(MANIFEST, format=7), sum_of(2))


def stored(store: Path, files: Mapping[str, bytes], content: Mapping[str, bytes] | None = None) -> BundleRef:
    """A bundle under the digest of ``files`` whose folder holds ``content``."""
    folder = store / digest_of(files)
    ref = store_files(store, content or files)
    (store / ref.digest).rename(folder)
    return BundleRef(folder.as_uri(), folder.name, "m", "2")


def broken(store: Path, kind: Kind) -> BundleRef:
    """A reference that fails for that reason."""
    if kind is Kind.DIGEST:
        return stored(store, GOOD, {**GOOD, "model.onnx": b"changed"})
    if kind is Kind.CORRUPT:
        return stored(store, {**GOOD, "model.onnx": b"no graph"})
    if kind is Kind.FORMAT:
        return stored(store, OF_NEXT_YEAR)
    where = "models:/m/1" if kind is Kind.REFERENCE else (store / "absent").as_uri()
    return BundleRef(where, "ab" * 32, "m", "2")


KINDS = [kind for kind in Kind if kind is not Kind.OTHER]


@pytest.mark.parametrize("kind", KINDS)
def test_a_replica_says_of_which_digest_and_of_which_kind_its_failure_is(tmp_path: Path, kind: Kind) -> None:
    good = store_files(tmp_path / "good", BEFORE)
    holder, wish = serve(good), broken(tmp_path / "other", kind)
    holder.wish(wish, good)
    end = time.monotonic() + 20
    while not holder.failure and time.monotonic() < end:
        time.sleep(0.01)
    state = state_of(holder)
    found = {key: state[key] for key in ("desired", "served", "error_kind", "error_digest")}
    wanted = {"desired": wish.digest, "served": good.digest, "error_kind": kind.value, "error_digest": wish.digest}
    assert found == wanted


@pytest.mark.parametrize("kind", KINDS)
def test_a_first_load_that_fails_leaves_its_mark_in_the_traceback_that_serve_shows(tmp_path: Path, kind: Kind) -> None:
    wish = broken(tmp_path, kind)
    with pytest.raises(VigiaError) as caught:
        Holder().wish(wish, BundleRef())
    assert read_marks("".join(traceback.format_exception(caught.value))) == {(wish.digest, kind)}


def test_what_nobody_foresaw_is_of_no_kind_that_blames_the_bundle() -> None:
    assert make_failure("d", MemoryError("out of memory")) == Failure("d", Kind.OTHER, "out of memory")
    assert make_failure("d", UnreachableError("away")).kind is Kind.UNREACHABLE


def test_text_without_a_mark_of_ours_says_nothing() -> None:
    assert read_marks("[bundle abc: digest] [bundle " + "ab" * 32 + ": unheard] bundle.digest: wrong") == set()
