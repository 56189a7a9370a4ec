# Secrets that are made once: values never change here once they stand, are never an argument and never said.
# Sourced after report.sh; `secrets` is a folder of mode 0700 where values are files until they are in the cluster.
#   secrets_in NAMESPACE; value KEY; value KEY TEXT; secret NAME; …; apply_secrets
# shellcheck shell=bash
: "${secrets:?}"

# Looks once at what stands in the namespace.
secrets_in() {
  namespace=$1
  mkdir -p "$secrets/values"
  : >"$secrets/manifest"
  # shellcheck disable=SC2016 # variables of the template
  standing=$(ask get secrets --namespace "$namespace" --output \
    'go-template={{range .items}}{{.metadata.name}}{{range $key, $_ := .data}} {{$key}}{{end}}{{"\n"}}{{end}}') ||
    fail "cannot look for secrets in $namespace"
}

# value KEY [TEXT]: of the next secret. Without a text, 48 random hexadecimal digits.
value() {
  if (($# > 1)); then printf '%s' "$2"; else random 24; fi >"$secrets/values/$1"
}

# random BYTES, in hexadecimal digits
random() {
  head -c "$1" /dev/urandom | od -An -v -tx1 | tr -d ' \n'
}

# secret NAME [TYPE [LABEL=VALUE]]: with the values since the last one, unless it has values already.
secret() {
  local name=$1 type=${2:-Opaque} label=${3:-} keys file key wanted=() data=''
  keys=$(sed -n "s/^$name //p" <<<"$standing")
  while IFS= read -r file; do
    key=${file##*/}
    wanted+=("$key")
    data+="${data:+,}\"$key\":\"$(openssl base64 -A -in "$file")\""
  done < <(find "$secrets/values" -type f | sort)
  find "$secrets/values" -type f -delete
  if [ -z "$keys" ]; then
    say "+ secret $namespace/$name gets values for ${wanted[*]}"
    [ -z "$label" ] || label=",\"labels\":{\"${label%%=*}\":\"${label#*=}\"}"
    printf '{"apiVersion":"v1","kind":"Secret","metadata":{"name":"%s","namespace":"%s"%s},"type":"%s","data":{%s}}\n' \
      "$name" "$namespace" "$label" "$type" "$data" >>"$secrets/manifest"
    return
  fi
  for key in "${wanted[@]}"; do
    [[ " $keys " == *" $key "* ]] || fail "secret $namespace/$name lacks $key; delete it, run this again, and restart what uses it"
  done
  say "secret $namespace/$name stands as it is"
}

# By server-side apply under a field manager of its own, so that no manifest without values takes them away.
apply_secrets() {
  [ ! -s "$secrets/manifest" ] || feed kubectl apply --server-side --field-manager vigia-secrets --filename - <"$secrets/manifest"
  : >"$secrets/manifest"
}
