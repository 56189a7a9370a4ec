"""The registry: safe to run again, safe for many clients at once, and clear about what is wrong with it."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from mlflow import MlflowClient
from mlflow.store.db.utils import _get_managed_session_maker
from sqlalchemy import create_engine, text
from sqlalchemy.orm import sessionmaker

from features.errors import InputError, UnreachableError
from flows.adapters.mlflow_errors import translated
from flows.adapters.registry import Registry
from tests.fakes.postgres import postgres
from tests.fakes.refusing import answering, silent_server

ROOT = Path(__file__).parents[2]
RUN = "0" * 32


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of artifacts, and of the SQLite file."""
    return tmp_path_factory.mktemp("registry")


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def uri(request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """MLflow's store without its server; its first use takes seconds. On PostgreSQL clients collide."""
    if request.param == "sqlite":
        yield f"sqlite:///{folder}/new/mlflow.db"
        return
    with postgres() as database:
        yield f"postgresql+psycopg2://owner:{quote(database.password)}@127.0.0.1:{database.port}/postgres"


@pytest.fixture(scope="module")
def registry(uri: str, folder: Path) -> Registry:
    return Registry(uri, folder / "artifacts")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A client that gives a server up soon."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")


def at_once(count: int, act: Callable[[int], object]) -> list[object]:
    """What ``count`` clients got; raises what one of them raised."""
    found: list[object] = [None] * count
    start = threading.Barrier(count)

    def client(number: int) -> None:
        start.wait()
        try:
            found[number] = act(number)
        except Exception as error:
            found[number] = error

    threads = [threading.Thread(target=client, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        if isinstance(one, Exception):
            raise one
    return found


def test_a_digest_is_registered_once(registry: Registry) -> None:
    first = registry.register("once", "file:///a", "d1", RUN)
    assert registry.register("once", "file:///elsewhere", "d1", RUN) == first
    assert registry.register("once", "file:///b", "d2", RUN).version == "2"
    assert registry.by_version("once", "1") == first
    assert (first.uri, first.digest) == ("file:///a", "d1")


def test_clients_that_register_other_digests_at_once_get_versions_of_their_own(registry: Registry) -> None:
    versions = at_once(5, lambda n: registry.register("others", f"file:///{n}", f"d{n}", RUN).version)
    assert sorted(map(str, versions)) == ["1", "2", "3", "4", "5"]


def test_clients_that_register_one_digest_at_once_get_one_version(registry: Registry, uri: str) -> None:
    versions = at_once(5, lambda _: registry.register("same", "file:///a", "d", RUN).version)
    assert len(set(versions)) == 1
    known = MlflowClient(uri).search_model_versions("name = 'same'")
    assert [str(version.version) for version in known] == [versions[0]]


def test_clients_that_move_one_alias_at_once_leave_it_at_one_of_their_versions(registry: Registry) -> None:
    for number in range(4):
        registry.register("aliased", f"file:///{number}", f"d{number}", RUN)
    at_once(4, lambda n: registry.set_alias("aliased", "challenger", str(n + 1)))
    found = registry.by_alias("aliased", "challenger")
    assert found is not None
    assert found.version in {"1", "2", "3", "4"}


def test_clients_that_begin_at_once_share_the_experiment(registry: Registry, uri: str, folder: Path) -> None:
    def begin(number: int) -> None:
        with registry.run("shared", f"run-{number}", {"a": number}):
            pass

    at_once(5, begin)
    client = MlflowClient(uri)
    experiment = client.get_experiment_by_name("shared")
    assert experiment.artifact_location == (folder / "artifacts" / "shared").as_uri()
    runs = client.search_runs([experiment.experiment_id])
    assert {run.info.run_name: run.data.params for run in runs} == {f"run-{n}": {"a": str(n)} for n in range(5)}
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_processes_that_open_a_new_file_at_once_both_find_a_whole_database(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path}/new/mlflow.db"
    script = f"from flows.adapters.registry import Registry; Registry({uri!r}, None).models()"
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, cwd=ROOT) as one, subprocess.Popen(command, cwd=ROOT) as other:
        assert (one.wait(timeout=120), other.wait(timeout=120)) == (0, 0)


def test_a_run_is_taken_up_again_by_its_name_and_more_parameters_than_one_request_holds_are_kept(
    registry: Registry, uri: str
) -> None:
    many = {f"p{n}": n for n in range(230)}
    with pytest.raises(ZeroDivisionError), registry.run("again", "one", many) as first:
        raise ZeroDivisionError
    with registry.run("again", "one", many) as second:
        assert second == first
    run = MlflowClient(uri).get_run(first)
    assert (run.info.status, len(run.data.params)) == ("FINISHED", 230)


def test_what_is_not_there_is_none_or_named(registry: Registry) -> None:
    registry.register("known", "file:///a", "d", RUN)
    assert registry.by_alias("known", "champion-local") is None
    assert registry.by_alias("unknown", "challenger") is None
    with pytest.raises(InputError, match=r"^registry: Model Version \(name=known, version=9\) not found"):
        registry.by_version("known", "9")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("status", "text", "message"),
    [
        (
            401,
            "You are not authenticated.",
            r"access refused \(401\); .*MLFLOW_TRACKING_USERNAME .*MLFLOW_TRACKING_TOK",
        ),
        (403, "Permission denied", r"access refused \(403\); the credentials, from .*, do not suffice, got 'http://"),
        (403, "Invalid Host header - possible DNS rebinding", r"its MLFLOW_SERVER_ALLOWED_HOSTS must list this one"),
        (404, "<html>", "must be an MLflow server of version 3 or newer, got 'http://"),
        (200, "<html>", "must be an MLflow server of version 3 or newer, got 'http://"),
    ],
)
def test_a_server_that_refuses_is_an_input_error_even_where_none_would_do(status: int, text: str, message: str) -> None:
    with answering(status, text) as port, pytest.raises(InputError, match=rf"^registry: .*{message}"):
        Registry(f"http://127.0.0.1:{port}", None).by_alias("m", "challenger")


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [500, 503])
def test_a_server_in_trouble_is_worth_a_later_try(status: int) -> None:
    with answering(status, "later") as port, pytest.raises(UnreachableError, match=f": it answers HTTP {status}$"):
        Registry(f"http://127.0.0.1:{port}", None).by_alias("m", "challenger")


@pytest.mark.usefixtures("quick")
def test_a_server_that_is_away_or_silent_is_unreachable() -> None:
    with pytest.raises(UnreachableError, match=r"^registry http://127\.0\.0\.1:1: connection refused$"):
        Registry("http://127.0.0.1:1", None).by_version("m", "1")
    with silent_server() as (port, _), pytest.raises(UnreachableError, match=r": no answer in time$"):
        Registry(f"http://127.0.0.1:{port}", None).by_version("m", "1")


@pytest.mark.usefixtures("quick")
def test_what_went_wrong_in_a_run_is_told_though_its_end_cannot_be_written() -> None:
    answer = '{"experiment": {"experiment_id": "1"}, "runs": [], "run": {"info": {"run_id": "r"}}}'
    with ExitStack() as server:
        registry = Registry(
            f"http://127.0.0.1:{server.enter_context(answering(200, answer, 'application/json'))}", None
        )

        def fail_without_a_server() -> None:
            server.close()
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), registry.run("e", "n", {}):
            fail_without_a_server()


def test_a_statement_that_fails_is_told_without_its_sql_and_without_mlflows_traceback(
    capfd: pytest.CaptureFixture[str],
) -> None:
    Registry("http://127.0.0.1:1", None)
    sessions = _get_managed_session_maker(sessionmaker(create_engine("sqlite://")), "sqlite")
    with pytest.raises(UnreachableError) as told, translated("sqlite:///m.db"), sessions() as session:
        session.execute(text("SELECT name FROM runs"))
    assert str(told.value) == "registry sqlite:///m.db: (sqlite3.OperationalError) no such table: runs"
    assert capfd.readouterr().err == ""


def test_a_registry_whose_folder_cannot_be_made_is_unreachable(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UnreachableError, match="registry sqlite"):
        Registry(f"sqlite:///{tmp_path}/file/mlflow.db", None)
