#!/bin/sh
# leave-leadership.sh ARGUMENT...: runs the image's entrypoint, and transfers leadership before a server is stopped, so
# that no write waits for an election. It is the only child of `dumb-init --single-child`, so signals reach no other
# process.
set -u
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}
consul='' status=0

header=/consul/secrets/rollout.header
# call OPTION OF CURL...: sends a request with the token. If there is none, or if the cluster does not know it yet, it
# sends the request without one.
call() { { [ -r "$header" ] && curl -fsS -H "@$header" "$@" 2>/dev/null; } || curl -fsS "$@"; }
is_leader() { [ "$(call -m 2 "$url/v1/agent/self" 2>/dev/null | jq -r .Stats.raft.state 2>/dev/null)" = Leader ]; }

# Docker sends SIGKILL after 30 s, and Consul itself may take 15 s. The transfer gets 8 s.
stop() {
  deadline=$(($(date +%s) + 8))
  if is_leader; then
    call -m 5 -X POST "$url/v1/operator/raft/transfer-leader" >/dev/null && echo "transferred leadership"
    while is_leader && [ "$(date +%s)" -lt "$deadline" ]; do sleep 0.2; done
  fi
  [ -z "$consul" ] || kill -TERM "$consul" 2>/dev/null
}

docker-entrypoint.sh "$@" &
consul=$!
trap stop TERM INT
# Consul reloads its configuration.
trap 'kill -HUP "$consul"' HUP

# A signal ends `wait`, but not the process.
while kill -0 "$consul" 2>/dev/null; do
  wait "$consul"
  status=$?
done
exit "$status"
