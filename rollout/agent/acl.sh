#!/bin/sh
# acl.sh SECONDS DEFINITIONS PROGRAM: creates, updates and deletes the cluster's ACL policies and tokens. It runs in a
# server's container, behind consul-api.sh and management-api.sh.
# DEFINITIONS is JSON: `policies`, rules by policy name; `tokens`, policy names by token name; `services`, the names of
# the services that a node's own agent registers, by node name; `datacenter`. Standard input has the SecretIDs. PROGRAM
# is acl.jq.
# A second run changes nothing. Policies and tokens that an earlier run created are deleted when they are not declared
# any more. Exit codes: 0 when policies and tokens are complete, 3 at the timeout.
# shellcheck disable=SC2034,SC2154 # consul-api.sh takes node, and gives given
set -u
seconds=$1 definitions=$2 program=$3 node=acl begun=$(now)
# As in readiness.sh.
grace=6

# The API's list of policies has no rules, so each policy is read.
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
