#!/usr/bin/env bash
# Fills in whose repository the manifests are: Argo CD reads git, so the address must stand in tracked files. Shows what
# changed; committing and pushing it is yours. Files with changes of your own are refused. A second run does nothing.
#   fill-in.sh [--repo OWNER/NAME] [--contact TEXT] [--check]
#   --repo      on GitHub (default: that of the remote origin)
#   --contact   who answers for it (default: https://github.com/OWNER)
#   --check     only say whether anything is to be filled in: exit code 3 if so
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=scripts/shell/report.sh
. "$here/shell/report.sh"
cd "$here/.."

repo='' contact='' check=0
while (($#)); do
  case $1 in
    --repo) repo=${2:?} && shift ;;
    --contact) contact=${2:?} && shift ;;
    --check) check=1 ;;
    *) code=2 fail "does not know $1" ;;
  esac
  shift
done

places=(manifests configs tests/manifests/golden) # the last: what the first look like when built
pattern='github\.com[:/]FILL-IN/|ghcr\.io/FILL-IN/|contact: FILL-IN|value: FILL-IN'
mapfile -t files < <(git grep -lE "$pattern" -- "${places[@]}" || true)
if ((${#files[@]} == 0)); then
  named=$(git grep -hoE 'repoURL: .*' -- manifests/argocd/app-minikube.yaml | sed -E 's#.*github\.com[:/]##; s#\.git$##')
  [ "${repo:-$named}" = "$named" ] || code=2 fail "the manifests name $named already, not $repo: that change is an edit of yours"
  say "nothing to fill in: the manifests name $named"
  exit 0
fi
((!check)) || { say "to be filled in: ${files[*]}"; exit 3; }
git diff --quiet HEAD -- "${files[@]}" || code=2 fail "commit or undo your changes first: $(git diff --name-only HEAD -- "${files[@]}" | xargs)"

if [ -z "$repo" ]; then
  repo=$(git remote get-url origin 2>/dev/null | sed -E 's#^(https://([^@/]+@)?github\.com/|(ssh://)?git@github\.com[:/])##; s#(\.git)?/?$##') || true
  [ -n "$repo" ] || code=2 fail "there is no remote origin: --repo OWNER/NAME"
fi
[[ $repo =~ ^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$ ]] || code=2 fail "'$repo' is no OWNER/NAME on GitHub: --repo OWNER/NAME"
contact=${contact:-https://github.com/${repo%/*}}
[[ $contact =~ ^[A-Za-z0-9@:/._+-]+$ ]] || code=2 fail "--contact is an address: letters, digits and @:/._+-"

# One line an address: what stands there | what shall. Registries know only small letters.
image=${repo%/*}
changes=(
  "github\.com([:/])FILL-IN/anomaly-detection-system|github.com\1$repo"
  "ghcr\.io/FILL-IN/|ghcr.io/${image,,}/"
  "^( *contact:) FILL-IN\$|\1 $contact"
)

for change in "${changes[@]}"; do
  sed -E -i "s#${change%%|*}#${change#*|}#" "${files[@]}"
done
sed -E -i "/name: Contact\$/{n;s#value: FILL-IN#value: $contact#}" "${files[@]}"
git --no-pager diff --stat -- "${files[@]}"
git --no-pager diff --unified=0 -- "${files[@]}"
say "Argo CD reads git, so look at this, then:"
say "  git commit --message 'The manifests name their repository' -- ${files[*]}"
say "  git push"
say "What is still FILL-IN is needed on aws alone: git grep -n FILL-IN -- manifests configs"
