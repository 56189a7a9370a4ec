#!/usr/bin/env bash
# Makes .venv from requirements.lock with pip alone; does nothing when .venv already holds exactly that.
#   PYTHON             interpreter to use (default: python3.11, else python3)
#   VIGIA_TORCH_INDEX  package index for torch, the one package that comes as CPU and CUDA builds (default: the official
#                      CPU index where it answers within 3 s, else the plain index, if that offers a CPU build)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=scripts/shell/torch.sh
. scripts/shell/torch.sh
readonly need_gib=5

say() { printf 'install: %s\n' "$*"; }
fail() { printf 'install: %s\n' "$*" >&2; exit 1; }

# First second: everything that would otherwise fail after minutes.
wanted=$(cat requirements.lock pyproject.toml scripts/install.sh scripts/shell/torch.sh | cksum)
[ "$(cat .venv/.installed 2>/dev/null)" != "$wanted" ] || exit 0
python=${PYTHON:-$(command -v python3.11 || command -v python3 || true)}
[ -n "$python" ] || fail "no python3 found; install Python 3.11 or newer"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" --version) is too old; set PYTHON=/path/to/python3.11 or newer"
"$python" -c 'import venv, ensurepip' 2>/dev/null ||
  fail "$python has no venv module; on Debian and Ubuntu: apt-get install python3-venv"
free_gib=$(($(df -Pk . | awk 'NR == 2 {print $4}') / 1048576))
[ "$free_gib" -ge "$need_gib" ] || fail "$free_gib GiB free here, $need_gib GiB needed"

started=$SECONDS
if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
  say "creating .venv"
  "$python" -m venv --clear .venv
fi
rm -f .venv/.installed
pip() { .venv/bin/python -m pip --disable-pip-version-check "$@"; }

torch=$(grep '^torch==' requirements.lock)
if ! .venv/bin/python -c "import importlib.metadata as m, sys; sys.exit(m.version('torch').split('+')[0] != '${torch#torch==}')" 2>/dev/null; then
  index=$(torch_index .venv/bin/python "$torch") || exit 1
  say "$torch from ${index:-the plain index}"
  pip install -qq --no-deps ${index:+--index-url "$index"} "$torch"
fi

say "$(grep -c '^[A-Za-z0-9]' requirements.lock) packages from requirements.lock (a few minutes the first time)"
grep -v '^torch==' requirements.lock >.venv/requirements.txt
pip install -qq --no-deps --require-hashes --prefer-binary -r .venv/requirements.txt
pip install -qq --no-deps --no-build-isolation --editable .
# onnxruntime writes a device id to the home folder unless it is told not to.
ORT_DISABLE_TELEMETRY=1 .venv/bin/python -c 'import torch, ray, onnxruntime' || fail "the installed packages do not import; remove .venv and try again"
printf '%s\n' "$wanted" >.venv/.installed
say "done in $((SECONDS - started)) s"
