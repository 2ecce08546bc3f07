#!/bin/sh
# acl.sh SECONDS DEFINITIONS PROGRAM: makes the cluster's ACL policies and tokens what they are to be, in a server's container. DEFINITIONS is JSON: `policies`, rules by
# name; `tokens`, names of policies by the token's name; `services`, names of the services that a node's own agent registers, by the node; `datacenter`. The SecretIDs
# are given on standard input; PROGRAM is acl.jq. Run again it changes nothing; of what it made earlier it deletes what is no longer wanted. Exits 0 when all is there, 3 when not in time.
# Behind consul-api.sh and management-api.sh.
# shellcheck disable=SC2034,SC2154 # consul-api.sh takes node, and gives given
set -u
seconds=$1 definitions=$2 program=$3 node=acl begun=$(now)
# As in readiness.sh.
grace=6

# The policies' rules are not among the answers about all of them.
rules_of() {
  printf '%s' "$1" | jq -r --argjson definitions "$definitions" '.[] | select($definitions.policies[.Name] != null) | .ID' | while read -r id; do
    managed "/v1/acl/policy/$id" </dev/null
  done | jq -sc 'map({key: .Name, value: .Rules}) | from_entries'
}
changes() {
  policies=$(managed /v1/acl/policies </dev/null) && rules=$(rules_of "$policies") &&
    managed /v1/acl/tokens </dev/null | jq -c --argjson definitions "$definitions" --slurpfile own /dev/fd/3 --argjson policies "$policies" \
      --argjson rules "$rules" ". as \$tokens | $program" 3<<OWN
$given
OWN
}

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  if [ "$(ask /v1/status/peers)" = '[]' ] && [ $(($(now) - begun)) -ge "$grace" ]; then
    echo "acl: skipped: the other servers are not deployed yet, and the last stack creates the tokens"
    exit 0
  elif ! authorize; then
    log "waiting for a leader that knows the management token"
    waited 8 && unknown
  elif ! steps=$(changes 2>&1); then
    log "cannot be read: $steps"
  elif [ -z "$steps" ]; then
    echo "acl: policies and tokens are complete"
    exit 0
  else
    failed=$(apply_steps "$steps")
    [ -z "$failed" ] || log "$(format_failures "$failed")"
  fi
  sleep 1
done
echo "acl: not done after $seconds s: ${logged:-no answer}" >&2
exit 3
