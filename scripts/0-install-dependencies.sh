#!/usr/bin/env bash
# Installs what Minikube and this repository need on Debian or Ubuntu, in the versions of scripts/versions.env: docker,
# git, kubectl, kustomize, minikube, helm, argocd. What is there in the right version stays; a second run does nothing.
#   --dry-run    say what would be done
#   VIGIA_BIN    folder of the programs (default: /usr/local/bin)
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/shell/report.sh
. "$here/shell/report.sh"
# shellcheck source=scripts/shell/fetch.sh
. "$here/shell/fetch.sh"
# shellcheck source=scripts/versions.env
. "$here/versions.env"

case "${1:-} $#" in
  " 0") ;;
  "--dry-run 1") dry_run=1 ;;
  *) code=2 fail "takes --dry-run or nothing" ;;
esac

readonly bin=${VIGIA_BIN:-/usr/local/bin}
# https://docs.docker.com/engine/install/debian/: the key that signs Docker's repository.
readonly docker_fingerprint=9DC858229FC7DD38854AE2D88D81803C0EBFCD88
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
architecture=$(dpkg --print-architecture 2>/dev/null) || code=2 fail "this is for Debian and Ubuntu: no dpkg here"
[[ $architecture =~ ^(amd64|arm64)$ ]] || code=2 fail "no programs for $architecture are published by all; amd64 or arm64"

main() {
  ((dry_run)) || mkdir -p "$bin" 2>/dev/null || true # one's own folder needs no root
  packages git curl ca-certificates gnupg openssl openssh-client
  docker_engine
  program kubectl "$KUBECTL_VERSION" kubectl version --client
  program kustomize "$KUSTOMIZE_VERSION" kustomize version
  program minikube "$MINIKUBE_VERSION" minikube version --short
  program helm "$HELM_VERSION" helm version --short
  program argocd "$ARGOCD_VERSION" argocd version --client --short
  at_least "$(git --version | version_in)" "$GIT_VERSION" ||
    say "git $(git --version | version_in) is older than the documented $GIT_VERSION"
  say "done; next, as a user of the group docker: scripts/1-config-cluster.sh"
}

as_root() {
  ((EUID)) || { run "$@"; return; }
  ((dry_run)) || command -v sudo >/dev/null || code=2 fail "there is no sudo here, and root is needed for: $*"
  run sudo "$@"
}

packages() {
  local package missing=()
  for package in "$@"; do
    dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package")
  done
  ((${#missing[@]})) || return 0
  as_root apt-get update -qq
  as_root apt-get install -y -qq --no-install-recommends "${missing[@]}"
}

docker_engine() {
  local found
  if found=$(docker --version 2>/dev/null | version_in) && at_least "$found" "$DOCKER_VERSION"; then
    say "docker $found is there"
    return
  fi
  local system codename
  # shellcheck disable=SC1091 # the system's own
  system=$(. /etc/os-release && echo "$ID") codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [[ $system =~ ^(debian|ubuntu)$ ]] || code=2 fail "Docker has no packages for $system; install Docker $DOCKER_VERSION or newer"
  ((dry_run)) || docker_key "$system"
  printf 'deb [arch=%s signed-by=/etc/apt/keyrings/docker.asc] https://download.docker.com/linux/%s %s stable\n' \
    "$architecture" "$system" "$codename" >"$work/docker.list"
  as_root install -D -m 0644 "$work/docker.asc" /etc/apt/keyrings/docker.asc
  as_root install -D -m 0644 "$work/docker.list" /etc/apt/sources.list.d/docker.list
  as_root apt-get update -qq
  as_root apt-get install -y -qq docker-ce docker-ce-cli containerd.io docker-buildx-plugin
  say "to use docker without sudo: sudo usermod -aG docker \$USER, then log in again (that is as good as root)"
}

docker_key() { # system
  download "https://download.docker.com/linux/$1/gpg" >"$work/docker.asc" || fail "cannot read Docker's key"
  [[ $(gpg --show-keys --with-colons "$work/docker.asc") == *$'\n'"fpr:::::::::$docker_fingerprint:"* ]] ||
    fail "the key at download.docker.com is not $docker_fingerprint"
}

# program NAME VERSION COMMAND…: installs it unless the command says that very version.
program() {
  local name=$1 version=$2 url sums
  if [ "$("${@:3}" 2>/dev/null | version_in)" = "${version#v}" ]; then
    say "$name $version is there"
    return
  fi
  local github=https://github.com
  case $name in
    kubectl)
      url=https://dl.k8s.io/release/$version/bin/linux/$architecture/kubectl
      sums=$url.sha256 ;;
    kustomize)
      url=$github/kubernetes-sigs/kustomize/releases/download/kustomize%2F$version/kustomize_${version}_linux_$architecture.tar.gz
      sums=${url%/*}/checksums.txt ;;
    minikube)
      url=$github/kubernetes/minikube/releases/download/$version/minikube-linux-$architecture
      sums=$url.sha256 ;;
    helm)
      url=https://get.helm.sh/helm-$version-linux-$architecture.tar.gz
      sums=$url.sha256sum ;;
    argocd)
      url=$github/argoproj/argo-cd/releases/download/$version/argocd-linux-$architecture
      sums=${url%/*}/cli_checksums.txt ;;
  esac
  say "$name $version from $url, held against $sums"
  ((dry_run)) || fetch "$url" "$sums" "$work"
  local file=$work/${url##*/}
  if [[ $file == *.tar.gz ]]; then
    ((dry_run)) || tar -xzf "$file" -C "$work" --no-same-owner
    file=$work/$name
    [ "$name" = kustomize ] || file=$work/linux-$architecture/$name
  fi
  local as=as_root
  [ ! -w "$bin" ] || as=run
  "$as" install -D -m 0755 "$file" "$bin/$name"
  hash -r
  ((dry_run)) || [ "$(command -v "$name")" = "$bin/$name" ] ||
    say "another $name comes first on your PATH: $(command -v "$name" || echo none); put $bin before it"
}

main
