#!/bin/sh
# readiness.sh SECONDS OWNER ROLE NODE EXPECT: waits in an agent's container until the agent is in: a server a voter with a known leader, a client in
# touch with a leader. Then it gives back the lock or the turn that the agent's replacement took. Exits 0 when all that is done, 3 when it is not in
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
was_in=${CONSUL_DATA_DIR:-/consul/data}/was-in
management=/consul/secrets/management.header

# pass_after_grace WHY
pass_after_grace() {
  waiting_since=${waiting_since:-$(now)}
  if [ $(($(now) - waiting_since)) -ge "$grace" ]; then
    echo "$node: passes: $1"
    exit 0
  fi
}

own_id() { ask /v1/agent/self | value .Config.NodeID; }
# By its ID: under its name the voter may be a lost predecessor, of which others have yet to notice that it is gone.
is_voter() {
  ask '/v1/operator/raft/configuration?stale' | jq -e --arg id "$(own_id)" 'any(.Servers[]; .ID == $id and .Voter)' >/dev/null 2>&1
}
# By both: the leader finds names by addresses. While it has a lost predecessor in mind, this server has no name to it, and the next one's question cannot count it.
is_known_to_leader() {
  ask /v1/operator/raft/configuration | jq -e --arg id "$(own_id)" --arg node "$node" 'any(.Servers[]; .ID == $id and .Node == $node)' >/dev/null 2>&1
}
# Who had a lost server in mind when it heard of this one, under the same name at another address, does not believe it until that has been dead for 30 s (DeadNodeReclaimTime),
# and may hear of it again after minutes only: gossip syncs with one member at a time, chosen at random. A join syncs at once.
tell_servers() {
  ask /v1/agent/members |
    value --arg node "$node" '.[] | select(.Tags.role == "consul" and .Status == 1 and .Name != $node) | "\(if .Addr | contains(":") then "[\(.Addr)]" else .Addr end):\(.Port)"' |
    while read -r other; do ask "/v1/agent/join/$other" -g -X PUT </dev/null; done
}
servers_seen() { ask /v1/agent/members | value '[.[] | select(.Tags.role == "consul" and .Status == 1)] | length'; }
# Servers make the management token with their first leader, and the rest is made with that when they are in. This is the leader's answer, whatever this server
# has of the data already: /v1/agent/members, by which consul-api.sh goes, is its own.
answer_to() { curl -sS -m 5 -o /dev/null -w '%{http_code}' -H "@$1" "$url/v1/acl/token/self" 2>/dev/null; }
tokens_unmade() {
  [ "$role" = server ] && [ -r "$management" ] && [ "$(answer_to /consul/secrets/rollout.header)" = 403 ] && [ "$(answer_to /consul/secrets/former.header)" = 403 ] &&
    [ "$(answer_to "$management")" = 200 ]
}
# Who has no token yet is not told who is there.
too_few_servers() {
  seen=$(servers_seen) seen=${seen:-0}
  [ "$seen" -lt "$expect" ] && { [ "$seen" -ge 1 ] || { [ -r "$header" ] && ! token_known; }; }
}
never_bootstrapped() { if [ "$role" = client ]; then [ ! -e "$was_in" ]; else [ "$(ask /v1/status/peers)" = '[]' ]; fi; }

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  known=$(leader)
  if [ -n "$known" ] && [ "$role" = client ]; then
    if give_turn_back; then
      # As Consul's user, whose the data is: root may not be allowed to.
      su-exec consul touch "$was_in"
      echo "$node: in, leader $known"
      exit 0
    fi
    say "in, giving its turn back"
  elif [ -n "$known" ] && is_voter; then
    tell_servers
    if ! is_known_to_leader; then
      say "a voter, waiting until the leader knows it instead of its lost predecessor"
    elif give_lock_back; then
      echo "$node: in, a voter, leader $known"
      exit 0
    else
      say "a voter, giving the lock back"
    fi
  elif [ -n "$known" ] && tokens_unmade; then
    echo "$node: passes: there is a leader, $known, and tokens are still to be made"
    exit 0
  elif [ -n "$known" ]; then
    say "a leader is known, waiting to become a voter"
  elif ! ask /v1/agent/self >/dev/null; then
    say "waiting for its agent to answer at $url"
    # A client that has no certificate yet answers nobody: it is given one when tokens have been made, after the servers.
    [ "$role" = client ] && [ "$expect" -gt 1 ] && [ -r "$header" ] && never_bootstrapped && pass_after_grace "it is let in when the servers are"
  elif never_bootstrapped && too_few_servers; then
    say "sees $seen of the $expect servers that the first bootstrap needs"
    pass_after_grace "the other servers are still to be deployed"
  else
    waiting_since=''
    say "waiting for a leader"
  fi
  sleep 1
done
echo "$node: not in after $seconds s: ${said:-nothing was asked}. Its container's log says more" >&2
exit 3
