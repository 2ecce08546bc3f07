#!/bin/sh
# security-compat.sh: the stages of security of the agents that are alive, from their nodes' metadata. Behind consul-api.sh.

# stage_name STAGE: the cluster file's name of a stage, which agents announce under another one.
stage_name() {
  case $1 in accept) echo permissive ;; use) echo outgoing ;; require) echo strict ;; *) echo "$1" ;; esac
}
# A node without Consul's own metadata has not registered itself yet: a new agent whose token does not exist. It counts as compatible.
# incompatible_members STAGE: the living members that are more than one stage away from STAGE. Prints `none` if there are none, and nothing without an answer.
# `off` is compatible with no other stage afterwards, because an agent keeps its gossip key in its data (hashicorp/consul, agent/keyring.go).
incompatible_members() {
  members=$(ask /v1/agent/members | value -c 'map(select(.Status == 1).Name)')
  ask /v1/catalog/nodes | value --arg stage "$1" --argjson members "${members:-[]}" '
    ["off", "accept", "use", "require"] as $stages
    | {accept: "permissive", use: "outgoing", require: "strict"} as $names
    | INDEX(.[]; .Node) as $nodes
    | [$members | sort[]
      | {name: ., stage: ($nodes[.].Meta // {}
          | .["cdktf-security"] // (if has("consul-network-segment") then "off" else $stage end))}
      | select(.stage as $at | ($stages | index($at)) - ($stages | index($stage))
          | . < -1 or . > 1 or ($stage == "off" and . > 0))
      | "\(.name) (\($names[.stage] // .stage))"]
    | join(", ") | if . == "" then "none" else . end'
}
# is_compatible STAGE: whether an agent at STAGE can join the others; logs why not, and denies after a while.
# shellcheck disable=SC2154 # seconds is the script's behind it
is_compatible() {
  far=$(incompatible_members "$1")
  [ "$far" != none ] || return 0
  log "its next container has security at \"$(stage_name "$1")\", too far from ${far:-others, whose security this agent does not know}"
  waited "$seconds" && deny "hint: go one stage at a time, off, permissive, outgoing, strict, with a deploy of all agents for each, and back to permissive at most: docs/security.md"
  return 1
}
