#!/bin/sh
# purge-stale-catalog.sh SECONDS: removes entries of the snapshot that no longer have an owner, after a restore, in a
# server's container:
# - The deploy lock and rollout slots of a deploy that was in progress at the time.
# - Sessions: their holders may no longer exist, and a session without a TTL would keep its lock for ever. A holder that
#   exists acquires its lock again.
# - Nodes of agents that are no members, or have another ID, as those of another cluster: no agent could register under
#   a name that another node has.
# Exit codes: 0 every alive member is in the catalog by its own ID, 3 not within SECONDS.
# Behind consul-api.sh and management-api.sh.
# shellcheck disable=SC2034 # consul-api.sh takes node
set -u
seconds=$1 begun=$(now) node=catalog
seen=$(mktemp -d)
trap 'rm -rf "$seen"' EXIT

# Into files, for a thousand nodes are too long for an argument.
look() {
  managed /v1/agent/members -f </dev/null >"$seen/members" && managed /v1/catalog/nodes -f </dev/null >"$seen/nodes" &&
    managed '/v1/health/state/any?filter=CheckID%3D%3D%22serfHealth%22' -f </dev/null >"$seen/checks"
}
from_seen() { jq -n "$@" --slurpfile members "$seen/members" --slurpfile nodes "$seen/nodes" --slurpfile checks "$seen/checks" 2>/dev/null; }
# As a transaction, which takes 64 operations: each only if the leader has not registered it anew meanwhile. Nodes
# without serfHealth are not agents'.
strangers() {
  from_seen -c '($members[0] | map({key: (.Name | ascii_downcase), value: .Tags.id}) | from_entries) as $id
    | ($checks[0] | map({key: .Node, value: true}) | from_entries) as $agents
    | [$nodes[0][] | select($agents[.Node] and .ID != $id[.Node | ascii_downcase]) | {Node: {Verb: "delete-cas", Node: {Node, ModifyIndex}}}] | if . == [] then empty else .[:64] end'
}
missing() {
  from_seen -r '($nodes[0] | map({key: (.Node | ascii_downcase), value: .ID}) | from_entries) as $id
    | [$members[0][] | select(.Status == 1 and .Tags.id != $id[.Name | ascii_downcase]).Name] | sort | "\(length) \(.[:5] | join(", "))"'
}
forget() {
  sessions=$(managed /v1/session/list -f </dev/null) && managed '/v1/kv/consul-cdktf/?recurse' -f -X DELETE </dev/null >/dev/null || return 1
  printf '%s' "$sessions" | value '.[].ID' | while read -r id; do managed "/v1/session/destroy/$id" -f -X PUT </dev/null >/dev/null; done
}

forgotten='' transferred=''
while [ $(($(now) - begun)) -lt "$seconds" ]; do
  # Once: who takes one meanwhile keeps it.
  if [ -z "$forgotten" ] && ! forget; then
    log "waiting for a leader"
  elif forgotten=yes && ! look; then
    log "this server does not list the members"
  elif operations=$(strangers) && [ -n "$operations" ]; then
    log "removing nodes of agents that are not this cluster's"
    printf '%s' "$operations" | managed /v1/txn -f -X PUT -d @- >/dev/null && continue
  else
    absent=$(missing)
    if [ "${absent%% *}" = 0 ]; then
      echo "every agent is in the catalog by its own ID"
      exit 0
    fi
    log "waiting until the leader has registered ${absent#* }"
    # A new leader does it at once, one that stays within a minute. A server alone has nobody to hand over to.
    [ -n "$transferred" ] || managed /v1/operator/raft/transfer-leader -X POST </dev/null >/dev/null
    transferred=yes
  fi
  sleep 1
done
echo "not done after $seconds s: ${logged:-no answer}" >&2
exit 3
