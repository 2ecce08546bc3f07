#!/bin/sh
# quorum.sh SECONDS NODE...: waits in a server's container until every named server is a voter of one raft configuration that has a leader.
# Exits 0 when so, 3 when not in time, naming who is missing: a server alone with a wrong address or key is in no configuration but its own.
set -u
seconds=$1 end=$(($(date +%s) + $1)) url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}
shift

missing() {
  voters=$(curl -fsS -m 5 "$url/v1/operator/raft/configuration" 2>/dev/null | jq -r '.Servers[] | select(.Voter) | .Node' 2>/dev/null)
  for node; do
    printf '%s\n' "$voters" | grep -qxF -- "$node" || printf ' %s' "$node"
  done
}

said=''
until [ "$(date +%s)" -ge "$end" ]; do
  absent=$(missing "$@")
  if [ -z "$absent" ]; then
    echo "voters: $*"
    exit 0
  fi
  [ "$absent" = "$said" ] || echo "waiting for voters:$absent"
  said=$absent
  sleep 1
done
echo "not all servers are voters of one cluster after $seconds s, missing:$said. Check their logs, addresses and ports" >&2
exit 3
