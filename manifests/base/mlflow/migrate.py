"""Bring MLflow's schema to the version of this image, one pod at a time.

`mlflow db upgrade` fills an empty database and does nothing to a current one, but two at once break each other: pods
that start together queue for a lock of PostgreSQL, which ends with the session whatever becomes of the pod.
"""

import os
import subprocess
import sys
from urllib.parse import urlsplit

import psycopg2

LOCK = 5_000_500_050
"""The advisory lock's number: any, as long as nothing else in this database uses it."""


def migrate(uri: str) -> int:
    """Exit code of `mlflow db upgrade` on the database of the URI, whose credentials are PGUSER and PGPASSWORD."""
    place = urlsplit(uri)
    connection = psycopg2.connect(host=place.hostname, port=place.port or 5432, dbname=place.path.lstrip("/"))
    try:
        connection.autocommit = True  # no transaction stays open while the schema changes
        connection.cursor().execute("SELECT pg_advisory_lock(%s)", (LOCK,))
        return subprocess.run([sys.executable, "-m", "mlflow", "db", "upgrade", uri], check=False).returncode
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(migrate(os.environ["MLFLOW_BACKEND_STORE_URI"]))
