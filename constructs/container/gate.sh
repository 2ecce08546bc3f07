#!/bin/sh
# gate.sh SECONDS OWNER ROLE NODE EXPECT: waits in an agent's container until the agent is in: a server a voter with a known leader, a client in
# touch with a leader. Then a server gives the lock back that its replacement took. Exits 0 when all that is done, 3 when it is not in time. Says
# what it waits for. Behind lock.sh.
#
# Where servers are in several stacks, the first to start cannot be in yet: an agent that has joined others, fewer than EXPECT servers among
# them, passes too. Whether all became voters in the end is what quorum.sh asks.
# shellcheck disable=SC2034,SC2154 # lock.sh takes owner, and gives url
set -u
seconds=$1 owner=$2 role=$3 node=$4 expect=$5 end=$(($(date +%s) + $1))
# Long enough for a server of a running cluster to find the others: they are asked at once, and again every 2 s (retry_interval).
grace=6
waiting_since='' said=''

leader() { curl -fsS -m 5 "$url/v1/status/leader" 2>/dev/null | tr -d '"'; }
is_voter() { ask '/v1/operator/raft/configuration?stale' | jq -e --arg node "$node" 'any(.Servers[]; .Node == $node and .Voter)' >/dev/null 2>&1; }
servers_seen() { ask /v1/agent/members | value '[.[] | select(.Tags.role == "consul" and .Status == 1)] | length'; }
never_bootstrapped() { [ "$role" = client ] || [ "$(ask /v1/status/peers)" = '[]' ]; }

say() {
  [ "$1" = "$said" ] || echo "$node: $1"
  said=$1
}

until [ "$(date +%s)" -ge "$end" ]; do
  known=$(leader)
  if [ -n "$known" ] && [ "$role" = client ]; then
    echo "$node: in, leader $known"
    exit 0
  elif [ -n "$known" ] && is_voter; then
    if give_lock_back; then
      echo "$node: in, a voter, leader $known"
      exit 0
    fi
    say "a voter, giving the lock back"
  elif [ -n "$known" ]; then
    say "a leader is known, waiting to become a voter"
  elif ! ask /v1/agent/self >/dev/null; then
    say "waiting for its agent to answer at $url"
  elif never_bootstrapped && seen=$(servers_seen) && [ "${seen:-0}" -ge 1 ] && [ "$seen" -lt "$expect" ]; then
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
echo "$node: not in after $seconds s: ${said:-nothing was asked}. Its container's log says more" >&2
exit 3
