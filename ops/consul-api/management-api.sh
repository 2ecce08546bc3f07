#!/bin/sh
# management-api.sh: requests with the management token, in a server's container. Without security there is no token, and none is needed. Behind consul-api.sh.
# shellcheck disable=SC2154 # consul-api.sh gives url
management_token=$(cat /consul/secrets/management.header 2>/dev/null)

# managed PATH [OPTION OF CURL...] < BODY: the token goes by a file descriptor: an argument can be read by whoever sees the processes.
managed() {
  path=$1
  shift
  [ -n "$management_token" ] || {
    curl -sS -m 10 "$@" "$url$path" 2>&1
    return
  }
  curl -sS -m 10 -H @/dev/fd/3 "$@" "$url$path" 3<<HEADER 2>&1
$management_token
HEADER
}
is_management_token() { managed /v1/acl/token/self </dev/null | jq -e '.Policies | any(.ID == "00000000-0000-0000-0000-000000000001")' >/dev/null 2>&1; }
