#!/bin/sh
# question.sh SECONDS NODE: may the server NODE be stopped? Asked in a server's container, NODE's own first, before Terraform stops NODE's.
# Exits 0 for yes, 3 for no, 4 when this server cannot tell, so that the next one is asked.
#
# Yes, when it is the cluster's lock holder and the healthy voters without it are still a quorum; and for a server whose stop takes nothing away:
# one that is down, no voter, or alone. The lock is a KV entry that names the server being replaced; its gate gives it back. It stays when the
# new container does not get in: then only that server may be touched, whoever deploys.
set -u
seconds=$1 node=$2 url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}
lock=consul-cdktf/replacing
# Autopilot looks every 2 s (server_health_interval): one look could be older than what happened last.
looks=3

ask() { curl -sS -m 5 "$url$1" 2>/dev/null; }
value() { jq -r "$@" 2>/dev/null; }

say() {
  [ "$1" = "$said" ] || echo "$node: $1"
  [ "$1" = "$said" ] || since=$(date +%s)
  said=$1
}
waited() { [ $(($(date +%s) - since)) -ge "$1" ]; }

holder() { curl -fsS -m 5 "$url/v1/kv/$lock?raw&consistent" 2>/dev/null; }
take_lock() { [ "$(holder)" = "$node" ] || curl -fsS -m 5 -X PUT -d "$node" "$url/v1/kv/$lock?cas=0" >/dev/null 2>&1; }
give_lock_back() {
  index=$(ask "/v1/kv/$lock?consistent" | value --arg node "$node" '.[0] | select((.Value | @base64d) == $node) | .ModifyIndex')
  [ -z "$index" ] || curl -fsS -m 5 -X DELETE "$url/v1/kv/$lock?cas=$index" >/dev/null 2>&1
}

refuse() {
  echo "$node: not stopped: $said. $1" >&2
  exit 3
}

said='' since=$(date +%s) seen=0
while :; do
  if [ "$(ask /v1/status/peers)" = '[]' ]; then
    [ "$(ask /v1/agent/self | value .Config.NodeName)" = "$node" ] || exit 4
    echo "$node: may be stopped: it has never been part of a cluster"
    exit 0
  fi
  # 429 and a body when a server is not healthy, 500 when there is no leader.
  health=$(ask /v1/operator/autopilot/health)
  voters=$(printf '%s' "$health" | value '[.Servers[] | select(.Voter)] | length')
  if [ -z "$voters" ] || [ "$voters" = 0 ]; then
    say "this server knows no leader"
    waited 8 && exit 4
    sleep 1
    continue
  fi
  own=$(printf '%s' "$health" | value --arg node "$node" '.Servers[] | select(.Name == $node) | if .Voter | not then "no voter" else .SerfStatus end')
  if [ "${own:-gone}" != alive ]; then
    echo "$node: may be stopped: it is ${own:-no server of this cluster}, and its stop takes nothing away"
    exit 0
  fi
  if [ "$voters" = 1 ]; then
    echo "$node: may be stopped: it is the only server. There is no leader until it is back"
    exit 0
  fi

  take_lock
  holder=$(holder)
  if [ "$holder" != "$node" ]; then
    seen=0
    say "waiting: ${holder:-another server} is being replaced"
    waited "$((seconds + 30))" && refuse "Mend $holder first: it has not come back as a voter. If nobody is replacing it, the next deploy of it gives the lock back"
    sleep 1
    continue
  fi
  others=$(printf '%s' "$health" | value --arg node "$node" '[.Servers[] | select(.Voter and .Healthy and .SerfStatus == "alive" and .Name != $node)] | length')
  quorum=$((voters / 2 + 1))
  if [ "$others" -ge "$quorum" ]; then
    seen=$((seen + 1))
    if [ "$seen" -ge "$looks" ]; then
      echo "$node: may be stopped: $others of $voters voters are healthy without it, $quorum are needed"
      exit 0
    fi
  else
    seen=0
    ill=$(printf '%s' "$health" | value --arg node "$node" '[.Servers[] | select(.Name != $node and (.Healthy | not)) | "\(.Name) (\(.SerfStatus))"] | join(", ")')
    say "only $others of $voters voters would be healthy without it, $quorum are needed; not healthy: ${ill:-none}"
    if waited "$seconds"; then
      give_lock_back
      refuse "Bring those back first, or give up the quorum with CONSUL_ALLOW_QUORUM_LOSS=yes"
    fi
  fi
  sleep 1
done
