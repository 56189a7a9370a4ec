"""Backup and restore by the scripts that the CronJobs run: a real PostgreSQL, a real S3 server, a stand-in for `mc`."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import psycopg2
import pytest
from mlflow import MlflowClient

from tests.fakes.mc import ask
from tests.fakes.postgres import Postgres, postgres
from tests.fakes.s3 import s3_server
from tests.manifests.storage.shell import BASE, Ran, run, write_keys
from tests.system import require_program

_BINARIES = "/usr/lib/postgresql/*/bin"
TABLES = """
CREATE TABLE alembic_version (version_num text);
INSERT INTO alembic_version VALUES ('a1b2');
CREATE TABLE runs (id int);
INSERT INTO runs SELECT generate_series(1, 3);
CREATE TABLE model_versions (version int);
INSERT INTO model_versions VALUES (1), (2);
CREATE TABLE registered_model_aliases (alias text);
INSERT INTO registered_model_aliases VALUES ('champion-minikube');
"""


@dataclass(frozen=True)
class Cluster:
    """A database `mlflow`, a store with the buckets, and the folders that the pods mount."""

    server: Postgres
    endpoint: str
    folder: Path

    def database(self, verb: str, programs: tuple[Path, ...] = (), **environment: str) -> Ran:
        """Run database.sh."""
        found = require_program("pg_dump", "postgresql-client", _BINARIES)
        server = {"PGHOST": "127.0.0.1", "PGPORT": str(self.server.port), "PGUSER": "owner"}
        own = server | {"PGPASSWORD": self.server.password, "PGDATABASE": "mlflow", "WORK": str(self.folder)}
        return run("backups/database.sh", verb, programs=(*programs, found.parent), **own | environment)

    def store(self, verb: str, **environment: str) -> Ran:
        """Run store.sh."""
        own = {"KEYS": str(self.folder / "keys"), "MC_CONFIG_DIR": str(self.folder / "mc"), "WORK": str(self.folder)}
        places = {"SOURCE_ENDPOINT": self.endpoint, "DESTINATION_ENDPOINT": self.endpoint, "DESTINATION": "backups"}
        return run("backups/store.sh", verb, **own | places | {"SOURCE_BUCKETS": "bundles mlflow"} | environment)

    def connect(self, database: str) -> Any:
        """A connection to that database, each statement a transaction."""
        place = {"host": "127.0.0.1", "port": self.server.port, "user": "owner", "password": self.server.password}
        connection = psycopg2.connect(**place, dbname=database)
        connection.autocommit = True
        return connection

    def query(self, statement: str, database: str = "mlflow") -> list[tuple[object, ...]]:
        """The rows of a statement, or none when it has no result."""
        with closing(self.connect(database)) as connection:
            cursor = connection.cursor()
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def databases(self) -> set[object]:
        """The names of all databases."""
        return {name for (name,) in self.query("SELECT datname FROM pg_database", "postgres")}


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster whose database has been dumped and uploaded."""
    folder = tmp_path_factory.mktemp("cluster")
    for name in ("source", "destination"):
        write_keys(folder / "keys", name)
    with postgres() as server, s3_server() as endpoint:
        cluster = Cluster(server, endpoint, folder)
        for bucket in ("backups", "bundles", "mlflow"):
            ask("PUT", f"{endpoint}/{bucket}")
        server.run("CREATE DATABASE mlflow")
        cluster.query(TABLES)
        for ran in (cluster.database("dump"), cluster.store("upload")):
            assert ran.code == 0, ran.printed
        yield cluster


@pytest.fixture(autouse=True)
def whole(cluster: Cluster) -> None:
    """Each test begins with the dump fetched from the store."""
    (cluster.folder / "mlflow.dump").unlink()
    fetched = cluster.store("fetch")
    assert fetched.code == 0, fetched.printed


def test_the_drill_restores_the_latest_dump_beside_the_database_and_drops_it(cluster: Cluster) -> None:
    drilled = cluster.database("restore")
    assert drilled.code == 0, drilled.printed
    assert "restored: schema a1b2 3 runs 2 model versions 1 aliases" in drilled.printed
    assert "restore_drill" not in cluster.databases()
    assert cluster.query("SELECT count(*) FROM runs") == [(3,)]


def test_the_drill_cleans_up_after_one_that_was_cut_short(cluster: Cluster) -> None:
    cluster.query("CREATE DATABASE restore_drill", "postgres")
    cluster.query("CREATE TABLE runs (other text)", "restore_drill")
    assert cluster.database("restore").code == 0
    assert "restore_drill" not in cluster.databases()


def test_a_restore_in_earnest_takes_the_databases_place_and_keeps_what_was_there(cluster: Cluster) -> None:
    cluster.query("DELETE FROM runs")
    with closing(cluster.connect("mlflow")):  # as MLflow has one
        restored = cluster.database("restore", REPLACE="mlflow")
    assert restored.code == 0, restored.printed
    assert "replaced mlflow; what it was is mlflow_replaced" in restored.printed
    assert cluster.query("SELECT count(*) FROM runs") == [(3,)]
    cluster.query("ALTER DATABASE mlflow_replaced ALLOW_CONNECTIONS true", "postgres")
    assert cluster.query("SELECT count(*) FROM runs", "mlflow_replaced") == [(0,)]
    assert cluster.database("restore", REPLACE="mlflow").code == 0, "a second time, over what the first one kept"


def test_another_name_than_the_databases_is_refused(cluster: Cluster) -> None:
    refused = cluster.database("restore", REPLACE="postgres")
    assert refused.code == 2
    assert "refused: REPLACE must be mlflow, the database's name, got postgres" in refused.printed


def test_a_damaged_dump_fails_and_the_database_stays(cluster: Cluster) -> None:
    (cluster.folder / "mlflow.dump").write_bytes(b"PGDMP and then nothing")
    assert cluster.database("restore", REPLACE="mlflow").code != 0
    assert cluster.query("SELECT count(*) FROM runs") == [(3,)]


def test_a_swap_that_fails_lets_everybody_in_again(cluster: Cluster, tmp_path: Path) -> None:
    """With a psql that loses its connection at the renaming."""
    real = require_program("psql", "postgresql-client", _BINARIES)
    lost = f'#!/bin/sh\ncase "$*" in *RENAME*) exit 2 ;; esac\nexec {real} "$@"\n'
    (tmp_path / "psql").write_text(lost)
    (tmp_path / "psql").chmod(0o755)
    assert cluster.database("restore", programs=(tmp_path,), REPLACE="mlflow").code != 0
    assert cluster.query("SELECT count(*) FROM runs") == [(3,)]


def test_a_dump_without_the_registry_fails_the_drill(cluster: Cluster) -> None:
    cluster.query("CREATE DATABASE empty", "postgres")
    assert cluster.database("dump", PGDATABASE="empty").code == 0
    drilled = cluster.database("restore")
    assert drilled.code != 0
    assert 'relation "alembic_version" does not exist' in drilled.printed


def test_a_dump_that_cannot_be_made_leaves_no_file_to_upload(cluster: Cluster) -> None:
    (cluster.folder / "mlflow.dump").rename(cluster.folder / "kept.dump")
    assert cluster.database("dump", PGDATABASE="nothing").code != 0
    assert not (cluster.folder / "mlflow.dump").exists()
    assert cluster.store("upload").code != 0
    shutil.move(cluster.folder / "kept.dump", cluster.folder / "mlflow.dump")


def test_a_dump_of_a_given_time_can_be_fetched(cluster: Cluster) -> None:
    (named,) = [line for line in _keys(cluster, "backups") if line.startswith("postgresql/")]
    fetched = cluster.store("fetch", DUMP=named)
    assert fetched.printed == f"fetched backups/{named}\n"
    missing = cluster.store("fetch", DUMP="postgresql/never.dump")
    assert missing.code == 1


def test_the_mirror_copies_new_objects_and_deletes_none(cluster: Cluster) -> None:
    for key in ("bundles/sha256/aa/model.onnx", "mlflow/0/run/page.html"):
        ask("PUT", f"{cluster.endpoint}/{key}", b"content")
    assert cluster.store("mirror").code == 0
    ask("DELETE", f"{cluster.endpoint}/bundles/sha256/aa/model.onnx")
    assert cluster.store("mirror").code == 0
    kept = {key for key in _keys(cluster, "backups") if key.startswith("buckets/")}
    assert kept == {"buckets/bundles/sha256/aa/model.onnx", "buckets/mlflow/0/run/page.html"}


@pytest.mark.slow
def test_a_registry_of_mlflow_comes_back_with_its_versions_and_aliases(cluster: Cluster) -> None:
    """The schema is MLflow's own, made as its pods make it."""
    cluster.query("CREATE DATABASE registry", "postgres")
    uri = f"postgresql+psycopg2://127.0.0.1:{cluster.server.port}/registry"
    credentials = {"PGUSER": "owner", "PGPASSWORD": cluster.server.password}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**credentials, "MLFLOW_BACKEND_STORE_URI": uri}.items():
            patch.setenv(name, value)
        subprocess.run([sys.executable, BASE / "mlflow/migrate.py"], check=True)
        client = MlflowClient(uri, uri)
        client.create_registered_model("detector")
        client.create_model_version("detector", "s3://bundles/sha256/aa")
        client.set_registered_model_alias("detector", "champion-minikube", "1")
        dumped = cluster.database("dump", PGDATABASE="registry")
        assert dumped.code == 0, dumped.printed
        client.delete_registered_model("detector")
        restored = cluster.database("restore", PGDATABASE="registry", REPLACE="registry")
        assert restored.code == 0, restored.printed
        assert "0 runs 1 model versions 1 aliases" in restored.printed
        found = client.get_model_version_by_alias("detector", "champion-minikube")
        assert (str(found.version), found.source) == ("1", "s3://bundles/sha256/aa")


@pytest.mark.parametrize("script", ["backups/database.sh", "backups/store.sh"])
def test_a_verb_that_is_not_known_is_refused(script: str) -> None:
    names = ("WORK", "PGDATABASE", "KEYS", "DESTINATION_ENDPOINT", "DESTINATION")
    refused = run(script, "drop", **dict.fromkeys(names, "any"))
    assert refused.code == 2
    assert "usage:" in refused.printed


def _keys(cluster: Cluster, bucket: str) -> list[str]:
    found = ElementTree.fromstring(ask("GET", f"{cluster.endpoint}/{bucket}")).iterfind(".//{*}Key")
    return [key.text or "" for key in found]
