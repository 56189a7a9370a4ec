#!/bin/sh
# Buckets of the store and one user for each identity. Safe to run again: what exists stays, a new policy or a new secret
# key takes effect. The image has no grep, no sed and no curl: shell and mc only.
#
# IDENTITIES: a folder a user, with the files AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.  POLICIES: this ConfigMap.
# Keys go to mc through pipes: command lines are visible to every process of a node.
set -eu

: "${ENDPOINT:?}" "${IDENTITIES:?}" "${POLICIES:?}" "${MINIO_ROOT_USER:?}" "${MINIO_ROOT_PASSWORD:?}"
WAIT_S=${WAIT_S:-300}

connect() {
  waited=0
  until printf '%s\n%s\n' "$MINIO_ROOT_USER" "$MINIO_ROOT_PASSWORD" | mc alias set store "$ENDPOINT" >/dev/null; do
    if [ "$waited" -ge "$WAIT_S" ]; then
      echo "$ENDPOINT did not take the administrator's keys within $WAIT_S s" >&2
      exit 1
    fi
    sleep 5
    waited=$((waited + 5))
  done
}

make_buckets() {
  for bucket in backups bundles data mlflow predictions; do
    mc mb --ignore-existing "store/$bucket"
  done
  # A bundle or a backup that is deleted or overwritten can be had again: docs/runbook.md.
  mc version enable store/bundles
  mc version enable store/backups
  mc ilm rule import store/backups <"$POLICIES/lifecycle.json" # replaces the rules; `add` would repeat them
}

# make_user NAME
make_user() {
  access_key=$(cat "$IDENTITIES/$1/AWS_ACCESS_KEY_ID")
  secret_key=$(cat "$IDENTITIES/$1/AWS_SECRET_ACCESS_KEY")
  mc admin policy create store "$1" "$POLICIES/$1.json"
  printf '%s\n%s\n' "$access_key" "$secret_key" | mc admin user add store
  mc admin policy attach store "$1" --user "$access_key"
}

connect
make_buckets
for identity in backup ops register serve train; do
  make_user "$identity"
done
echo "buckets and identities are as declared"
