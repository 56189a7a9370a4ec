#!/usr/bin/env bash
# A head and a worker as their pods start them, in network and mount namespaces of their own: root file system read-only,
# /tmp, /dev/shm and /var/cache writable. Run as root of a user namespace:
#   unshare -Urmn --pid --fork --kill-child --mount-proc two_nodes.sh FOLDER PYTHON
#   FOLDER  head.sh and worker.sh: the containers' variables, and `ray start` with their parameters; store/: bundles
set -euo pipefail
folder=$1 python=$2
mount --bind "$folder" /mnt
mount -o remount,bind,ro /

writable() { for place in /tmp /dev/shm /var/cache; do mount -t tmpfs tmpfs "$place"; done; }
export -f writable

unshare --mount --net bash -c 'writable && ip link set lo up && exec sleep 300' &
worker=$!
until nsenter --target "$worker" --net ip link show lo 2>/dev/null | grep -q 'state UNKNOWN'; do sleep 0.2; done
in_worker() { nsenter --target "$worker" --mount --net "$@"; }

ip link set lo up
ip link add head type veth peer name worker
ip link set worker netns "$worker"
ip address add 10.9.0.1/24 dev head
ip link set head up
in_worker ip address add 10.9.0.2/24 dev worker
in_worker ip link set worker up

writable
bash /mnt/head.sh >&2
in_worker bash /mnt/worker.sh >&2
# shellcheck source=/dev/null
. <(grep '^export' /mnt/head.sh)
exec "$python" -m tests.manifests.ray.two_nodes
