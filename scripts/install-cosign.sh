#!/usr/bin/env bash
# Puts cosign, which signs images, into a folder, held against its publisher's checksums.
#   install-cosign.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/shell/report.sh
. "$here/shell/report.sh"
# shellcheck source=scripts/shell/fetch.sh
. "$here/shell/fetch.sh"
# shellcheck source=scripts/versions.env
. "$here/versions.env"

folder=${1:?a folder}
release=https://github.com/sigstore/cosign/releases/download/$COSIGN_VERSION
mkdir -p "$folder"
fetch "$release/cosign-linux-amd64" "$release/cosign_checksums.txt" "$folder"
mv "$folder/cosign-linux-amd64" "$folder/cosign"
chmod 0755 "$folder/cosign"
