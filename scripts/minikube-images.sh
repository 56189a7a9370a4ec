#!/usr/bin/env bash
# Builds the images in Minikube's own Docker, under the names and tags that its overlay asks for: no registry is needed.
# (`minikube image load` is reported to fail with the image store that Docker 29 has on a new machine.)
#   minikube-images.sh [serve] [ops] [train]      default: all; MINIKUBE_PROFILE: of another Minikube than minikube
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/shell/report.sh
. scripts/shell/report.sh

targets=("$@")
((${#targets[@]})) || targets=(serve ops train)
overlay=manifests/overlays/minikube/kustomization.yaml

images=()
for target in "${targets[@]}"; do
  image=$(awk -v name="vigia-$target" '$1 == "-" { on = $2 == "name:" && $3 == name } on && $1 ~ /^new/ { part[$1] = $2 }
    END { if ("newTag:" in part) print part["newName:"] ":" part["newTag:"] }' "$overlay")
  [ -n "$image" ] || code=2 fail "$overlay names no tag of vigia-$target (a digest can be pulled, not built)"
  [[ $image != *FILL-IN* ]] || code=2 fail "$image is no name of an image yet: scripts/fill-in.sh"
  images+=("$image")
done

inside=$(minikube docker-env --shell bash) || code=2 fail "Minikube does not run: scripts/1-config-cluster.sh"
eval "$inside"
for i in "${!targets[@]}"; do
  run scripts/build-image.sh "${targets[i]}" --builder default --load --tag "${images[i]}"
done
