#!/bin/sh
# Backups to the store, and back. The image has no grep and no sed: shell, coreutils and mc only.
#   store.sh upload   $WORK/mlflow.dump -> $DESTINATION/postgresql/<time>.dump, and over $DESTINATION/latest/mlflow.dump
#   store.sh fetch    $DESTINATION/$DUMP (latest/mlflow.dump) -> $WORK/mlflow.dump
#   store.sh mirror   every bucket of SOURCE_BUCKETS -> $DESTINATION/buckets/<bucket>; deletes nothing there
# KEYS holds the folders source and destination, each with the files AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
set -eu

: "${KEYS:?}" "${DESTINATION_ENDPOINT:?}" "${DESTINATION:?}"

# connect ALIAS ENDPOINT: keys through a pipe, since command lines are visible to every process of a node
connect() {
  printf '%s\n%s\n' "$(cat "$KEYS/$1/AWS_ACCESS_KEY_ID")" "$(cat "$KEYS/$1/AWS_SECRET_ACCESS_KEY")" |
    mc alias set "$1" "$2" >/dev/null
}

# Dumps by time expire after a month. The latest does not: when backups stop, the last one stays.
upload() {
  connect destination "$DESTINATION_ENDPOINT"
  file=${WORK:?}/mlflow.dump
  name=$(date -u +%Y-%m-%dT%H-%M-%SZ).dump
  mc cp --quiet "$file" "destination/$DESTINATION/postgresql/$name"
  mc cp --quiet "$file" "destination/$DESTINATION/latest/mlflow.dump"
  echo "uploaded $DESTINATION/postgresql/$name"
}

fetch() {
  connect destination "$DESTINATION_ENDPOINT"
  mc cp --quiet "destination/$DESTINATION/${DUMP:-latest/mlflow.dump}" "${WORK:?}/mlflow.dump"
  echo "fetched $DESTINATION/${DUMP:-latest/mlflow.dump}"
}

mirror() {
  connect source "${SOURCE_ENDPOINT:?}"
  connect destination "$DESTINATION_ENDPOINT"
  for bucket in ${SOURCE_BUCKETS:?}; do
    mc mirror --quiet --overwrite "source/$bucket" "destination/$DESTINATION/buckets/$bucket"
    echo "mirrored $bucket"
  done
}

case ${1:-} in
upload) upload ;;
fetch) fetch ;;
mirror) mirror ;;
*)
  echo "usage: store.sh upload|fetch|mirror" >&2
  exit 2
  ;;
esac
