# Downloads that are worth what their publisher's checksum file says. Sourced after report.sh.
# shellcheck shell=bash

# fetch URL SUMS_URL FOLDER: puts the file of the URL into the folder if its SHA-256 is the one in the publisher's file,
# which holds either a bare sum or lines of sum and name. Otherwise nothing is left there, and it fails.
fetch() {
  local url=$1 sums_url=$2 folder=$3 name=${1##*/} sums wanted found
  sums=$(download "$sums_url") || fail "cannot read $sums_url"
  wanted=$(awk -v name="$name" 'NF == 1 && NR == 1 { print $1 } NF > 1 { sub(/^[*]?([.]\/)?/, "", $2) } NF > 1 && $2 == name { print $1 }' <<<"$sums" | sort -u)
  [[ $wanted =~ ^[0-9a-f]{64}$ ]] || fail "$sums_url names no single SHA-256 of $name"
  download "$url" >"$folder/$name" || { rm -f "$folder/$name"; fail "cannot download $url"; }
  found=$(sha256sum <"$folder/$name" | cut -d ' ' -f 1)
  [ "$found" = "$wanted" ] || {
    rm -f "$folder/$name"
    fail "$url is not what its publisher says: SHA-256 $found, wanted $wanted"
  }
}

download() {
  curl --fail --silent --show-error --location --proto '=https' --tlsv1.2 --retry 3 --connect-timeout 20 --max-time 900 "$1"
}
