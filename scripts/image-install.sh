#!/usr/bin/env bash
# Makes the Python environment of one image, in steps that a build can cache; the Dockerfile and scripts/check-images.sh
# run the same ones.
#   image-install.sh packages serve|ops|train FOLDER   a venv without pip, with that part of requirements.lock
#   image-install.sh torch FOLDER                      torch as the lock pins it; VIGIA_TORCH_INDEX: another index
#   image-install.sh vigia FOLDER                      vigia itself, from this checkout; REVISION: its commit, kept there
#                                                      with the lock, for what a model says of its code
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
python=${PYTHON:-python3}
# shellcheck source=scripts/shell/torch.sh
. "$root/scripts/shell/torch.sh"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pip() { "$python" -m pip --disable-pip-version-check --no-input "$@"; }
into() { pip --python "$1/bin/python" install --quiet --no-deps "${@:2}"; }

packages() { # extra, folder
  "$python" -m venv --without-pip "$2"
  "$python" "$root/scripts/image_requirements.py" "$1" >"$work/requirements.txt"
  into "$2" --require-hashes --only-binary :all: -r "$work/requirements.txt"
}

torch() { # folder
  local pin index
  pin=$(grep '^torch==' "$root/requirements.lock")
  index=$(torch_index "$python" "$pin")
  # Without a hash: each index has its own build, so that the lock can hold none.
  into "$1" --only-binary :all: ${index:+--index-url "$index"} "$pin"
}

vigia() { # folder
  # setuptools by the lock's hash, in a venv that does not stay; and sources copied, since a build writes beside them.
  "$python" -m venv "$work/venv"
  awk '/^[A-Za-z0-9]/ { on = /^setuptools==/ } on' "$root/requirements.lock" >"$work/setuptools.txt"
  "$work/venv/bin/python" -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes \
    -r "$work/setuptools.txt"
  mkdir "$work/source"
  (cd "$root" && cp -R pyproject.toml README.md LICENSE features serving evaluation training flows "$work/source")
  "$work/venv/bin/python" -m pip --disable-pip-version-check wheel --quiet --no-deps --no-build-isolation \
    --wheel-dir "$work" "$work/source"
  into "$1" --force-reinstall "$work"/vigia-*.whl
  cp "$root/requirements.lock" "$1"
  [ -z "${REVISION:-}" ] || printf '%s\n' "$REVISION" >"$1/vigia-commit"
}

case "${1:-} $#" in
  "packages 3") packages "$2" "$3" ;;
  "torch 2") torch "$2" ;;
  "vigia 2") vigia "$2" ;;
  *) sed -n '2,7s/^# \{0,1\}//p' "$0" >&2; exit 2 ;;
esac
