#!/bin/sh
# readiness.sh SECONDS OWNER ROLE NODE EXPECT: waits in an agent's container until the agent is in: a server a voter with a known leader, a client in
# touch with a leader. Then it releases the lock or the rollout slot that the agent's replacement took. Exits 0 when all that is done, 3 when it is not in
# time. Says what it waits for. Behind consul-api.sh and lock.sh.
#
# At the first bootstrap an agent cannot be in while servers are still to be started: one that has joined others, fewer than EXPECT servers among
# them, passes too, and frees its slot of Terraform's for them. Whether all servers became voters in the end is what voters.sh asks.
# shellcheck disable=SC2034,SC2154 # lock.sh takes owner, and consul-api.sh gives url
set -u
seconds=$1 owner=$2 role=$3 node=$4 expect=$5 begun=$(now)
# Long enough for a server of a running cluster to find the others: they are asked at once, and again every 2 s (retry_interval).
grace=6
waiting_since=''
# In the data, so that it is as old as they are: a client that was in once has seen the bootstrap.
was_ready=${CONSUL_DATA_DIR:-/consul/data}/was-in
management=/consul/secrets/management.header

# skip_after_grace WHY
skip_after_grace() {
  waiting_since=${waiting_since:-$(now)}
  if [ $(($(now) - waiting_since)) -ge "$grace" ]; then
    echo "$node: readiness check skipped: $1"
    exit 0
  fi
}

own_id() { ask /v1/agent/self | value .Config.NodeID; }
# By its ID: under its name the voter may be a lost predecessor, of which others have yet to notice that it is gone.
is_voter() {
  ask '/v1/operator/raft/configuration?stale' | jq -e --arg id "$(own_id)" 'any(.Servers[]; .ID == $id and .Voter)' >/dev/null 2>&1
}
# By ID and name: until gossip expires the lost predecessor, the leader lists this server without its name, and the next pre-stop check could not count it as a voter.
is_known_to_leader() {
  ask /v1/operator/raft/configuration | jq -e --arg id "$(own_id)" --arg node "$node" 'any(.Servers[]; .ID == $id and .Node == $node)' >/dev/null 2>&1
}
# memberlist rejects a new address for a known name until the old one has been dead for 30 s (DeadNodeReclaimTime), and may learn it only minutes later: gossip syncs
# with one random member at a time. A join syncs at once.
join_servers() {
  ask /v1/agent/members |
    value --arg node "$node" '.[] | select(.Tags.role == "consul" and .Status == 1 and .Name != $node) | "\(if .Addr | contains(":") then "[\(.Addr)]" else .Addr end):\(.Port)"' |
    while read -r other; do ask "/v1/agent/join/$other" -g -X PUT </dev/null; done
}
visible_servers() { ask /v1/agent/members | value '[.[] | select(.Tags.role == "consul" and .Status == 1)] | length'; }
# Servers make the management token with their first leader, and the rest is made with that when they are in. This is the leader's answer, whatever this server
# has of the data already: /v1/agent/members, by which consul-api.sh goes, is its own.
answer_to() { curl -sS -m 5 -o /dev/null -w '%{http_code}' -H "@$1" "$url/v1/acl/token/self" 2>/dev/null; }
tokens_missing() {
  [ "$role" = server ] && [ -r "$management" ] && [ "$(answer_to /consul/secrets/rollout.header)" = 403 ] && [ "$(answer_to /consul/secrets/former.header)" = 403 ] &&
    [ "$(answer_to "$management")" = 200 ]
}
# Without a token the list of members is empty.
too_few_servers() {
  seen=$(visible_servers) seen=${seen:-0}
  [ "$seen" -lt "$expect" ] && { [ "$seen" -ge 1 ] || { [ -r "$header" ] && ! token_known; }; }
}
never_bootstrapped() { if [ "$role" = client ]; then [ ! -e "$was_ready" ]; else [ "$(ask /v1/status/peers)" = '[]' ]; fi; }

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  known=$(leader)
  if [ -n "$known" ] && [ "$role" = client ]; then
    if release_slot; then
      # As Consul's user, whose the data is: root may not be allowed to.
      su-exec consul touch "$was_ready"
      echo "$node: ready, leader $known"
      exit 0
    fi
    log "ready, releasing its rollout slot"
  elif [ -n "$known" ] && is_voter; then
    join_servers
    if ! is_known_to_leader; then
      log "a voter, waiting until the leader knows it instead of its lost predecessor"
    elif release_lock; then
      echo "$node: ready, a voter, leader $known"
      exit 0
    else
      log "a voter, releasing the deploy lock"
    fi
  elif [ -n "$known" ] && tokens_missing; then
    echo "$node: readiness check skipped: there is a leader, $known, and tokens do not exist yet"
    exit 0
  elif [ -n "$known" ]; then
    log "a leader is known, waiting to become a voter"
  elif ! ask /v1/agent/self >/dev/null; then
    log "waiting for its agent to answer at $url"
    # A client that has no certificate yet answers nobody: it is given one when tokens have been made, after the servers.
    [ "$role" = client ] && [ "$expect" -gt 1 ] && [ -r "$header" ] && never_bootstrapped && skip_after_grace "it gets its certificate when the servers are ready"
  elif never_bootstrapped && too_few_servers; then
    log "sees $seen of the $expect servers that the first bootstrap needs"
    skip_after_grace "the other servers are not deployed yet"
  else
    waiting_since=''
    log "waiting for a leader"
  fi
  sleep 1
done
echo "$node: is not ready after $seconds s: ${logged:-no answer}; hint: read its container's log" >&2
exit 3
