#!/bin/sh
# acl.sh SECONDS DEFINITIONS PROGRAM: makes the cluster's ACL policies and tokens what they are to be, in a server's container. DEFINITIONS is JSON: `policies`, rules by
# name; `tokens`, names of policies by the token's name; `services`, names of the services that a node's own agent registers, by the node; `datacenter`. The SecretIDs
# are given on standard input; PROGRAM is acl.jq. Run again it changes nothing; of what it made earlier it deletes what is no longer wanted. Exits 0 when all is there, 3 when not in time.
# Behind asking.sh and managing.sh.
# shellcheck disable=SC2034,SC2154 # asking.sh takes node, and gives given; managing.sh takes management
set -u
seconds=$1 definitions=$2 program=$3 node=acl begun=$(now)
# As in gate.sh.
grace=6

# When the management token is being replaced, the cluster knows only the one before.
authorize() {
  manages && return 0
  for former in $(printf '%s' "$given" | jq -r '.retiring[]'); do
    current=$management management="X-Consul-Token: $former"
    manages && return 0
    management=$current
  done
  return 1
}

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

# What could not be done, if anything.
take() {
  printf '%s\n' "$1" | while read -r step; do
    method=$(printf '%s' "$step" | jq -r '.[0]') path=$(printf '%s' "$step" | jq -r '.[1]')
    answer=$(printf '%s' "$step" | jq -c '.[2] // empty' | managed "$path" -X "$method" --fail-with-body -d @-) || printf '%s' "$method $path: $answer " | head -c 300
  done
}

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  if [ "$(ask /v1/status/peers)" = '[]' ] && [ $(($(now) - begun)) -ge "$grace" ]; then
    echo "acl: passes: the other servers are still to be deployed, and the last stack makes the tokens"
    exit 0
  elif ! authorize; then
    say "waiting for a leader that knows the management token"
    waited 8 && cannot_tell
  elif ! steps=$(changes 2>&1); then
    say "cannot be read: $steps"
  elif [ -z "$steps" ]; then
    echo "acl: policies and tokens are there"
    exit 0
  else
    failed=$(take "$steps")
    [ -z "$failed" ] || say "$failed"
  fi
  sleep 1
done
echo "acl: not done after $seconds s: ${said:-nothing was asked}" >&2
exit 3
