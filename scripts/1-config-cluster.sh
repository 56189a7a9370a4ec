#!/usr/bin/env bash
# From nothing to Argo CD keeping a Minikube in step with git: the cluster, the charts of scripts/versions.env, the secrets,
# the Application. Safe to run again: versions are brought up, secrets that stand are left as they are.
#   --repo OWNER/NAME   on GitHub (default: that of the remote origin)
#   --contact ADDRESS   who answers for it (default: https://github.com/OWNER)
#   --context NAME      a Minikube that is there already under another name, kubectl's current context; none is started
#   --dry-run           say what would be done
# Read where they are: ~/.ssh/argocd_rsa (deploy key of Argo CD, reads), ~/.ssh/vigia_git_rsa (deploy key of verify and
# promote in the cluster, writes), GITHUB_TOKEN (repo, read:packages), ALERT_WEBHOOK_URL (where alerts go).
set -euo pipefail
umask 077
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/.."
# shellcheck source=scripts/shell/report.sh
. "$here/shell/report.sh"
# shellcheck source=scripts/versions.env
. "$here/versions.env"

filling=() context=''
while (($#)); do
  case $1 in
    --repo | --contact) filling+=("$1" "${2:?}") && shift ;;
    --context) context=${2:?} && shift ;;
    --dry-run) dry_run=1 ;;
    *) code=2 fail "does not know $1" ;;
  esac
  shift
done
# Out of the environment: the programs called here have no use for it.
github_token=${GITHUB_TOKEN:-} webhook=${ALERT_WEBHOOK_URL:-}
unset GITHUB_TOKEN ALERT_WEBHOOK_URL

secrets=$(mktemp -d)
trap 'rm -rf "$secrets"' EXIT
# shellcheck source=scripts/shell/secrets.sh
. "$here/shell/secrets.sh"
# shellcheck source=scripts/shell/platform.sh
. "$here/shell/platform.sh"

main() {
  before_anything
  if [ -z "$context" ]; then
    docker_answers
    minikube_cluster
  fi
  the_right_cluster
  namespaces argocd ml-dev monitoring
  secrets_of_monitoring # Grafana and Alertmanager mount theirs
  charts
  argo_cd
  kinds
  secrets_of_argo_cd
  secrets_of_ours
  run kubectl apply -k manifests/argocd/
  next_steps
}

before_anything() {
  local program programs=(kubectl helm git openssl)
  [ -n "$context" ] || programs+=(docker minikube)
  for program in "${programs[@]}"; do
    command -v "$program" >/dev/null || code=2 fail "$program is not installed: scripts/0-install-dependencies.sh"
  done
  if ((dry_run)); then
    "$here/fill-in.sh" ${filling[@]+"${filling[@]}"} --check || say "(a real run fills that in and stops for your commit)"
  elif ! "$here/fill-in.sh" ${filling[@]+"${filling[@]}"} --check 2>/dev/null; then
    "$here/fill-in.sh" ${filling[@]+"${filling[@]}"}
    code=2 fail "nothing was done in a cluster yet; commit and push, then run this again"
  fi
  ((dry_run)) || [ -f "$HOME/.ssh/argocd_rsa" ] || code=2 fail "there is no $HOME/.ssh/argocd_rsa. Make it, and add \
argocd_rsa.pub to the deploy keys of the repository, without write access: ssh-keygen -t rsa -b 4096 -N '' -f ~/.ssh/argocd_rsa"
}

the_right_cluster() {
  local current
  current=$(kubectl config current-context 2>/dev/null) || true # fails where there is none
  ((dry_run)) || [ "$current" = "${context:-minikube}" ] ||
    code=2 fail "kubectl's current context is '$current', not '${context:-minikube}'"
}

secrets_of_monitoring() {
  secrets_in monitoring
  value admin-user admin
  value admin-password
  secret grafana-admin
  value url "${webhook:-http://127.0.0.1:9/fill-in}"
  secret alertmanager-receiver
  apply_secrets
}

secrets_of_argo_cd() {
  secrets_in argocd
  value type git
  value url "$(sed -n 's/^ *repoURL: //p' manifests/argocd/app-minikube.yaml)"
  key_file argocd_rsa sshPrivateKey
  secret repo-anomaly-detection-system-ssh Opaque argocd.argoproj.io/secret-type=repository
  apply_secrets
}

secrets_of_ours() {
  secrets_in ml-dev
  # Users of the store are not to be guessed either: its last release lets whoever knows one write (docs/runbook.md).
  value MINIO_ROOT_USER
  value MINIO_ROOT_PASSWORD
  secret minio-mlflow-secret
  value POSTGRES_USER mlflow
  value POSTGRES_PASSWORD
  secret postgresql-mlflow-secret
  value auth_token
  secret ray-auth-token
  identity register mlflow-secret
  local name
  for name in backup ops serve train; do identity "$name" "s3-$name-secret"; done
  pull_secret
  git_secret
  apply_secrets
}

identity() { # user of the store, secret
  value AWS_ACCESS_KEY_ID "$1-$(random 8)"
  value AWS_SECRET_ACCESS_KEY
  secret "$2"
}

pull_secret() {
  [ -n "$github_token" ] || { say "no GITHUB_TOKEN: the cluster pulls public images only"; return; }
  local owner login
  owner=$(sed -n 's#^ *newName: ghcr.io/\([^/]*\)/.*#\1#p' manifests/overlays/minikube/kustomization.yaml | head -n 1)
  login=$(printf '%s:%s' "$owner" "$github_token" | openssl base64 -A)
  value .dockerconfigjson "{\"auths\":{\"ghcr.io\":{\"auth\":\"$login\"}}}"
  secret ghcr-secret kubernetes.io/dockerconfigjson
}

git_secret() {
  [ -f "$HOME/.ssh/vigia_git_rsa" ] || {
    say "no ~/.ssh/vigia_git_rsa (a deploy key with write access): CronJob verify fails, and its alert fires, until there is \
one. Quiet meanwhile: kubectl -n ml-dev patch cronjob verify -p '{\"spec\":{\"suspend\":true}}'"
    return
  }
  key_file vigia_git_rsa ssh-privatekey
  # Argo CD brings the host keys of the usual forges.
  ask get configmap argocd-ssh-known-hosts-cm --namespace argocd --output 'jsonpath={.data.ssh_known_hosts}' \
    >"$secrets/values/known_hosts" || fail "cannot read the host keys that Argo CD brings"
  value token "$github_token"
  secret vigia-git-secret
}

key_file() { # file in ~/.ssh, key of the secret
  if ((dry_run)); then value "$2" ''; else cp "$HOME/.ssh/$1" "$secrets/values/$2"; fi
}

next_steps() {
  git diff --quiet origin/main -- manifests 2>/dev/null || [ $? -ne 1 ] ||
    say "manifests/ is not what origin/main held when last fetched, and Argo CD reads that: push"
  [ -n "$webhook" ] || say "ALERT_WEBHOOK_URL was not set: if the secret monitoring/alertmanager-receiver was made without it, \
alerts go nowhere"
  [ -z "$context" ] || say "its addons are yours: for addon in ingress metrics-server; do minikube -p $context addons enable \$addon; done"
  say "watch: kubectl get applications -n argocd --watch"
  say "once: echo \"\$(minikube${context:+ -p $context} ip) anomaly-detector.local\" | sudo tee -a /etc/hosts"
  say "Grafana's password: kubectl get secret grafana-admin -n monitoring -o jsonpath='{.data.admin-password}' | base64 -d"
}

main
