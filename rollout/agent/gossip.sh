#!/bin/sh
# gossip.sh SECONDS: makes the gossip key of this server's secrets the cluster's only one. It installs the key in all
# agents, makes it their primary key, and removes all other keys. No agent restarts. A restart alone would not change
# the key, because the key in an agent's data has precedence over the configured one (hashicorp/consul,
# agent/keyring.go). Exit codes: 0 when all agents use one key, 3 at the timeout. Behind consul-api.sh.
# shellcheck disable=SC2034 # consul-api.sh takes node
set -u
seconds=$1 node=gossip begun=$(now) key=/consul/secrets/gossip.json

# keyring METHOD < KEY: the key is a secret, so it is on standard input.
keyring() { ask /v1/operator/keyring -X "$1" -d @-; }
# next QUERY: prints the next request's method and key, or `done`. With `?local-only=true` only servers
# report their keys.
next() {
  ask "/v1/operator/keyring$1" | value -c --slurpfile own "$key" '$own[0].encrypt as $key | if type != "array" then empty
    elif any(.[]; (.Keys[$key] // 0) < .NumNodes) then ["POST", {Key: $key}]
    elif any(.[]; .PrimaryKeys != null and (.PrimaryKeys[$key] // 0) < .NumNodes) then ["PUT", {Key: $key}]
    else ([.[].Keys | keys[] | select(. != $key)] | first | if . then ["DELETE", {Key: .}] else ["done"] end) end'
}

# While gossip encryption is being turned on, other agents have no keys yet: servers that all have this one alone need
# no change.
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
