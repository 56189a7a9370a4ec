#!/usr/bin/env bash
# Builds one image of docker/Dockerfile with buildx.
#   build-image.sh serve|ops|train [arguments of `docker buildx build`, such as --load]
#     --tag    default: vigia-TARGET
#   BASE_DIGEST   digest of the base image (default: whatever its tag is now)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

target=${1:?serve, ops or train}
shift
base=$(sed -n 's/^ARG PYTHON_IMAGE=//p' docker/Dockerfile)
[[ " $* " == *" --tag "* ]] || set -- --tag "vigia-$target" "$@"
docker buildx build --file docker/Dockerfile --target "$target" \
  --build-arg "PYTHON_IMAGE=$base${BASE_DIGEST:+@$BASE_DIGEST}" --build-arg "BASE_DIGEST=${BASE_DIGEST:-}" \
  --build-arg "REVISION=$(git describe --always --abbrev=40 --exclude '*' --dirty)" "$@" .
