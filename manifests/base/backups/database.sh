#!/bin/sh
# The database to a file, and back. PGHOST, PGPORT, PGDATABASE, PGUSER and PGPASSWORD say which; WORK is a folder.
#   database.sh dump      PGDATABASE -> $WORK/mlflow.dump, which pg_restore can read
#   database.sh restore   $WORK/mlflow.dump -> the database restore_drill, which is looked at and dropped;
#                         with REPLACE=<PGDATABASE> it takes the place of that one, which stays as <PGDATABASE>_replaced
set -eu

: "${WORK:?}" "${PGDATABASE:?}"
REPLACE=${REPLACE:-}
RESTORED=restore_drill
FILE=$WORK/mlflow.dump

dump() {
  pg_dump --format=custom --no-owner --no-privileges --file="$FILE.part"
  pg_restore --list "$FILE.part" >/dev/null
  mv "$FILE.part" "$FILE"
  echo "dumped $PGDATABASE: $(wc -c <"$FILE") bytes"
}

# run_sql DATABASE ARGUMENTS
run_sql() {
  database=$1
  shift
  psql --dbname="$database" --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --tuples-only --no-align --field-separator=' ' "$@"
}

# Rows of the tables that a registry cannot do without; fails when one is missing.
count() {
  run_sql "$RESTORED" --command="
    SELECT (SELECT version_num FROM alembic_version),
           (SELECT count(*) FROM runs) || ' runs',
           (SELECT count(*) FROM model_versions) || ' model versions',
           (SELECT count(*) FROM registered_model_aliases) || ' aliases'"
}

admit() {
  run_sql postgres --command="ALTER DATABASE \"$PGDATABASE\" ALLOW_CONNECTIONS $1"
}

# Both names change in one transaction. Nobody may connect meanwhile; when something fails, everybody may again.
swap() {
  replaced=${PGDATABASE}_replaced
  dropdb --maintenance-db=postgres --if-exists --force "$replaced"
  trap 'admit true' EXIT
  admit false
  run_sql postgres --output=/dev/null --single-transaction \
    --command="SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '$PGDATABASE'" \
    --command="ALTER DATABASE \"$PGDATABASE\" RENAME TO \"$replaced\"" \
    --command="ALTER DATABASE \"$RESTORED\" RENAME TO \"$PGDATABASE\""
  trap - EXIT
  echo "replaced $PGDATABASE; what it was is $replaced"
}

restore() {
  if [ -n "$REPLACE" ] && [ "$REPLACE" != "$PGDATABASE" ]; then
    echo "refused: REPLACE must be $PGDATABASE, the database's name, got $REPLACE" >&2
    exit 2
  fi
  dropdb --maintenance-db=postgres --if-exists --force "$RESTORED"
  createdb --maintenance-db=postgres "$RESTORED"
  pg_restore --dbname="$RESTORED" --exit-on-error --single-transaction --no-owner --no-privileges "$FILE"
  counted=$(count)
  echo "restored: schema $counted"
  if [ -n "$REPLACE" ]; then
    swap
  else
    dropdb --maintenance-db=postgres --force "$RESTORED"
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
