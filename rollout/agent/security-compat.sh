#!/bin/sh
# security-compat.sh: how far security is turned on in the agents that are up, which each says in its node's metadata. Behind consul-api.sh.

# Who has not registered itself yet, which is a new agent whose token is still to be made, has said nothing: agents' own entries have metadata of Consul's own.
# strangers STAGE: the members with which an agent at STAGE could not speak; `none`, or nothing when it is not known. That is all that are more than one step away;
# and an agent that had a gossip key keeps it in its data, so that `off` is not to be had again beside others (hashicorp/consul, agent/keyring.go).
strangers() {
  members=$(ask /v1/agent/members | value -c 'map(select(.Status == 1).Name)')
  ask /v1/catalog/nodes | value --arg stage "$1" --argjson members "${members:-[]}" '["off", "accept", "use", "require"] as $stages
    | INDEX(.[]; .Node) as $nodes | [$members | sort[] | {name: ., stage: ($nodes[.].Meta // {} | .["cdktf-security"] // (if has("consul-network-segment") then "off" else $stage end))}
    | select(.stage as $at | ($stages | index($at)) - ($stages | index($stage)) | . < -1 or . > 1 or ($stage == "off" and . > 0)) | "\(.name) (\(.stage))"] | join(", ") | if . == "" then "none" else . end'
}
# in_step STAGE: whether an agent at STAGE may come in; says why not, and refuses after a while.
# shellcheck disable=SC2154 # seconds is the script's behind it
in_step() {
  far=$(strangers "$1")
  [ "$far" != none ] || return 0
  say "its next container has security at \"$1\", too far from ${far:-others, which this agent does not say}"
  waited "$seconds" && refuse "Go one step at a time, off, accept, use, require, with a deploy of all agents for each, and back to accept at most: docs/security.md"
  return 1
}
