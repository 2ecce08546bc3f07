#!/bin/sh
# consul-api.sh: requests to Consul, and the outcomes of a check. It stands in front of each script that needs them.
# Exit codes: 0 allow, 3 deny, 4 unknown, after which the next agent is asked. A script sets `node`, the agent that it checks.
# shellcheck disable=SC2034,SC2154 # given is for the script behind it, and node is the script's behind it
# Input that must not be an argument, on one line.
[ -z "${input:-}" ] || IFS= read -r given
# The operator's side holds standard input open. When it ends, nobody waits for the result any more, and this script must not acquire anything.
if [ -n "${lifeline:-}" ]; then
  # By another number, because 0 of a background command is /dev/null.
  exec 9<&0
  {
    while read -r _; do :; done
    kill -TERM $$
  } <&9 >/dev/null 2>&1 &
  watch=$!
  trap 'kill "$watch" 2>/dev/null' EXIT
fi

url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}

# The current token, if the cluster knows it; else the previous one, during a rotation; else none. Requests without a token may do everything while security
# is being turned on, and nothing in a new cluster that has it.
header=/consul/secrets/rollout.header token_is=unknown
token_known() {
  [ "$token_is" != known ] || return 0
  for header in /consul/secrets/rollout.header /consul/secrets/former.header; do
    [ -r "$header" ] || continue
    # Servers answer this path without a leader.
    case $(curl -sS -m 5 -o /dev/null -w '%{http_code}' -H "@$header" "$url/v1/agent/members" 2>/dev/null) in
    200)
      token_is=known
      return 0
      ;;
    401 | 403) ;;
    # The agent does not know now.
    *) return 0 ;;
    esac
  done
  return 1
}
# Once, for all subshells.
token_known || :
# api OPTION OF CURL...
api() { if token_known; then curl -sS -m 5 -H "@$header" "$@"; else curl -sS -m 5 "$@"; fi; }
# ask PATH [OPTION OF CURL...]
ask() {
  path=$1
  shift
  api "$@" "$url$path" 2>/dev/null
}
value() { jq -r "$@" 2>/dev/null; }
now() { date +%s; }
# The leader's address, or nothing. The API says "" when there is none.
leader() { ask /v1/status/leader -f | tr -d '"'; }

# Whether this is the container of the agent that is checked. Its API may not answer.
is_here() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -qxF -- "-node=$node"; }

logged='' since=$(now)
# Prints a message that is new, and notes since when it holds.
log() {
  [ "$1" != "$logged" ] || return 0
  echo "$node: $1"
  logged=$1 since=$(now)
}
waited() { [ $(($(now) - since)) -ge "$1" ]; }
allow() {
  echo "$node: stop allowed: $1"
  exit 0
}
unknown() {
  echo "$logged" >&2
  exit 4
}
deny() {
  echo "$node: not stopped: $logged; $1" >&2
  exit 3
}
