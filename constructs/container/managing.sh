#!/bin/sh
# managing.sh: how a script in a server's container uses the management token; in a cluster without security there is none, and none is needed. Behind asking.sh.
# shellcheck disable=SC2154 # asking.sh gives url
management=$(cat /consul/secrets/management.header 2>/dev/null)

# managed PATH [OPTION OF CURL...] < BODY: the token goes by a file descriptor, for an argument can be read by whoever sees the processes.
managed() {
  path=$1
  shift
  curl -sS -m 10 -H @/dev/fd/3 "$@" "$url$path" 3<<HEADER 2>&1
$management
HEADER
}
manages() { managed /v1/acl/token/self </dev/null | jq -e '.Policies | any(.ID == "00000000-0000-0000-0000-000000000001")' >/dev/null 2>&1; }
