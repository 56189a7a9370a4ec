#!/usr/bin/env bash
# Resolves pyproject.toml into requirements.lock: every version pinned and hashed, for every platform and Python >= 3.11.
# The CUDA packages that the registry's torch wheel asks for are left out: nobody downloads them without asking.
# torch itself keeps its pin but no hashes, since each index offers another build of it (scripts/install.sh installs it in
# a step of its own). Needs `uv`; run by hand after a change of dependencies: make lock
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# What is pinned stays pinned where it still fits (uv prefers what its output file holds); scripts/lock.sh --upgrade
cp requirements.lock requirements.lock.new
uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
  --no-emit-index-url --no-emit-find-links --no-header --no-annotate --quiet --output-file requirements.lock.new "$@"
{
  echo "# Made by scripts/lock.sh from pyproject.toml; do not edit. torch comes without hashes, CUDA packages not at all."
  awk '
    /^[A-Za-z0-9]/ { skip = ($0 ~ /^(nvidia-|cuda-|triton==)/); torch = ($0 ~ /^torch==/) }
    torch && /^[A-Za-z0-9]/ { sub(/ *\\$/, ""); print; next }
    !skip && !torch
  ' requirements.lock.new
} >requirements.lock
rm requirements.lock.new
echo "requirements.lock: $(grep -c '^[A-Za-z0-9]' requirements.lock) packages"
