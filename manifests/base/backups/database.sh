#!/bin/sh
# The database to a file, and back. PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD say which; WORK is a folder.
#   database.sh dump      PGDATABASE -> $WORK/mlflow.dump, which pg_restore can read
#   database.sh restore   $WORK/mlflow.dump -> a database called RESTORE_INTO, made anew
# restore_drill, the default, is looked at and dropped. PGDATABASE itself is replaced only with CONFIRM=its name.
set -eu

: "${WORK:?}" "${PGDATABASE:?}"
RESTORE_INTO=${RESTORE_INTO:-restore_drill}
FILE=$WORK/mlflow.dump

dump() {
  pg_dump --format=custom --no-owner --no-privileges --file="$FILE.part"
  pg_restore --list "$FILE.part" >/dev/null
  mv "$FILE.part" "$FILE"
  echo "dumped $PGDATABASE: $(wc -c <"$FILE") bytes"
}

# Rows of the tables that a registry cannot do without; fails when one is missing.
count() {
  psql --dbname="$1" --no-psqlrc --set=ON_ERROR_STOP=1 --tuples-only --no-align --field-separator=' ' --command="
    SELECT (SELECT version_num FROM alembic_version) AS schema,
           (SELECT count(*) FROM runs) || ' runs',
           (SELECT count(*) FROM model_versions) || ' model versions',
           (SELECT count(*) FROM registered_model_aliases) || ' aliases'"
}

restore() {
  if [ "$RESTORE_INTO" = "$PGDATABASE" ] && [ "${CONFIRM:-}" != "$PGDATABASE" ]; then
    echo "refused: $PGDATABASE would be replaced; CONFIRM=$PGDATABASE says that this is meant" >&2
    exit 2
  fi
  pg_restore --list "$FILE" >/dev/null # before anything is dropped
  dropdb --maintenance-db=postgres --if-exists --force "$RESTORE_INTO"
  createdb --maintenance-db=postgres "$RESTORE_INTO"
  pg_restore --dbname="$RESTORE_INTO" --exit-on-error --single-transaction --no-owner --no-privileges "$FILE"
  restored=$(count "$RESTORE_INTO")
  echo "restored into $RESTORE_INTO: $restored"
  if [ "$RESTORE_INTO" = restore_drill ]; then
    dropdb --maintenance-db=postgres --force "$RESTORE_INTO"
  fi
}

case ${1:-} in
dump) dump ;;
restore) restore ;;
*)
  echo "usage: database.sh dump|restore" >&2
  exit 2
  ;;
esac
