#!/bin/sh
# consul-api.sh: requests to Consul in an agent's container. It precedes each script that needs them. The script sets
# `node`, the subject of its messages.
# shellcheck disable=SC2154 # node is the script's behind it
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

logged=''
# Prints a message that differs from the last one.
log() {
  [ "$1" != "$logged" ] || return 0
  echo "$node: $1"
  logged=$1
}
