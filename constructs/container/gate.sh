#!/bin/sh
# gate.sh SECONDS ROLE NODE EXPECT: waits in an agent's container until the agent is in: a server a voter with a known leader, a client in
# touch with a leader. Exits 0 when it is, 3 when it is not in time. Says what it waits for.
#
# Where servers are in several stacks, the first to start cannot be in yet: an agent that has joined others, fewer than EXPECT servers among
# them, passes too. Whether all became voters in the end is what quorum.sh asks.
set -u
seconds=$1 role=$2 node=$3 expect=$4 end=$(($(date +%s) + $1)) url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}
# Long enough for a server of a running cluster to find the others: they are asked at once, and again every 2 s (retry_interval).
grace=6
waiting_since='' said=''

ask() { curl -fsS -m 5 "$url$1" 2>/dev/null; }

leader() { ask /v1/status/leader | tr -d '"'; }
is_voter() { ask '/v1/operator/raft/configuration?stale' | jq -e --arg node "$node" 'any(.Servers[]; .Node == $node and .Voter)' >/dev/null 2>&1; }
servers_seen() { ask /v1/agent/members | jq '[.[] | select(.Tags.role == "consul" and .Status == 1)] | length'; }
never_bootstrapped() { [ "$role" = client ] || [ "$(ask /v1/status/peers)" = '[]' ]; }

# A server that was replaced holds the lock that question.sh took: now others may be.
give_lock_back() {
  index=$(ask '/v1/kv/consul-cdktf/replacing' | jq -r --arg node "$node" '.[0] | select((.Value | @base64d) == $node) | .ModifyIndex' 2>/dev/null)
  [ -z "$index" ] || curl -fsS -m 5 -X DELETE "$url/v1/kv/consul-cdktf/replacing?cas=$index" >/dev/null
}

say() {
  [ "$1" = "$said" ] || echo "$node: $1"
  said=$1
}

until [ "$(date +%s)" -ge "$end" ]; do
  if ! ask /v1/agent/self >/dev/null; then
    say "waiting for its agent to answer at $url"
  elif [ -n "$(leader)" ]; then
    if [ "$role" = client ] || is_voter; then
      [ "$role" = client ] || give_lock_back
      echo "$node: in, $([ "$role" = server ] && echo 'a voter, ')leader $(leader)"
      exit 0
    fi
    say "a leader is known, waiting to become a voter"
  elif never_bootstrapped && seen=$(servers_seen) && [ "$seen" -ge 1 ] && [ "$seen" -lt "$expect" ]; then
    waiting_since=${waiting_since:-$(date +%s)}
    say "sees $seen of the $expect servers that the first bootstrap needs"
    if [ $(($(date +%s) - waiting_since)) -ge "$grace" ]; then
      echo "$node: passes: the other servers are still to be deployed"
      exit 0
    fi
  else
    waiting_since=''
    say "waiting for a leader"
  fi
  sleep 1
done
echo "$node: not in after $seconds s: ${said:-nothing was asked}. See its log: docker logs $(hostname)" >&2
exit 3
