#!/bin/sh
# consul-api.sh: requests to Consul, and the outcomes of a check. It precedes each script that needs them.
# Exit codes: 0 allow, 3 deny, 4 unknown. After 4 the operator's side runs the script in the next container. The script
# sets `node`, the name of the agent that it checks.
# shellcheck disable=SC2034,SC2154 # given is for the script behind it, and node is the script's behind it
# Input that must not be an argument, on one line.
[ -z "${input:-}" ] || IFS= read -r given
# The operator's side holds standard input open. At its end nobody waits for the result any more, and this script must
# not acquire anything.
if [ -n "${lifeline:-}" ]; then
  # Descriptor 9, because the shell redirects descriptor 0 of a background command to /dev/null.
  exec 9<&0
  {
    while read -r _; do :; done
    kill -TERM $$
  } <&9 >/dev/null 2>&1 &
  watch=$!
  trap 'kill "$watch" 2>/dev/null' EXIT
fi

url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}

# The current token, if the cluster knows it; else the previous one, during a rotation; else none. While security is
# being turned on, a request without a token has all rights. In a new cluster with security it has none.
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
    # The agent cannot resolve the token now, for example without a leader.
    *) return 0 ;;
    esac
  done
  return 1
}
# One probe, whose result all subshells inherit.
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
# The leader's address, or nothing. Without a leader the API returns "".
leader() { ask /v1/status/leader -f | tr -d '"'; }

# Whether this is the container of the agent that is checked. Its API may be unreachable, so the processes are read.
is_here() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -qxF -- "-node=$node"; }

logged='' since=$(now)
# Prints a message that differs from the last one, and notes the time.
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
