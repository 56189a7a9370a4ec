# What every script says and how it runs things. Sourced; dry_run is 1 where nothing may change.
# shellcheck shell=bash
dry_run=${dry_run:-0}

say() { printf '%s\n' "$*" >&2; }
fail() { printf '%s: %s\n' "${0##*/}" "$*" >&2; exit "${code:-1}"; }

# Runs a command that changes something, and says it; under dry_run only says it. Never call it with a secret.
run() {
  say "+ $*"
  ((dry_run)) || "$@"
}

# The text on standard input, for a command that reads it there; under dry_run the command is only said.
feed() {
  say "+ … | $*"
  if ((dry_run)); then cat >/dev/null; else "$@"; fi
}

# A question to the cluster. Under dry_run there may be none yet: then the answer is nothing.
ask() {
  if ((dry_run)); then kubectl "$@" 2>/dev/null || true; else kubectl "$@"; fi
}

# Whether version $1 is at least $2; a leading v does not count.
at_least() { [ "$(printf '%s\n' "${2#v}" "${1#v}" | sort -V | head -n 1)" = "${2#v}" ]; }

# The first thing on standard input that looks like a version, without v. Reads to the end: pipefail counts who writes on.
version_in() {
  awk '!found && match($0, /[0-9]+[.][0-9]+[.][0-9]+/) { print substr($0, RSTART, RLENGTH); found = 1 } END { exit !found }'
}
