#!/bin/sh
# pre-stop-server.sh SECONDS OWNER NODE PURPOSE SERVERS STAGE: may the server NODE be stopped, to `replace` it or to `leave` for good? Asked in a server's container, NODE's
# own first, before Terraform stops NODE's. SERVERS is how many the cluster is to have, STAGE how far its next container has security turned
# on. Behind consul-api.sh, lock.sh and security-compat.sh.
#
# Yes, when it is the cluster's lock holder and the healthy voters without it are still a quorum: at once when they are all, and after SECONDS when some of them are ill.
# And for a server whose stop takes nothing away: one that is down, no voter, or alone. The lock is given back by the gate, or by removal.sh. It stays when the new
# container does not get in: then only
# that server may be touched, whoever deploys.
# shellcheck disable=SC2034,SC2154 # lock.sh takes owner, and gives entries
set -u
seconds=$1 owner=$2 node=$3 purpose=$4 servers=$5 stage=$6
# Autopilot looks every 2 s (server_health_interval): one look could be older than what happened last.
looks=3 seen=0

# A server's port takes a connection. Nothing is sent, so that it has nothing to log.
answers() {
  server=${1%:*} server=${server#\[} server=${server%\]}
  nc -w 2 "$server" "${1##*:}" </dev/null >/dev/null 2>&1
}

# The healthy voters without NODE, and those of them that do not take a connection: when a host is cut off from the network, it is seconds until gossip
# and autopilot notice.
count_others() {
  others=0 silent=''
  while read -r name address; do
    if [ -z "$name" ]; then
      continue
    elif answers "$address"; then
      others=$((others + 1))
    else
      silent="$silent, $name (does not answer at $address)"
    fi
  done <<OTHERS
$(about '.Servers[] | select(.Voter and .Healthy and .SerfStatus == "alive" and .Name != $node) | "\(.Name) \(.Address)"')
OTHERS
}

while :; do
  if [ "$(ask /v1/status/peers)" = '[]' ]; then
    is_here || exit 4
    let_go "it has never been part of a cluster"
  fi
  # 429 and a body when a server is not healthy, 500 when there is no leader.
  health=$(ask /v1/operator/autopilot/health)
  about() { printf '%s' "$health" | value --arg node "$node" "$1"; }
  voters=$(about '[.Servers[] | select(.Voter)] | length')
  if [ "${voters:-0}" = 0 ]; then
    say "this server knows no leader"
    waited 8 && cannot_tell
    sleep 1
    continue
  fi
  own=$(about '.Servers[] | select(.Name == $node) | if .Voter | not then "no voter" else .SerfStatus end')
  address=$(about '.Servers[] | select(.Name == $node and .Voter) | .Address')
  # Gossip may have lost it while raft still has it.
  [ "${own:-gone}" = alive ] || { [ -n "$address" ] && answers "$address"; } ||
    let_go "it is ${own:-no server of this cluster}, and its stop takes nothing away"

  if [ "$purpose" = replace ] && ! in_step "$stage"; then
    sleep 1
    continue
  fi
  if [ "$voters" = 1 ]; then
    if [ "$purpose" = leave ]; then
      say "it is the only voter, and the cluster would end with it"
      refuse "Let other servers in first; to end the cluster: npm run destroy"
    fi
    [ "$servers" != 1 ] || let_go "it is the only server. There is no leader until it is back"
  fi

  holder=$(holder)
  [ -n "$holder" ] || { take_lock && holder=$(holder); }
  if [ "$holder" != "$owner" ]; then
    seen=0
    if [ -z "$holder" ]; then say "the lock cannot be taken: $entries refuses"; else say "waiting: $holder is being replaced, or leaves"; fi
    # Whoever holds it has as long for its own question, and again for its gate.
    waited "$((2 * seconds + 30))" && [ -z "$holder" ] && refuse "Let its own host write to the KV: allow_write_http_from, limits"
    waited "$((2 * seconds + 30))" &&
      refuse "Mend $holder first: its gate gives the lock back when it is a voter. If nobody replaces it: npm run doctor -- --fix"
    sleep 1
    continue
  fi
  count_others
  # A server that leaves is not counted afterwards; one that is replaced still has its vote.
  [ "$purpose" = leave ] && counted=$((voters - 1)) || counted=$voters
  quorum=$((counted / 2 + 1))
  ill=$(about '[.Servers[] | select(.Voter and .Name != $node and (.Healthy | not)) | "\(.Name) (\(.SerfStatus))"] | join(", ")')$silent ill=${ill#, }
  [ "$voters" -ge "$servers" ] || ill="${ill:+$ill, }$((servers - voters)) of $servers servers, which are no voters yet"
  if [ "$others" -lt "$quorum" ]; then
    seen=0
    say "only $others of $voters voters would be healthy without it, $quorum are needed; not healthy: ${ill:-none}"
    if waited "$seconds"; then
      give_lock_back
      refuse "Bring those back first, or give up the quorum with CONSUL_ALLOW_QUORUM_LOSS=yes"
    fi
  else
    # With five servers one that is ill leaves a quorum without another; but what heals soon is better waited for.
    [ -z "$ill" ] || say "waiting a while for $ill, though $others of $voters voters are healthy without it"
    if [ -z "$ill" ] || waited "$seconds"; then seen=$((seen + 1)); else seen=0; fi
    [ "$seen" -lt "$looks" ] || let_go "$others of $voters voters are healthy without it, $quorum are needed"
  fi
  sleep 1
done
