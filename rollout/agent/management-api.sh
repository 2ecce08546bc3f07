#!/bin/sh
# management-api.sh: requests with the management token, in a server's container. Without security there is no token, and none is needed. Behind consul-api.sh.
# shellcheck disable=SC2154 # consul-api.sh gives url and given
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
# When the management token is being replaced, the cluster knows only the one before. Without security whoever finds a leader has it.
authorize() {
  if [ -z "$management_token" ]; then
    [ -n "$(leader)" ]
    return
  fi
  is_management_token && return 0
  for former in $(printf '%s' "${given:-}" | jq -r '.retiring[]'); do
    current=$management_token management_token="X-Consul-Token: $former"
    is_management_token && return 0
    management_token=$current
  done
  return 1
}

# apply_steps STEPS: a step a line, [method, path, body]; a body that is text is sent as it is, any other as JSON. Prints the steps that failed, each with the answer.
apply_steps() {
  printf '%s\n' "$1" | while IFS= read -r step; do
    method=$(printf '%s' "$step" | jq -r '.[0]') path=$(printf '%s' "$step" | jq -r '.[1]')
    answer=$(printf '%s' "$step" | jq -j '.[2] | if . == null then empty elif type == "string" then . else tojson end' |
      managed "$path" -X "$method" --fail-with-body --data-binary @-) || printf '%s' "$step" | jq -c --arg answer "$answer" '.[:3] + [$answer]'
  done
}
# format_failures STEPS: steps that failed, with the answers.
format_failures() {
  printf '%s\n' "$1" | jq -r '"\(.[0]) \(.[1])\(.[2] | if type == "object" then " of \(.kind // "") \(.name // .Name // .Description // "")" else "" end): \(.[3])"' |
    tr -s '[:space:]' ' ' | head -c 400
}
