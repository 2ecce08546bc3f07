#!/bin/sh
# management-api.sh: how a script in a server's container makes things in the cluster: with the management token, where there is one; without security none is needed. Behind consul-api.sh.
# shellcheck disable=SC2154 # consul-api.sh gives url and given
authority=$(cat /consul/secrets/management.header 2>/dev/null)

# managed PATH [OPTION OF CURL...] < BODY: the token goes by a file descriptor: an argument can be read by whoever sees the processes.
managed() {
  path=$1
  shift
  [ -n "$authority" ] || {
    curl -sS -m 10 "$@" "$url$path" 2>&1
    return
  }
  curl -sS -m 10 -H @/dev/fd/3 "$@" "$url$path" 3<<HEADER 2>&1
$authority
HEADER
}
manages() { managed /v1/acl/token/self </dev/null | jq -e '.Policies | any(.ID == "00000000-0000-0000-0000-000000000001")' >/dev/null 2>&1; }
# When the management token is being replaced, the cluster knows only the one before. Without security whoever finds a leader has it.
authorize() {
  if [ -z "$authority" ]; then
    [ -n "$(leader)" ]
    return
  fi
  manages && return 0
  for former in $(printf '%s' "${given:-}" | jq -r '.retiring[]'); do
    current=$authority authority="X-Consul-Token: $former"
    manages && return 0
    authority=$current
  done
  return 1
}

# take STEPS: a step a line, [method, path, body]; a body that is text is sent as it is, any other as JSON. Prints the steps that could not be taken, with the answer.
take() {
  printf '%s\n' "$1" | while IFS= read -r step; do
    method=$(printf '%s' "$step" | jq -r '.[0]') path=$(printf '%s' "$step" | jq -r '.[1]')
    answer=$(printf '%s' "$step" | jq -j '.[2] | if . == null then empty elif type == "string" then . else tojson end' |
      managed "$path" -X "$method" --fail-with-body --data-binary @-) || printf '%s' "$step" | jq -c --arg answer "$answer" '.[:3] + [$answer]'
  done
}
# why STEPS: of those that could not be taken.
why() {
  printf '%s\n' "$1" | jq -r '"\(.[0]) \(.[1])\(.[2] | if type == "object" then " of \(.kind // "") \(.name // .Name // .Description // "")" else "" end): \(.[3])"' |
    tr -s '[:space:]' ' ' | head -c 400
}
