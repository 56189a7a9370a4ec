#!/usr/bin/env bash
# Makes the Python environments of the images as docker/Dockerfile does, without Docker, and looks at what is in them:
# what must import, what must not be there, what must run, how large they are. Gigabytes and minutes.
#   scripts/check-images.sh [serve] [ops] [train]      default: all; they are removed again
#   VIGIA_TORCH_INDEX   as for scripts/install.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

targets=("$@")
((${#targets[@]})) || targets=(serve ops train)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
for target in "${targets[@]}"; do
  scripts/image-install.sh packages "$target" "$work/$target"
  [ "$target" != train ] || scripts/image-install.sh torch "$work/$target"
  scripts/image-install.sh vigia "$work/$target"
  # As a pod is: a folder of its own, no variable of this shell but these.
  (cd "$work" && env -i HOME="$work" PATH=/usr/bin:/bin RAY_USAGE_STATS_ENABLED=0 ORT_DISABLE_TELEMETRY=1 \
    MLFLOW_DISABLE_TELEMETRY=true DO_NOT_TRACK=true GX_ANALYTICS_ENABLED=false \
    "$work/$target/bin/python" -I "$OLDPWD/scripts/image_contents.py" "$target") || failed=1
  rm -rf "${work:?}/$target"
done
exit "$failed"
