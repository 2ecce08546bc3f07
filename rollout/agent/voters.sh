#!/bin/sh
# voters.sh SECONDS NODE...: waits in a server's container until every named server is a voter of one raft configuration that has a leader.
# Exits 0 when so, and 3 with the missing servers when not in time: a server with a wrong address or key is only in a configuration of its own. Behind consul-api.sh.
# shellcheck disable=SC2034 # consul-api.sh takes node
set -u
seconds=$1 begun=$(now) node=servers
shift

missing() {
  voters=$(ask /v1/operator/raft/configuration | value '.Servers[] | select(.Voter) | .Node')
  for each; do
    printf '%s\n' "$voters" | grep -qxF -- "$each" || printf ' %s' "$each"
  done
}

while [ $(($(now) - begun)) -lt "$seconds" ]; do
  absent=$(missing "$@")
  if [ -z "$absent" ]; then
    echo "voters: $*"
    exit 0
  fi
  log "waiting for voters:$absent"
  sleep 1
done
echo "not all servers are voters of one cluster after $seconds s, missing:$absent; hint: check their logs, addresses and ports" >&2
exit 3
