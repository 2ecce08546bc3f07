#!/bin/sh
# pre-stop-server.sh SECONDS OWNER NODE PURPOSE SERVERS STAGE: the pre-stop check of the server NODE. PURPOSE is
# `replace` or `leave`. SERVERS is the number of servers that the cluster file has, STAGE the next container's stage of
# security. The check runs in a server's container, NODE's own first, before Terraform stops NODE's.
# Behind consul-api.sh, lock.sh and security-compat.sh.
#
# The check allows the stop when NODE holds the deploy lock and the healthy voters without NODE are still a quorum. If
# all voters are healthy, it does so at once; if some are unhealthy, after SECONDS. It also allows the stop of a server
# whose loss costs nothing, because the server is down, no voter, or alone.
# The readiness check or removal.sh releases the lock. If the new container does not become ready, the lock stays with
# NODE, so that no deploy stops another server.
# shellcheck disable=SC2034,SC2154 # lock.sh takes owner, and gives entries
set -u
seconds=$1 owner=$2 node=$3 purpose=$4 servers=$5 stage=$6
# Autopilot checks every 2 s (server_health_interval), so that one result may be older than the last event.
needed=3 passed=0

# Whether a server's port accepts a connection. Nothing is sent, so that the server logs nothing.
answers() {
  server=${1%:*} server=${server#\[} server=${server%\]}
  nc -w 2 "$server" "${1##*:}" </dev/null >/dev/null 2>&1
}

# Counts the healthy voters without NODE, and lists those that accept no connection. When a host loses its network,
# gossip and autopilot take seconds to notice.
count_others() {
  others=0 unreachable=''
  while read -r name address; do
    if [ -z "$name" ]; then
      continue
    elif answers "$address"; then
      others=$((others + 1))
    else
      unreachable="$unreachable, $name (unreachable at $address)"
    fi
  done <<OTHERS
$(about '.Servers[] | select(.Voter and .Healthy and .SerfStatus == "alive" and .Name != $node) | "\(.Name) \(.Address)"')
OTHERS
}

while :; do
  if [ "$(ask /v1/status/peers)" = '[]' ]; then
    is_here || exit 4
    allow "it has never been part of a cluster"
  fi
  # 429 and a body when a server is not healthy, 500 when there is no leader.
  health=$(ask /v1/operator/autopilot/health)
  about() { printf '%s' "$health" | value --arg node "$node" "$1"; }
  voters=$(about '[.Servers[] | select(.Voter)] | length')
  if [ "${voters:-0}" = 0 ]; then
    log "this server knows no leader"
    waited 8 && unknown
    sleep 1
    continue
  fi
  own=$(about '.Servers[] | select(.Name == $node) | if .Voter | not then "no voter" else .SerfStatus end')
  address=$(about '.Servers[] | select(.Name == $node and .Voter) | .Address')
  # Gossip may have lost a server that Raft still has.
  [ "${own:-gone}" = alive ] || { [ -n "$address" ] && answers "$address"; } ||
    allow "it is ${own:-no server of this cluster}"

  if [ "$purpose" = replace ] && ! is_compatible "$stage"; then
    sleep 1
    continue
  fi
  if [ "$voters" = 1 ]; then
    if [ "$purpose" = leave ]; then
      log "it is the only voter, and the cluster would end with it"
      deny "hint: add other servers first; to end the cluster: npm run destroy"
    fi
    [ "$servers" != 1 ] || allow "it is the only server. There is no leader until it is back"
  fi

  holder=$(holder)
  [ -n "$holder" ] || { acquire_lock && holder=$(holder); }
  if [ "$holder" != "$owner" ]; then
    passed=0
    if [ -z "$holder" ]; then log "the deploy lock cannot be acquired: $entries rejects the request"; else log "waiting: $holder is being replaced, or leaves"; fi
    # The holder has SECONDS for its pre-stop check, and SECONDS for its readiness check.
    waited "$((2 * seconds + 30))" && [ -z "$holder" ] && deny "hint: allow its own host to write to the KV: allow_write_http_from, limits"
    waited "$((2 * seconds + 30))" &&
      deny "hint: fix $holder first: its readiness check releases the lock when it is a voter. If no deploy replaces it: npm run doctor -- --fix"
    sleep 1
    continue
  fi
  count_others
  # A server that leaves is not counted afterwards; one that is replaced still has its vote.
  [ "$purpose" = leave ] && counted=$((voters - 1)) || counted=$voters
  quorum=$((counted / 2 + 1))
  unhealthy=$(about '[.Servers[] | select(.Voter and .Name != $node and (.Healthy | not)) | "\(.Name) (\(.SerfStatus))"] | join(", ")')$unreachable unhealthy=${unhealthy#, }
  [ "$voters" -ge "$servers" ] || unhealthy="${unhealthy:+$unhealthy, }$((servers - voters)) of $servers servers, which are no voters yet"
  if [ "$others" -lt "$quorum" ]; then
    passed=0
    log "only $others of $voters voters would be healthy without it, $quorum are needed; not healthy: ${unhealthy:-none}"
    if waited "$seconds"; then
      release_lock
      deny "hint: bring those back first, or give up the quorum with CONSUL_ALLOW_QUORUM_LOSS=yes"
    fi
  else
    # Of five servers, one may be unhealthy and another stopped. A server that soon recovers is still worth waiting for.
    [ -z "$unhealthy" ] || log "waiting a while for $unhealthy, though $others of $voters voters are healthy without it"
    if [ -z "$unhealthy" ] || waited "$seconds"; then passed=$((passed + 1)); else passed=0; fi
    [ "$passed" -lt "$needed" ] || allow "$others of $voters voters are healthy without it, $quorum are needed"
  fi
  sleep 1
done
