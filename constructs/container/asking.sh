#!/bin/sh
# asking.sh: how the scripts that decide ask Consul, and how they answer. It stands in front of each of them.
# A script exits 0 for yes, 3 for no, 4 when this agent cannot tell, so that the next one is asked. It sets `node`, whom it is about.
# shellcheck disable=SC2154 # node is the script's behind it
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

# ask PATH [OPTION OF CURL...]
ask() {
  path=$1
  shift
  curl -sS -m 5 "$@" "$url$path" 2>/dev/null
}
value() { jq -r "$@" 2>/dev/null; }
now() { date +%s; }
# The leader's address, or nothing. The API says "" when there is none.
leader() { ask /v1/status/leader -f | tr -d '"'; }

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
