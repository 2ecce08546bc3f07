#!/bin/sh
# consul-api.sh: how the scripts that decide ask Consul, and how they answer. It stands in front of each of them.
# A script exits 0 for yes, 3 for no, 4 when this agent cannot tell, so that the next one is asked. It sets `node`, whom it is about.
# shellcheck disable=SC2034,SC2154 # given is for the script behind it, and node is the script's behind it
# What a script is given that must not be an argument, on a line of its own.
[ -z "${input:-}" ] || IFS= read -r given
# Whoever asks holds standard input open: when it ends, nobody waits for an answer any more, and nothing may be taken.
if [ -n "${lifeline:-}" ]; then
  # By another number: of a background command 0 is /dev/null.
  exec 9<&0
  {
    while read -r _; do :; done
    kill -TERM $$
  } <&9 >/dev/null 2>&1 &
  watch=$!
  trap 'kill "$watch" 2>/dev/null' EXIT
fi

url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}

# The agent's token counts once the cluster knows it; until then the one before it does, when it is being replaced. With neither, whoever asks is anonymous: who
# may do everything while security is being turned on, and nothing in a new cluster that has it.
header=/consul/secrets/rollout.header token_is=unknown
token_known() {
  [ "$token_is" != known ] || return 0
  for header in /consul/secrets/rollout.header /consul/secrets/former.header; do
    [ -r "$header" ] || continue
    # A path of the agent's own: servers answer it without a leader.
    case $(curl -sS -m 5 -o /dev/null -w '%{http_code}' -H "@$header" "$url/v1/agent/members" 2>/dev/null) in
    200)
      token_is=known
      return 0
      ;;
    401 | 403) ;;
    # It cannot tell now.
    *) return 0 ;;
    esac
  done
  return 1
}
# Once for all that runs in subshells.
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

# Whether this is the container of the agent that the question is about. Its own API may not say.
is_here() { cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\0' '\n' | grep -qxF -- "-node=$node"; }

said='' since=$(now)
# Says what is new, and since when.
say() {
  [ "$1" != "$said" ] || return 0
  echo "$node: $1"
  said=$1 since=$(now)
}
waited() { [ $(($(now) - since)) -ge "$1" ]; }
let_go() {
  echo "$node: may be stopped: $1"
  exit 0
}
cannot_tell() {
  echo "$said" >&2
  exit 4
}
refuse() {
  echo "$node: not stopped: $said. $1" >&2
  exit 3
}
