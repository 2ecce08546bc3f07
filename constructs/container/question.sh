#!/bin/sh
# question.sh SECONDS OWNER NODE: may the server NODE be stopped? Asked in a server's container, NODE's own first, before Terraform stops NODE's.
# Exits 0 for yes, 3 for no, 4 when this server cannot tell, so that the next one is asked. Behind lock.sh.
#
# Yes, when it is the cluster's lock holder and the healthy voters without it are still a quorum; and for a server whose stop takes nothing away:
# one that is down, no voter, or alone. The lock is given back by the gate. It stays when the new container does not get in: then only that server
# may be touched, whoever deploys.
# shellcheck disable=SC2034 # lock.sh takes owner
set -u
seconds=$1 owner=$2 node=$3
# Autopilot looks every 2 s (server_health_interval): one look could be older than what happened last.
looks=3

said='' since=$(date +%s) seen=0
say() {
  [ "$1" != "$said" ] || return 0
  echo "$node: $1"
  said=$1 since=$(date +%s)
}
waited() { [ $(($(date +%s) - since)) -ge "$1" ]; }
let_go() {
  echo "$node: may be stopped: $1"
  exit 0
}
refuse() {
  echo "$node: not stopped: $said. $1" >&2
  exit 3
}

while :; do
  if [ "$(ask /v1/status/peers)" = '[]' ]; then
    [ "$(ask /v1/agent/self | value .Config.NodeName)" = "$node" ] || exit 4
    let_go "it has never been part of a cluster"
  fi
  # 429 and a body when a server is not healthy, 500 when there is no leader.
  health=$(ask /v1/operator/autopilot/health)
  about() { printf '%s' "$health" | value --arg node "$node" "$1"; }
  voters=$(about '[.Servers[] | select(.Voter)] | length')
  if [ "${voters:-0}" = 0 ]; then
    say "this server knows no leader"
    waited 8 && exit 4
    sleep 1
    continue
  fi
  own=$(about '.Servers[] | select(.Name == $node) | if .Voter | not then "no voter" else .SerfStatus end')
  [ "${own:-gone}" = alive ] || let_go "it is ${own:-no server of this cluster}, and its stop takes nothing away"
  [ "$voters" != 1 ] || let_go "it is the only server. There is no leader until it is back"

  holder=$(holder)
  [ -n "$holder" ] || { take_lock && holder=$(holder); }
  if [ "$holder" != "$owner" ]; then
    seen=0
    say "waiting: ${holder:-another server} is being replaced"
    waited "$((seconds + 30))" &&
      refuse "Mend $holder first: its gate gives the lock back when it is a voter. If nobody replaces it: consul kv delete consul-cdktf/replacing"
    sleep 1
    continue
  fi
  others=$(about '[.Servers[] | select(.Voter and .Healthy and .SerfStatus == "alive" and .Name != $node)] | length')
  quorum=$((voters / 2 + 1))
  if [ "${others:-0}" -ge "$quorum" ]; then
    seen=$((seen + 1))
    [ "$seen" -lt "$looks" ] || let_go "$others of $voters voters are healthy without it, $quorum are needed"
  else
    seen=0
    ill=$(about '[.Servers[] | select(.Name != $node and (.Healthy | not)) | "\(.Name) (\(.SerfStatus))"] | join(", ")')
    say "only ${others:-0} of $voters voters would be healthy without it, $quorum are needed; not healthy: ${ill:-none}"
    if waited "$seconds"; then
      give_lock_back
      refuse "Bring those back first, or give up the quorum with CONSUL_ALLOW_QUORUM_LOSS=yes"
    fi
  fi
  sleep 1
done
