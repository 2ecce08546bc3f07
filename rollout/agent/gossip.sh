#!/bin/sh
# gossip.sh SECONDS: makes the gossip key of this server's secrets the cluster's only one: installed everywhere, used everywhere, all others removed. No agent
# restarts: a key in an agent's data wins over the one that it is given (hashicorp/consul, agent/keyring.go). Exits 0 when so, 3 when not in time. Behind consul-api.sh.
# shellcheck disable=SC2034 # consul-api.sh takes node
set -u
seconds=$1 node=gossip begun=$(now) key=/consul/secrets/gossip.json

# keyring METHOD < KEY: by standard input, for a key is a secret.
keyring() { ask /v1/operator/keyring -X "$1" -d @-; }
# What is to be done with which key, and `done` when there is nothing. Of servers alone, when they are asked `local-only`.
next() {
  ask "/v1/operator/keyring$1" | value -c --slurpfile own "$key" '$own[0].encrypt as $key | if type != "array" then empty
    elif any(.[]; (.Keys[$key] // 0) < .NumNodes) then ["POST", {Key: $key}]
    elif any(.[]; .PrimaryKeys != null and (.PrimaryKeys[$key] // 0) < .NumNodes) then ["PUT", {Key: $key}]
    else ([.[].Keys | keys[] | select(. != $key)] | first | if . then ["DELETE", {Key: .}] else ["done"] end) end'
}

# While gossip encryption is being turned on, other agents have no keys yet: servers that all have this one alone need no change.
[ "$(next '?local-only=true')" != '["done"]' ] || exit 0

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  step=$(next '')
  case $step in
  '["done"]')
    echo "gossip: all agents use one key"
    exit 0
    ;;
  '')
    log "this server does not list the keys: $(ask /v1/operator/keyring | head -c 200)"
    ;;
  *)
    case $step in '["POST"'*) log "installing the new key" ;; '["PUT"'*) log "using the new key" ;; *) log "removing the old key" ;; esac
    printf '%s' "$step" | value -c '.[1]' | keyring "$(printf '%s' "$step" | value '.[0]')"
    ;;
  esac
  sleep 1
done
echo "gossip: not changed after $seconds s: ${logged:-no answer}; hint: bring back an agent that is unreachable, or remove it from the members" >&2
exit 3
