#!/bin/sh
# leave-leadership.sh ARGUMENT...: runs the image's entrypoint, and hands leadership over before a server is stopped, so that no write waits for
# an election. It is the one child of dumb-init --single-child: signals come here, and nowhere else.
set -u
url=${CONSUL_HTTP_ADDR:-http://127.0.0.1:8500}
consul='' status=0

header=/consul/secrets/rollout.header
# Without the token where there is none, and where the cluster does not know it yet.
call() { { [ -r "$header" ] && curl -fsS -H "@$header" "$@" 2>/dev/null; } || curl -fsS "$@"; }
leads() { [ "$(call -m 2 "$url/v1/agent/self" 2>/dev/null | jq -r .Stats.raft.state 2>/dev/null)" = Leader ]; }

# Docker kills after 30 s, and Consul itself may take 15 s: leadership gets 8 of them.
stop() {
  patience=$(($(date +%s) + 8))
  if leads; then
    call -m 5 -X POST "$url/v1/operator/raft/transfer-leader" >/dev/null && echo "handed leadership over"
    while leads && [ "$(date +%s)" -lt "$patience" ]; do sleep 0.2; done
  fi
  [ -z "$consul" ] || kill -TERM "$consul" 2>/dev/null
}

docker-entrypoint.sh "$@" &
consul=$!
trap stop TERM INT
# Consul reloads its configuration.
trap 'kill -HUP "$consul"' HUP

# A signal ends a wait, not the process that is waited for.
while kill -0 "$consul" 2>/dev/null; do
  wait "$consul"
  status=$?
done
exit "$status"
