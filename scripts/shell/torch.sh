# Which index torch comes from: the one package that comes as CPU and CUDA builds. Sourced; needs nothing else.
# shellcheck shell=bash

# torch_index PYTHON PIN: VIGIA_TORCH_INDEX, else the official CPU index where it answers within 3 s; nothing where the
# plain index is to be used, since its build is a CPU one too. Fails, and says why, where only a CUDA build is to be had.
torch_index() (
  official=https://download.pytorch.org/whl/cpu
  if [ -n "${VIGIA_TORCH_INDEX:-}" ]; then
    echo "$VIGIA_TORCH_INDEX"
  elif "$1" -c "import urllib.request; urllib.request.urlopen('$official/torch/', timeout=3)" 2>/dev/null; then
    echo "$official"
  else
    # The registry's Linux wheel is a CUDA build: look before downloading it.
    report=$(mktemp)
    trap 'rm -f "$report"' EXIT
    "$1" -m pip --disable-pip-version-check install -qq --dry-run --ignore-installed --no-deps --report "$report" "$2" || {
      echo "$2: neither the official CPU index nor the plain index offers it; set VIGIA_TORCH_INDEX" >&2
      exit 1
    }
    "$1" - "$report" <<'PYTHON' || {
import json, platform, sys
metadata = json.load(open(sys.argv[1]))["install"][0]["metadata"]
cuda = any(name.startswith(("nvidia-", "cuda-")) for name in metadata.get("requires_dist", []))
sys.exit(platform.system() == "Linux" and cuda and "+cpu" not in metadata["version"])
PYTHON
      echo "the official CPU index did not answer and the plain index has only a CUDA build of $2 (GBs); set \
VIGIA_TORCH_INDEX to an index with the build you want" >&2
      exit 1
    }
  fi
)
